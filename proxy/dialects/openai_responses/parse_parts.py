"""The parts of a client's messages, and of its tools' outputs, to ours."""

from collections.abc import Mapping
from typing import Any

from proxy.codec.json_body import fitted
from proxy.codec.media import data_url
from proxy.codec.note_once import note_once
from proxy.dialects.openai_responses.wire_request import WirePart
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import AudioPart, Cache, DocumentPart, ImagePart, ResultPart, TextPart

TEXT = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})
_KEYS = frozenset(WirePart.__struct_fields__)
# What comes back with an answer's text, and asks for nothing.
_GIVEN = frozenset({"annotations", "logprobs"})
OTHER_KEYS = Note(
    "dropped",
    "input.other_keys",
    "Keys of input items that other vendors have no place for were left out.",
)
_UNKNOWN = Note(
    "dropped",
    "input.unknown_part",
    "Parts of a kind that only the vendor itself knows were left out.",
)
_KEPT = "a file that the vendor keeps is known to the vendor alone: send its content, as {} does"


class Parts:
    """Reads parts. `notes` gains what is lost, `kept` the refusals (param, message) of what only
    the vendor itself can know, such as its own files.
    """

    def __init__(self, notes: list[Note], kept: list[tuple[str, str]]) -> None:
        self._notes = notes
        self._kept = kept

    def read(self, said: dict[str, Any], at: str) -> ResultPart | None:
        """One part; None for what can only be relayed. Raises Refused for one that is none."""
        if not isinstance(said.get("type"), str):
            raise bad_request(f"{at}.type must be text.", param=f"{at}.type")
        if said["type"] in TEXT | {"refusal", "input_image", "input_file", "input_audio"}:
            part = fitted(said, WirePart, at)
            if any(k not in _KEYS and v and k not in _GIVEN for k, v in said.items()):
                self.note(OTHER_KEYS)
            return self._part(part, at)
        self.note(_UNKNOWN)
        return None

    def note(self, note: Note) -> None:
        """A loss, once."""
        note_once(self._notes, note)

    def _part(self, part: WirePart, at: str) -> ResultPart | None:
        mark = _mark(part.prompt_cache_breakpoint)
        if part.type in TEXT:
            return TextPart(_needed(part.text, f"{at}.text", part), mark)
        if part.type == "refusal":
            return TextPart(_needed(part.refusal, f"{at}.refusal", part))
        if part.file_id is not None and not (part.image_url or part.file_data or part.file_url):
            other = "image_url" if part.type == "input_image" else "file_data"
            self._kept.append((f"{at}.file_id", _KEPT.format(other)))
            return None
        if part.type == "input_image":
            detail = None if part.detail == "auto" else part.detail
            return ImagePart(_needed(part.image_url, f"{at}.image_url", part), detail, mark)
        if part.type == "input_file":
            if part.detail not in (None, "auto"):
                self.note(OTHER_KEYS)
            url = part.file_url or _file(_needed(part.file_data, f"{at}.file_data", part))
            return DocumentPart(url, part.filename, None, mark)
        sound = _needed(part.input_audio, f"{at}.input_audio", part)
        return AudioPart(data_url(f"audio/{sound.format}", sound.data))


def _file(data: str) -> str:
    """`file_data` is a data: URL; without its head it is a PDF, as the vendor takes it to be."""
    return data if data[:5].lower() == "data:" else data_url("application/pdf", data)


def _needed(value: Any, at: str, part: WirePart) -> Any:
    if value is None:
        raise bad_request(f"{at} is required in a part of type {part.type}.", param=at)
    return value


def _mark(said: Mapping[str, Any] | None) -> Cache | None:
    if said is None:
        return None
    ttl = said.get("ttl")
    return Cache(ttl if isinstance(ttl, str) else None)
