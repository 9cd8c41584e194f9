"""What all clients see alike: the session state with its deltas, and which conversation is the present one. Kept in the journal."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

from spark.core.ids import new_id
from spark.core.state import SessionState
from spark.relay.bus import Feed, Message
from spark.relay.conversation import Conversation
from spark.relay.parts import Parts
from spark.relay.reads import ConversationReads

_STATE_KEY: Final = "session"


class Session:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._deltas = Feed()
        kept = parts.journal.state(_STATE_KEY) or {"state": {}, "version": 0}
        self.state = SessionState({"settings": {}, "client": {}, "turn": None, **kept["state"]}, kept["version"])
        known = self.state.get("conversation", "id")
        self.conversation = Conversation(parts.journal, known if isinstance(known, str) else self._begin())

    def begin_conversation(self) -> None:
        """From here on the model remembers nothing of before."""
        self.conversation = Conversation(self._parts.journal, self._begin())

    def reads(self) -> ConversationReads:
        return ConversationReads(self._parts.journal, self.conversation.conversation_id)

    def set(self, path: Sequence[str], value: Any) -> None:
        delta = self.state.set(path, value)
        if delta is not None:
            self._tell(delta.to_wire())

    def update(self, based_on: int, path: Sequence[str | int], value: Any) -> dict[str, Any]:
        delta = self.state.update(based_on, path, value)
        if delta is None:
            return {"type": "delta", "version": self.state.version, "path": list(path), "value": value}
        self._tell(delta.to_wire())
        return delta.to_wire()

    async def deltas(self) -> AsyncGenerator[Message]:
        async for message in self._deltas.messages():
            yield message

    def _begin(self) -> str:
        conversation_id = new_id("conv")
        self.set(["conversation"], {"id": conversation_id, "startedAt": self._parts.clock.now()})
        return conversation_id

    def _tell(self, message: Message) -> None:
        # Durable before it is told: a version that a client has seen is never given to something else.
        self._parts.journal.put_state(_STATE_KEY, self.state.snapshot())
        self._deltas.publish(message)
