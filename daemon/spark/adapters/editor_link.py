"""The Unity Editor as the daemon sees it. Without a connected plugin there is none, and everything must work all the same."""

from __future__ import annotations

from spark.core.ports import EditorState


class NoEditor:
    """`core.ports.EditorLink` while no plugin is connected."""

    def state(self) -> EditorState:
        return EditorState()
