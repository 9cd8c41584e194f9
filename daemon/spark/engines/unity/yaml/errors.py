"""What the reader of Unity's YAML raises, and nothing else."""

from __future__ import annotations


class YamlError(ValueError):
    """Text that is not Unity's YAML. `offset` counts bytes from the start of what was given."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
