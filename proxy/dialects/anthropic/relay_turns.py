"""The turns of a client's own Messages request, as the target takes them: ids and names of tools
that fit, and proofs that its vendor gave.
"""

import sys
from typing import Any

from proxy.codec import proofs
from proxy.codec.mapped import changed, mapped
from proxy.codec.media import Data, true_data
from proxy.codec.note_once import note_once
from proxy.codec.own_ids import OwnIds, Waiting
from proxy.codec.rules import Rules, kept_name, renamed
from proxy.codec.shared_notes import RENAMED_TOOLS
from proxy.events import Note

_UNSIGNED = Note(
    "dropped",
    "messages.reasoning",
    "Claude takes earlier reasoning back only with its signature.",
)
_FOREIGN = Note(
    "dropped",
    "messages.reasoning",
    "Earlier reasoning of another vendor cannot be shown to this upstream, which did not sign it.",
)
_PLACES = {"thinking": "signature", "redacted_thinking": "data"}


class RelayedTurns:
    """One request. Appends to `notes`; `names` are the names that were changed, as sent, to the
    client's; `lost_reasoning` says that earlier reasoning was left out. The turns were read before,
    so that blocks are objects and ids are text.
    """

    def __init__(self, rules: Rules, notes: list[Note]) -> None:
        self._rules = rules
        self._notes = notes
        self.names: dict[str, str] = {}
        self.lost_reasoning = False
        self._at = 0  # the number of the turn
        self._ids = OwnIds(sys.maxsize)  # a request is bounded
        self._waiting = Waiting[str]()  # the calls' own ids

    def mended(self, messages: list[Any]) -> list[Any]:
        """The turns. One of which nothing is left, or that never said anything, is left out, but
        for the newest. What fits stays the very same object.
        """
        turns = [self._turn(turn) for turn in messages]
        said = [turn for turn in turns[:-1] if turn is not None and not _is_blank(turn)]
        return said + [turn for turn in turns[-1:] if turn is not None]

    def named(self, holder: Any, key: str = "name") -> Any:
        """A tool, a choice or a call, with a name that fits."""
        name = holder.get(key) if isinstance(holder, dict) else None
        short = kept_name(self._rules.tool_name, name, self.names)
        if short == name:
            return holder
        note_once(self._notes, RENAMED_TOOLS)
        return {**holder, key: short}

    def _turn(self, turn: Any) -> Any:
        self._at += 1
        content = turn.get("content") if isinstance(turn, dict) else None
        if not isinstance(content, list):
            return turn
        blocks = mapped(content, self._block)
        if blocks is content:
            return turn
        left = [block for block in blocks if block is not None]
        return {**turn, "content": left} if left else None

    def _block(self, block: dict[str, Any]) -> Any:
        match block.get("type"):
            case "tool_use":
                return self.named(self._alone(self._identified(block, "id")))
            case "tool_result":
                return self._result(self._answering(self._identified(block, "tool_use_id")))
            case "thinking" | "redacted_thinking" as kind:
                return self._proved(block, _PLACES[kind])
            case "text" if block.get("text") == "":  # refused, and says nothing
                return None
            case "image":
                return _true(block)
        return block

    def _result(self, block: dict[str, Any]) -> dict[str, Any]:
        """A result may name tools that were found."""
        content = block.get("content")
        found = mapped(content, self._found)
        return block if found is content else {**block, "content": found}

    def _found(self, block: Any) -> Any:
        return self.named(block, "tool_name") if _is_reference(block) else _true(block)

    def _identified(self, block: dict[str, Any], key: str) -> dict[str, Any]:
        short = renamed(self._rules.call_id, block.get(key))
        return block if short is None else {**block, key: short}

    def _alone(self, call: dict[str, Any]) -> dict[str, Any]:
        """A call with an id that no other has: servers that count theirs from 0 in every answer
        give each turn the same, and this vendor refuses them.
        """
        own = call["id"]
        made = self._ids.own(own)
        self._waiting.add(own, self._at, made)
        return call if made == own else {**call, "id": made}

    def _answering(self, result: dict[str, Any]) -> dict[str, Any]:
        """A result under the id that its call has now. Results of one turn come as its calls do."""
        own = result["tool_use_id"]
        made = self._waiting.take(own) or own
        return result if made == own else {**result, "tool_use_id": made}

    def _proved(self, block: dict[str, Any], key: str) -> dict[str, Any] | None:
        text = block.get(key)
        if not text:
            if self._rules.unsigned_reasoning is False and key == "signature":
                self._lose(_UNSIGNED)
                return None
            return block
        proof = proofs.read(text, None)
        if proof.call is not None or not proofs.fits(proof.format, self._rules.proofs):
            self._lose(_FOREIGN)
            return None
        return block if proof.text == text else {**block, key: proof.text}

    def _lose(self, note: Note) -> None:
        self.lost_reasoning = True
        note_once(self._notes, note)


def _true(block: Any) -> Any:
    """A picture whose media type is the one that its bytes have, as the vendor looks."""
    match block:
        case {
            "type": "image",
            "source": {"type": "base64", "media_type": str(kind), "data": str(data)} as source,
        }:
            said = Data(kind, data)
            if (true := true_data(said)) is not said:
                right = {**source, "media_type": true.media_type, "data": true.base64}
                return {**block, "source": right}
    return block


def _is_reference(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "tool_reference"


def without_blanks(system: Any) -> Any:
    """What the system says, without texts of white space alone, which the vendor refuses; None
    where nothing is left.
    """
    if isinstance(system, str):
        return None if system.isspace() else system
    if not isinstance(system, list):
        return system
    kept = [block for block in system if not _is_blank_text(block)]
    return changed(system, kept) if kept or not system else None


def _is_blank(turn: Any) -> bool:
    """Whether a turn is white space alone, which the vendor refuses; an empty text only of the
    user.
    """
    content = turn.get("content") if isinstance(turn, dict) else None
    if isinstance(content, str):
        return content.isspace() or (content == "" and turn.get("role") == "user")
    return isinstance(content, list) and bool(content) and all(map(_is_blank_text, content))


def _is_blank_text(block: Any) -> bool:
    text = block.get("text") if isinstance(block, dict) and block.get("type") == "text" else None
    return isinstance(text, str) and not text.strip()
