"""Every number that bounds something, with its unit in its name."""

from __future__ import annotations

from typing import Final

FRAME_BYTES: Final = 8 * 1024 * 1024
FILE_BYTES: Final = 2 * 1024 * 1024
"""The largest text file that a call reads or writes."""
ASSET_BYTES: Final = 64 * 1024 * 1024
"""The largest prefab, scene or other serialised asset that is edited by its objects."""
KEPT_DELETE_BYTES: Final = 256 * 1024 * 1024
"""Above this the bytes of a deleted file cannot be kept, and the deletion is refused."""
CHANGES_PER_SET: Final = 10_000
PROMPT_CHARS: Final = 100_000
TOOL_OUTPUT_BYTES: Final = 32 * 1024
CONNECTIONS: Final = 32
HTTP_CONNECTIONS: Final = 128
"""TCP connections of all kinds; `CONNECTIONS` of them may be sessions and event streams."""
CLIENT_QUEUE: Final = 1_000
HANDSHAKE_S: Final = 5.0
OVERWRITES_BEFORE_ASKING: Final = 10

CALL_TIMEOUT_S: Final = 30.0
CONNECT_TIMEOUT_S: Final = 10.0
FIRST_EVENT_TIMEOUT_S: Final = 10.0
LOCAL_FIRST_EVENT_TIMEOUT_S: Final = 120.0
"""A model server on this machine may load the model and read the whole prompt before its first word."""
IDLE_IN_RESPONSE_S: Final = 60.0
APPROVAL_WAIT_S: Final = 600.0
ABANDONED_S: Final = 10.0
"""How long a change waits for a decision while no client at all is connected."""
IDLE_SHUTDOWN_S: Final = 600.0
SHUTDOWN_S: Final = 2.0

TOOL_ROUNDS_PER_TURN: Final = 40
SAME_CALL_REPEATS: Final = 3
RESUMES_PER_TURN: Final = 2
IDEMPOTENCY_HOURS: Final = 24
TURN_KEPT_DAYS: Final = 30
