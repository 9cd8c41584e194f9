"""Attachments of a prompt: a file's bytes as the model and the conversation see them.

An attachment counts as a read: its exact bytes are noted, so that the model may edit the file without reading it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from spark.core.changes import sha256_of
from spark.core.errors import ToolRejected, Unavailable, invalid_arguments
from spark.core.limits import ASSET_BYTES, FILE_BYTES
from spark.core.ports import Reads
from spark.relay.parts import Parts

MAX_ATTACHMENTS: Final = 20
SHOWN_CHARS: Final = 24_000


def attached_text(parts: Parts, attachments: Sequence[str], reads: Reads) -> str:
    """The text that follows the prompt. Raises `not_found`, `editor_unavailable`, `unsupported_asset`, `invalid_arguments`."""
    if len(attachments) > MAX_ATTACHMENTS:
        raise invalid_arguments({"attachments": f"at most {MAX_ATTACHMENTS}"})
    return "".join(_one(parts, attachment, reads) for attachment in attachments)


def _one(parts: Parts, attachment: str, reads: Reads) -> str:
    if attachment.startswith("@"):
        raise _needs_editor(attachment)
    raw, _, target = attachment.partition("#")
    path = parts.files.parse(raw, field="attachments")
    content = parts.files.read(path, limit_bytes=ASSET_BYTES if target else FILE_BYTES)
    if content is None:
        raise ToolRejected(
            "not_found",
            f"attachments: there is no file {path}",
            details={"fields": {"attachments": "an existing file"}},
        )
    if not parts.engine.is_text(path, content):
        raise ToolRejected(
            "unsupported_asset", f"attachments: {path} is not a text file", hint="Attach text assets only."
        )
    digest = sha256_of(content)
    head = f"\n\nAttached file {path} (sha256 {digest})"
    if target and path.suffix != ".cs":
        # The object with its components and values says more than a scene's first pages of text.
        text = "\n".join(parts.engine.outline(path, content, target))
        head += f", of which the user means the object {target!r}; its outline"
    else:
        text = content.decode("utf-8", errors="replace")
    shown = text[:SHOWN_CHARS]
    if len(text) > SHOWN_CHARS:
        head += f", its first {SHOWN_CHARS} of {len(text)} characters; readFile gives the rest"
    else:
        reads.note(path, digest)
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{head}:\n{fence}\n{shown}\n{fence}"


def _longest_run(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest


def _needs_editor(attachment: str) -> ToolRejected | Unavailable:
    if attachment in ("@selection", "@errors"):
        return Unavailable(
            "editor_unavailable",
            f"attachments: {attachment} is what the Unity Editor says, and none is connected",
            hint="Attach files by their path instead.",
            counts=False,
        )
    return invalid_arguments({"attachments": "a path, PATH#Root/Object, @selection or @errors"})
