"""The client half: `POST /data` with `query`, `history` and `data`, as the founding post's report
page calls it.
"""

from typing import NamedTuple

import msgspec

from proxy.codec.base import ClientHalf, Encoder, Incoming, Parsed, Reply, Route
from proxy.codec.fold import WholeAnswer
from proxy.codec.json_body import fitted, json_object
from proxy.codec.text_only import unknown_keys
from proxy.dialects.chatglm.encode import ChatGLMEncoder, printed_time
from proxy.dialects.chatglm.wire import REPORT_PATH, Request
from proxy.errors import Failure, Refused, bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Message

# What is asked for when the client names no model: an operator gives it a row in `models`.
DEFAULT_MODEL = "chatglm"


class Options(NamedTuple):
    """What api.py's whole answer repeats."""

    query: str = ""
    history: tuple[tuple[str, str], ...] = ()


class ChatGLMClient(ClientHalf):
    """`model` comes from the body or the query, `stream: false` asks for `api.py`'s form of
    answer.
    """

    name = "chatglm"
    routes = (Route("POST", REPORT_PATH),)
    rewrites = True

    def claims(self, incoming: Incoming) -> bool:
        try:
            return "query" in json_object(incoming.body)
        except Refused:
            return False

    def parse_request(self, incoming: Incoming) -> Parsed:
        document = json_object(incoming.body)
        asked = fitted(document, Request)
        question, notes = _question(asked)
        talk = [
            message
            for q, a in asked.history
            for message in (Message("user", q), Message("assistant", a))
        ]
        request = ChatRequest(
            model=asked.model or incoming.query.get("model") or DEFAULT_MODEL,
            messages=[*talk, Message("user", question)],
            max_tokens=asked.max_length,
            temperature=asked.temperature,
            top_p=asked.top_p,
            stream=asked.stream is not False,
        )
        return Parsed(
            request,
            Options(asked.query, tuple(asked.history)),
            (*notes, *unknown_keys(document, Request)),
        )

    def encoder(self, parsed: Parsed) -> Encoder:  # noqa: ARG002  every client gets the same form
        return ChatGLMEncoder()

    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:
        options = parsed.options if isinstance(parsed.options, Options) else Options()
        text = answer.text()
        document = {
            "response": text,
            "history": [*options.history, (options.query, text)],
            "status": 200,
            "time": printed_time(answer.start.created if answer.start is not None else 0),
        }
        return Reply(200, msgspec.json.encode(document))

    def render_error(self, failure: Failure) -> Reply:
        """The framework's form: 422 and the place for a field, else `{"detail": "..."}` with the
        status.
        """
        if failure.kind == "bad_request" and isinstance(failure.param, str):
            row = {
                "type": "value_error",
                "loc": ["body", *failure.param.split(".")],
                "msg": failure.message,
            }
            return Reply(422, msgspec.json.encode({"detail": [row]}))
        return Reply(failure.status, msgspec.json.encode({"detail": failure.message}))


def _question(asked: Request) -> tuple[str, tuple[Note, ...]]:
    """The server writes its prompt around `data`; here the model reads it as JSON after the
    question.
    """
    if not asked.data:
        if not asked.query:
            raise bad_request("query must not be empty when there is no data.", param="query")
        return asked.query, ()
    data = msgspec.json.encode(asked.data).decode()
    note = Note("changed", "data", "The data is sent as JSON after the question.")
    return (f"{asked.query}\n\n{data}" if asked.query else data), (note,)
