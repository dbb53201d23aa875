"""`GET /data?prompt=` of a page's native EventSource, or `POST /data` with `{"prompt": ...}` of the
rest, to a `ChatRequest`.
"""

from typing import NamedTuple

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object
from proxy.codec.text_only import unknown_keys
from proxy.dialects.plain.wire import DONE, NAME, Body
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Message, Original

# What is asked for when the client names no model: an operator gives it a row in `models`.
DEFAULT_MODEL = "plain"
_NO_TERMINATOR = "none"
# The smallest servers answer whoever asks nothing, and so their pages send nothing.
_GREETING = "Hello!"
_GREETED = Note("defaulted", "prompt", "No prompt was given; a greeting was sent.")


class Options(NamedTuple):
    """`done` is the data of the last frame, None for no such frame."""

    done: str | None = DONE


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`. `prompt` stands in the body or the query; who sends no body
    may leave it out. `system`, `model`, `done` and (in a body) `stream` may be given too.
    """
    query = {
        key: incoming.query[key]
        for key in ("prompt", "system", "model", "done")
        if key in incoming.query
    }
    document = json_object(incoming.body) if incoming.body.strip() else {}
    body = fitted({**query, **document}, Body)
    notes: tuple[Note, ...] = unknown_keys(document, Body)
    prompt = body.prompt
    if not prompt:
        if document:
            raise bad_request(
                'prompt is missing: send ?prompt=... or the body {"prompt": "..."}.',
                param="prompt",
            )
        prompt, notes = _GREETING, (_GREETED,)
    done = None if body.done == _NO_TERMINATOR else body.done or DONE
    request = ChatRequest(
        model=body.model or DEFAULT_MODEL,
        messages=[Message("user", prompt)],
        original=Original(NAME, document) if document else None,
        system=body.system or None,
        stream=body.stream is not False,
    )
    return Parsed(request, Options(done), notes)
