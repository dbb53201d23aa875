"""Tool calls of earlier turns and their results, each call with one result right behind it.

Vendors refuse anything else, each in its own words ("`tool_use` ids were found without
`tool_result` blocks immediately after", "ids must be unique", "messages with role 'tool' must be a
response to a preceding message with 'tool_calls'"). Clients send it nevertheless: after a run that
was broken off, when they shorten a conversation, and where a server counts its ids from 0 in every
answer.
"""

import sys
from collections import deque
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from proxy.codec.note_once import note_once
from proxy.codec.own_ids import OwnIds, Waiting
from proxy.events import Note
from proxy.request import (
    ChatRequest,
    Message,
    Part,
    ResultPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    only_texts,
)

_UNANSWERED = "There is no result of this call."
_MISSING = Note(
    "changed",
    "messages.tool_call",
    "An earlier tool call has no result; the upstream, which wants one, is told just that.",
)
_ORPHAN = Note(
    "changed",
    "messages.tool_result",
    "A tool's result without a call of that id was sent as text.",
)
_TWICE = Note(
    "dropped",
    "messages.tool_result",
    "Of several results of one tool call the last was sent: the upstream takes one.",
)


def paired(request: ChatRequest, notes: list[Note]) -> ChatRequest:
    """The request with messages in which every call has one result, and its own id; the very same
    one where it is so already. A result that comes late stands behind its call.
    """
    if _is_sound(request.messages):
        return request
    return replace(request, messages=list(_Pairing(request.messages, notes).built()))


def _is_sound(messages: list[Message]) -> bool:
    if only_texts(messages):
        return True
    seen = {""}
    waiting: set[str] = set()
    role = ""
    for message in messages:
        begins = message.role == "assistant" and role != "assistant"
        role = message.role
        if waiting and (begins or isinstance(message.content, str)):
            return False
        for part in message.parts:
            if isinstance(part, ToolCallPart):
                if part.id in seen:
                    return False
                seen.add(part.id)
                waiting.add(part.id)
            elif isinstance(part, ToolResultPart):
                if part.id not in waiting:
                    return False
                waiting.remove(part.id)
            elif waiting and role != "assistant":
                return False
    return not waiting


class _Slot(msgspec.Struct):
    """One call, under an id that no other has."""

    id: str
    result: ToolResultPart | None = None


class _Pairing:
    """One conversation. Its results are given to their calls first; then it is written anew."""

    def __init__(self, messages: list[Message], notes: list[Note]) -> None:
        self._messages = messages
        self._notes = notes
        self._slots: deque[_Slot] = deque()  # of all calls, in their order
        self._orphans: deque[bool] = deque()  # of all results, whether it has no call
        self._ids = OwnIds(sys.maxsize)  # a request is bounded
        self._ids.own("")  # no call keeps it
        self._match()

    def built(self) -> Iterator[Message]:
        """The messages. Call it once."""
        owed: list[_Slot] = []  # of the assistant's turn that is being written
        for message in self._messages:
            if message.role != "assistant" and owed:
                yield self._results(owed)
                owed = []
            kept = [new for part in message.parts for new in self._parts(part, owed)]
            if kept or not message.content:
                role = "user" if message.role == "tool" else message.role
                plain = isinstance(message.content, str)
                yield message if plain else Message(role, kept)
        if owed:
            yield self._results(owed)

    def _match(self) -> None:
        waiting = Waiting[_Slot]()
        for turn, message in enumerate(self._messages):
            for part in message.parts:
                if isinstance(part, ToolCallPart):
                    slot = _Slot(self._ids.own(part.id, part.id or "call"))
                    self._slots.append(slot)
                    waiting.add(part.id, turn, slot)
                elif isinstance(part, ToolResultPart):
                    last = waiting.last(part.id)
                    self._orphans.append(last is None)
                    if last is not None:
                        self._give(waiting.take(part.id), last, part)

    def _give(self, slot: _Slot | None, last: _Slot, result: ToolResultPart) -> None:
        if slot is None:
            note_once(self._notes, _TWICE)
        given = slot or last
        given.result = replace(result, id=given.id)

    def _parts(self, part: Part, owed: list[_Slot]) -> list[Part]:
        """What stands in place of a part."""
        match part:
            case ToolCallPart():
                slot = self._slots.popleft()
                owed.append(slot)
                return [replace(part, id=slot.id)]
            case ToolResultPart():
                return [*self._told(part)] if self._orphans.popleft() else []
        return [part]

    def _told(self, result: ToolResultPart) -> list[ResultPart]:
        note_once(self._notes, _ORPHAN)
        return [TextPart(f"The result of an earlier tool call ({result.id}):"), *result.parts]

    def _results(self, slots: list[_Slot]) -> Message:
        return Message("tool", [self._result(slot) for slot in slots])

    def _result(self, slot: _Slot) -> ToolResultPart:
        if slot.result is None:
            note_once(self._notes, _MISSING)
            return ToolResultPart(slot.id, _UNANSWERED, is_error=True)
        return slot.result
