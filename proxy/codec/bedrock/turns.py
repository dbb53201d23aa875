"""Our turns as Converse messages: user and assistant alternate, tool results stand first in a user
turn, no text is blank.
"""

import base64
from collections.abc import Sequence
from typing import Any, Literal

from proxy.codec import proofs
from proxy.codec.bedrock.documents import fit_documents
from proxy.codec.bedrock.media import document_block, image_block
from proxy.codec.chat_turns import drop
from proxy.codec.fillers import BEGINNING, GO_ON
from proxy.codec.media import AUDIO_LOST
from proxy.codec.rules import Names, Rules
from proxy.codec.tool_calls import arguments_object
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    AudioPart,
    Cache,
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    ResultPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

# Of toolUseId, where the target's rules do not say.
_ID = Names(chars="a-zA-Z0-9_-", most=64)
Place = Literal["system", "tools", "messages"]
_NOTHING = "(nothing)"  # a tool's result may be empty, a text may not
_SEE = "(see the document)"  # a document may not stand without a text


def cache_point(cache: Cache) -> dict[str, Any]:
    """What stands behind the part that it marks."""
    ttl = {} if cache.ttl is None else {"ttl": cache.ttl}
    return {"cachePoint": {"type": "default", **ttl}}


class Talk:
    """One request's turns. Appends to `notes`. `called`: the names of the tools that earlier turns
    called, None for a result whose call is not there. Raises Refused for an image whose data is
    none, and where nothing is left to be said.
    """

    def __init__(self, request: ChatRequest, rules: Rules, notes: list[Note]) -> None:
        self._rules = rules
        self._notes = notes
        self._calls: dict[str, str | None] = {}
        system = list(request.system_parts)
        if not system and request.system:
            system = [TextPart(request.system)]
        self.messages: list[dict[str, Any]] = []
        for at, message in enumerate(request.messages):
            if message.role == "system" and not self.messages:
                system += [part for part in message.parts if isinstance(part, TextPart)]
                continue
            self._take(message, f"messages[{at}]")
        if not self.messages:
            raise bad_request("messages must hold a turn that is not empty.", param="messages")
        fit_documents(self.messages, notes)
        for turn in self.messages:
            turn["content"] = _ordered(turn["content"])
        self._unbegun()
        self.system = self._system(system)

    @property
    def called(self) -> list[str | None]:
        return list(self._calls.values())

    def last_call_kinds(self) -> list[str]:
        """`last_kinds` of `proxy.codec.claude.plan`."""
        if self.messages[-1]["role"] != "user":
            return []
        last = next((turn for turn in reversed(self.messages) if turn["role"] == "assistant"), None)
        if last is None or not any("toolUse" in block for block in last["content"]):
            return []
        return ["thinking" if "reasoningContent" in one else "other" for one in last["content"]]

    def marked(
        self, block: dict[str, Any], cache: Cache | None, where: Place = "messages"
    ) -> list[dict[str, Any]]:
        """A block, and behind it its mark for the prompt cache, where the model takes one."""
        if cache is None:
            return [block]
        if self._rules.cache_marks is not True:
            said = "This model takes no marks of the prompt cache."
            drop(self._notes, f"{where}.cache", said)
            return [block]
        return [block, cache_point(cache)]

    def _take(self, message: Message, at: str) -> None:
        if message.role == "system":
            drop(
                self._notes,
                "messages.system",
                "Bedrock takes system texts only before the first turn; a later one is the user's.",
                "changed",
            )
        role = "assistant" if message.role == "assistant" else "user"
        blocks = [
            block
            for number, part in enumerate(message.parts)
            for block in self._blocks(part, f"{at}.content[{number}]")
        ]
        if blocks and not self.messages and role == "assistant":
            said = (
                "Bedrock wants the user to begin; a turn that says no more than that stands first."
            )
            drop(self._notes, "messages", said, "changed")
            self.messages.append({"role": "user", "content": [{"text": BEGINNING}]})
        if blocks and self.messages and self.messages[-1]["role"] == role:
            self.messages[-1]["content"] += blocks
        elif blocks:
            self.messages.append({"role": role, "content": blocks})

    def _blocks(self, part: Part, at: str) -> list[dict[str, Any]]:
        match part:
            case ToolCallPart(id, name, arguments):
                self._calls[id] = name
                if part.signature is not None:
                    said = "What another vendor wants to see again with a call is left out."
                    drop(self._notes, "messages.tool_call.signature", said)
                use = {"name": name, "input": self._arguments(arguments)}
                return self.marked({"toolUse": {"toolUseId": self._id(id), **use}}, part.cache)
            case ToolResultPart(id, _, is_error):
                self._calls.setdefault(id, None)
                result = {"toolUseId": self._id(id), "content": self._result(part, at)}
                result |= {"status": "error"} if is_error else {}
                return self.marked({"toolResult": result}, part.cache)
            case ReasoningPart():
                block = self._reasoning(part)
                return [] if block is None else [block]
        block = self._content(part, at)
        return [] if block is None else self.marked(block, getattr(part, "cache", None))

    def _content(self, part: ResultPart, at: str) -> dict[str, Any] | None:
        """What may stand in a turn and in a tool's result."""
        match part:
            case TextPart(text):
                return {"text": text} if text.strip() else None
            case ImagePart():
                return image_block(part, at, self._notes)
            case DocumentPart():
                return document_block(part, self._notes)
            case AudioPart():
                drop(self._notes, AUDIO_LOST.param, AUDIO_LOST.message)
        return None

    def _result(self, part: ToolResultPart, at: str) -> list[dict[str, Any]]:
        if not part.media:
            return [{"text": part.text if part.text.strip() else _NOTHING}]
        built = [self._content(one, at) for one in part.parts]
        return [block for block in built if block is not None] or [{"text": _NOTHING}]

    def _reasoning(self, part: ReasoningPart) -> dict[str, Any] | None:
        if part.signature is None:
            said = "Bedrock's models take earlier reasoning back only with its signature."
            drop(self._notes, "messages.reasoning", said)
            return None
        if not proofs.fits(part.format, self._rules.proofs or proofs.BEDROCK):
            said = "Earlier reasoning of another vendor cannot be shown to this model."
            drop(self._notes, "messages.reasoning", said)
            return None
        if part.redacted:
            data = base64.b64encode(part.signature.encode("utf-8", "replace")).decode()
            return {"reasoningContent": {"redactedContent": data}}
        text = {"text": part.text, "signature": part.signature}
        return {"reasoningContent": {"reasoningText": text}}

    def _arguments(self, text: str) -> dict[str, Any]:
        value = arguments_object(text)
        if value is None:
            drop(
                self._notes,
                "messages.tool_call",
                "Arguments of an earlier tool call that are no JSON object are wrapped in one.",
                "changed",
            )
            return {"arguments": text}
        return value

    def _id(self, own: str) -> str:
        return (self._rules.call_id or _ID).fitted(own)

    def _system(self, parts: Sequence[TextPart]) -> list[dict[str, Any]]:
        said = [part for part in parts if part.text.strip()]
        if any(part.cache for part in said):
            return [
                block
                for part in said
                for block in self.marked({"text": part.text}, part.cache, "system")
            ]
        text = "\n\n".join(part.text for part in said)
        return [{"text": text}] if text else []

    def _unbegun(self) -> None:
        """A model that takes up no answer that was begun for it is asked to go on with it."""
        last = self.messages[-1]
        plain = all("text" in block or "cachePoint" in block for block in last["content"])
        if self._rules.prefill is False and last["role"] == "assistant" and plain:
            said = "This model takes up no answer that was begun: a turn of the user asks to go on."
            drop(self._notes, "messages.prefill", said, "changed")
            self.messages.append({"role": "user", "content": [{"text": GO_ON}]})
        elif last["role"] == "assistant" and "text" in last["content"][-1]:  # no blanks at its end
            last["content"][-1] = {"text": last["content"][-1]["text"].rstrip()}


def _ordered(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results first, each with its mark behind it; and a text, where there is a document."""
    pairs: list[list[dict[str, Any]]] = []
    for block in blocks:
        if "cachePoint" in block and pairs:
            pairs[-1].append(block)
        else:
            pairs.append([block])
    pairs.sort(key=lambda pair: "toolResult" not in pair[0])
    ordered = [block for pair in pairs for block in pair]
    if any("document" in block for block in ordered) and not any("text" in b for b in ordered):
        ordered.append({"text": _SEE})
    return ordered
