"""The client half: `GET /data?prompt=` for a page's native EventSource, `POST /data` with
`{"prompt": ...}` for the rest.
"""

from typing import NamedTuple

import msgspec

from proxy.codec.base import ClientHalf, Encoder, Incoming, Parsed, Reply, Route
from proxy.codec.fold import WholeAnswer
from proxy.codec.json_body import fitted, json_object
from proxy.codec.text_only import unknown_keys
from proxy.dialects.plain.encode import PlainEncoder
from proxy.dialects.plain.wire import DONE, PATH, Body
from proxy.errors import Failure, bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Message

# What is asked for when the client names no model: an operator gives it a row in `models`.
DEFAULT_MODEL = "plain"
_NO_TERMINATOR = "none"


class Options(NamedTuple):
    """`done` is the data of the last frame, None for no such frame."""

    done: str | None = DONE


class PlainClient(ClientHalf):
    """Other dialects share the POST path; what none of them claims is taken to be this one."""

    name = "plain"
    routes = (Route("GET", PATH), Route("POST", PATH))

    def parse_request(self, incoming: Incoming) -> Parsed:
        """`prompt` is required, in the body or the query; `system`, `model`, `done` and (in a body)
        `stream` may be given too.
        """
        query = {
            key: incoming.query[key]
            for key in ("prompt", "system", "model", "done")
            if key in incoming.query
        }
        document = json_object(incoming.body) if incoming.body.strip() else {}
        body = fitted({**query, **document}, Body)
        notes: tuple[Note, ...] = unknown_keys(document, Body)
        if not body.prompt:
            raise bad_request(
                'prompt is missing: send ?prompt=... or the body {"prompt": "..."}.', param="prompt"
            )
        done = None if body.done == _NO_TERMINATOR else body.done or DONE
        request = ChatRequest(
            model=body.model or DEFAULT_MODEL,
            messages=[Message("user", body.prompt)],
            system=body.system or None,
            stream=body.stream is not False,
        )
        return Parsed(request, Options(done), notes)

    def encoder(self, parsed: Parsed) -> Encoder:
        options = parsed.options if isinstance(parsed.options, Options) else Options()
        return PlainEncoder(options.done)

    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:  # noqa: ARG002
        return Reply(
            200, answer.text().encode("utf-8", "replace"), content_type="text/plain; charset=utf-8"
        )

    def render_error(self, failure: Failure) -> Reply:
        """The form of the framework that such servers are written with: `{"detail": "..."}`."""
        return Reply(failure.status, msgspec.json.encode({"detail": failure.message}))
