"""What is no chunk of strict JSON in an event of its own, and what can be made of it."""

from typing import Any, NoReturn

import msgspec

from proxy.codec.lenient_json import NotJSONError, loads, several, shown
from proxy.codec.openai.errors import VendorError, in_band, vendor_error
from proxy.codec.openai.native_forms import in_openais_form
from proxy.codec.tolerant import MisfitError, tolerant
from proxy.dialects.openai_chat.wire import Chunk
from proxy.errors import Failure, failure

DONE = b"[DONE]"
_NULL = b"null"
_FIELD = b"data:"
CHUNK = msgspec.json.Decoder(Chunk)


class AnswerError(Exception):
    """The answer is broken; caught at the decoder's edge."""

    def __init__(self, why: Failure) -> None:
        self.why = why


def documents(data: bytes) -> list[Any]:
    """The JSON values in a frame: one, however loosely it is written, or several in a row."""
    # a gateway that frames what is framed already writes the field's name twice
    data = data.strip().removesuffix(DONE).removeprefix(_FIELD).strip()
    if data in (b"", _NULL):  # says nothing, as some keep a connection alive
        return []
    try:
        return _listed(loads(data))
    except NotJSONError as error:
        documents = several(data)
        if documents is not None:
            return documents
        raise AnswerError(malformed("The upstream sent a frame that is not JSON", data)) from error


def _listed(said: Any) -> list[Any]:
    """Chunks, of which some servers write a list into one event."""
    if isinstance(said, list) and all(
        isinstance(each, dict) and "choices" in each for each in said
    ):
        return said
    return [said]


def tolerated(document: Any, data: bytes) -> Chunk:
    """A document as a chunk, without the fields that are of a wrong type."""
    if isinstance(document, dict):
        _put_finishes_in_words(document)
        try:
            return tolerant(document, Chunk)
        except (MisfitError, RecursionError):
            pass
    found = vendor_error(document)
    if found is not None:
        raise AnswerError(in_band(found))
    raise AnswerError(malformed("The upstream sent a chunk that cannot be understood", data))


def _put_finishes_in_words(document: dict[str, Any]) -> None:
    """SGLang's own finish reason is an object, which some of its servers let through."""
    match document.get("choices"):
        case list(choices):
            for choice in choices:
                match choice:
                    case {"finish_reason": {"type": str(word)}}:
                        choice["finish_reason"] = word


def misunderstood(error: Exception, data: bytes) -> AnswerError:
    """What ends an answer of which a part cannot be read."""
    said = f"The upstream sent a chunk that cannot be understood ({error})"
    return AnswerError(malformed(said, data))


def malformed(said: str, data: bytes) -> Failure:
    """The failure of an upstream that sent this."""
    return failure("upstream_malformed", f"{said}: {shown(data)}")


def no_choices(data: bytes) -> Chunk | None:
    """An object that has no choices: an error by another name, a chunk of the server's own API, or
    a vendor's aside, for which there is None.
    """
    document = loads(data)
    found = vendor_error(document)
    if found is not None:
        raise AnswerError(in_band(found))
    native = in_openais_form(document)
    return None if native is None else tolerated(native, data)


def error_event(data: bytes) -> NoReturn:
    """A frame named `error` (Groq) is one whatever it holds."""
    try:
        found = vendor_error(loads(data), certain=True)
    except NotJSONError:
        found = VendorError(f"The upstream reported an error: {shown(data)}")
    raise AnswerError(in_band(found or VendorError("")))
