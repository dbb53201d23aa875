"""A client's `contents` to our turns, part by part.

The SDKs' chats keep one content for each chunk of an answer, so neighbouring contents of the model
are one turn of ours, their texts joined. Calls and results without an id, as this vendor often
leaves them, find each other by the function's name, in order. Parts that cannot be carried are
dropped with a note; parts with a missing or wrong field are refused, the field named.
"""

import re
from typing import Any

import msgspec
from msgspec.structs import replace

from proxy.codec.chat_turns import drop
from proxy.codec.json_body import fitted
from proxy.codec.media import data_url, is_document
from proxy.codec.open_calls import OpenCalls
from proxy.dialects.gemini.signatures import Signed, from_wire
from proxy.dialects.gemini.wire_request import (
    Blob,
    Call,
    FileData,
    Result,
    ResultMedia,
    WireContent,
    WirePart,
    fields,
)
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Message,
    OnlyRelayed,
    Part,
    ReasoningPart,
    ResultPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

ROLES = ("user", "model", "function")
# Files that the vendor keeps: of its Files API, and of Google's storage.
_KEPT = re.compile(r"gs://|https://[a-z0-9.-]+\.googleapis\.com/[a-z0-9]+/files/|files/")
_VIDEO = re.compile(r"https?://(?:[a-z]+\.)?(?:youtube\.com|youtu\.be)/")
_AT_GOOGLE = "it is a file that Google keeps, which only Google reads: send its data, as inlineData"
_NOTHING_LEFT = "it holds only what no other vendor can be told, such as a video: say it in words"
_STANDARD = str.maketrans("-_", "+/")
_BY_VENDOR = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
_KNOWN = fields(WirePart)
_WITHIN = {"functionCall": fields(Call), "functionResponse": fields(Result)}


class Turns:
    """The turns of one request. Appends to `notes`, each loss once; `only_relayed` is why only this
    vendor can answer it.
    """

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes
        self.only_relayed: OnlyRelayed | None = None
        self._calls = 0
        self._open = OpenCalls()

    def keep(self, param: str, why: str) -> None:
        """Only this vendor can answer the request; the first reason counts."""
        self.only_relayed = self.only_relayed or OnlyRelayed(param, why)

    def system(self, content: WireContent | str | None) -> str | None:
        """The text of a system instruction."""
        if content is None or isinstance(content, str):
            return content or None
        parts = self._content(content, "systemInstruction")
        texts = [part.text for part in parts if isinstance(part, TextPart)]
        if len(texts) < len(parts):
            drop(self._notes, "system", "Of a system instruction the text alone is sent.")
        return "\n\n".join(texts) or None

    def messages(self, contents: list[WireContent]) -> list[Message]:
        """The turns. Raises Refused."""
        model: list[Part] = []
        out: list[Message] = []
        for at, content in enumerate(contents):
            role = content.role or "user"
            if role not in ROLES:
                raise bad_request(
                    f"contents[{at}].role must be user or model; what the system says stands in "
                    "systemInstruction.",
                    param=f"contents[{at}].role",
                )
            parts = self._content(content, f"contents[{at}]")
            if at == len(contents) - 1 and not parts and any(map(_says, content.parts or ())):
                self.keep(f"contents[{at}]", _NOTHING_LEFT)
            if role == "model":
                model = _with_results(model, parts, out)
                continue
            _flush(model, out)
            model = []
            results: list[Part] = [part for part in parts if isinstance(part, ToolResultPart)]
            rest: list[Part] = [part for part in parts if not isinstance(part, ToolResultPart)]
            out += [Message("tool", results)] if results else []
            out += [Message("user", rest)] if rest else []
        _flush(model, out)
        return out

    def _content(self, content: WireContent, at: str) -> list[Part]:
        out: list[Part] = []
        for number, part in enumerate(content.parts or ()):
            out += self._part(part, f"{at}.parts[{number}]")
        return out

    def _part(self, value: dict[str, Any], at: str) -> list[Part]:
        part = fitted(value, WirePart, at)
        proof = from_wire(part.thought_signature) if part.thought_signature else None
        if part.thought and part.text is not None:
            return [_reasoning(part.text, proof)]
        said = self._said(part)
        if isinstance(said, ToolCallPart) and proof is not None and proof.of_call:
            return [replace(said, signature=proof.signature, format=proof.format)]
        signed: list[Part] = [] if proof is None else [_reasoning("", proof)]
        beside = not value.keys() <= _KNOWN or any(
            not (value.get(name) or {}).keys() <= known for name, known in _WITHIN.items()
        )
        if beside and said is not None:
            drop(self._notes, "unknown_part", "What is said of a part beside it was left out.")
        if said is not None:
            return [*signed, said]
        if part.text is None and not value.keys() <= _KNOWN:
            by_vendor = any(key in value for key in _BY_VENDOR)
            why = (
                "What Gemini's own tools did in earlier turns is left out."
                if by_vendor
                else "A part of a kind that is not known was left out."
            )
            drop(self._notes, "server_tools" if by_vendor else "unknown_part", why)
        return signed

    def _said(self, part: WirePart) -> Part | None:
        if part.text:
            return TextPart(part.text)
        if part.inline_data is not None:
            return self._inline(part.inline_data)
        if part.file_data is not None:
            return self._file(part.file_data)
        if part.function_call is not None:
            return self._call(part.function_call)
        if part.function_response is not None:
            return self._result(part.function_response)
        return None

    def _inline(self, blob: Blob) -> ImagePart | DocumentPart | AudioPart | None:
        # the SDKs write base64's other alphabet
        url = data_url(blob.mime_type, blob.data.translate(_STANDARD))
        kind = blob.mime_type.lower()
        if kind.startswith("image/"):
            return ImagePart(url)
        if kind.startswith("audio/"):
            return AudioPart(url)
        if is_document(kind):
            return DocumentPart(url, blob.display_name)
        drop(self._notes, "inline_data", "Video, and data of other kinds, cannot be carried.")
        return None

    def _file(self, file: FileData) -> ImagePart | DocumentPart | None:
        kind = file.mime_type.lower()
        picture = kind.startswith("image/") or (not kind and not _VIDEO.match(file.file_uri))
        if not picture and not is_document(kind):
            drop(self._notes, "file_data", "Of files only images and documents can be carried.")
            return None
        if _KEPT.match(file.file_uri):
            self.keep("fileData.fileUri", _AT_GOOGLE)
        if picture:
            return ImagePart(file.file_uri)
        return DocumentPart(file.file_uri, file.display_name)

    def _call(self, call: Call) -> Part:
        call_id = call.id or f"call_{self._calls}"
        self._calls += 1
        self._open.add(call_id, call.name)
        return ToolCallPart(call_id, call.name, msgspec.json.encode(call.args or {}).decode())

    def _result(self, result: Result) -> Part:
        found = self._open.take_id(result.id) if result.id else self._open.take_name(result.name)
        text, is_error = _answer(result.response or {})
        # one that no earlier turn calls may be in the vendor's cache
        call_id = found or result.id or f"call_{result.name}"
        media = [self._media(each) for each in result.parts or ()]
        kept: list[ResultPart] = [each for each in media if each is not None]
        if not kept:
            return ToolResultPart(call_id, text, is_error)
        return ToolResultPart(call_id, [TextPart(text), *kept] if text else kept, is_error)

    def _media(self, part: ResultMedia) -> ImagePart | DocumentPart | AudioPart | None:
        if part.inline_data is not None:
            return self._inline(part.inline_data)
        return None if part.file_data is None else self._file(part.file_data)


def _says(part: dict[str, Any]) -> bool:
    """Whether a part is more than an empty text or a thought."""
    return not part.get("thought") and any(
        value not in (None, "", {}) and key != "thoughtSignature" for key, value in part.items()
    )


def _reasoning(text: str, proof: Signed | None) -> ReasoningPart:
    if proof is None:
        return ReasoningPart(text)
    return ReasoningPart(text, proof.signature, proof.redacted, proof.format, proof.name)


def _answer(response: dict[str, Any]) -> tuple[str, bool]:
    """A function's answer as text: that of its `output` (the SDKs write `result`), or of its
    `error`, or all of it as JSON.
    """
    if len(response) == 1:
        key, value = next(iter(response.items()))
        if key in ("output", "result", "error"):
            return value if isinstance(value, str) else msgspec.json.encode(
                value
            ).decode(), key == "error"
    return msgspec.json.encode(response).decode(), False


def _flush(parts: list[Part], out: list[Message]) -> None:
    """The model's turn: neighbouring pieces of text and of one thought joined, and a signature
    joined to the thought before it.
    """
    runs: list[list[Part]] = []
    for part in parts:
        if runs and _goes_on(runs[-1][-1], part):
            runs[-1].append(part)
        else:
            runs.append([part])
    if runs:
        out.append(Message("assistant", [_joined(run) for run in runs]))


def _with_results(model: list[Part], parts: list[Part], out: list[Message]) -> list[Part]:
    """What the model said, and answers to its calls where they stand among it, as some clients send
    them: the turns up to the last of these. Answers what follows it.
    """
    model = [*model]
    results: list[Part] = []
    for part in parts:
        if isinstance(part, ToolResultPart):
            _flush(model, out)
            model = []
            results.append(part)
            continue
        if results:
            out.append(Message("tool", results))
            results = []
        model.append(part)
    if results:
        out.append(Message("tool", results))
    return model


def _goes_on(last: Part, part: Part) -> bool:
    if isinstance(last, ReasoningPart):
        return last.signature is None and isinstance(part, ReasoningPart) and not part.redacted
    return isinstance(last, TextPart) and isinstance(part, TextPart)


def _joined(run: list[Part]) -> Part:
    last = run[-1]
    if len(run) == 1 or not isinstance(last, TextPart | ReasoningPart):
        return last
    text = "".join(part.text for part in run if isinstance(part, TextPart | ReasoningPart))
    if isinstance(last, TextPart):
        return TextPart(text)
    return replace(last, text=text)
