"""The data that passes between a dialect's two halves (`halves.py`) and the shell, and what a
decoder and an encoder are.

Everything here is sans-IO. It has no clock, no randomness, no logger and no setting but its
arguments.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from proxy.codec.rules import NO_RULES, Rules
from proxy.events import Event, Note, Usage
from proxy.request import ChatRequest

SSE = "text/event-stream; charset=utf-8"
NDJSON = "application/x-ndjson"
JSON = "application/json"
# A comment and ONE newline: with a blank line after it, fetch-event-source delivers an empty
# message.
SSE_COMMENT = b": ping\n"


class Incoming(NamedTuple):
    """A client's HTTP request, read whole. `path` holds the route's variables, `headers` has
    lower-case names.
    """

    method: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Parsed(NamedTuple):
    """What a client asked, and what only its own encoder needs to know (`options`, of that
    dialect's own type).

    `notes` are losses already known: what the client's dialect says and ours cannot. `chat` is the
    client's own name for what it asks, by which it may come back to the stream (see `resuming.py`).
    `keeping` is what else it asks where answers are kept.
    """

    request: ChatRequest
    options: Any = None
    notes: tuple[Note, ...] = ()
    chat: str = ""
    keeping: "Callable[[], Keeping] | None" = None


class Keeping(NamedTuple):
    """A request where answers are kept. `parsed` is the request as it is then; its `options`, which
    are kept with the answer, hold so many `bytes` of it.

    `background`: its client does not wait, and is told at once that an answer is being made.
    """

    parsed: Parsed
    bytes: int = 0
    background: bool = False
    earlier: "Earlier | None" = None


class KeptStream(NamedTuple):
    """A stream of this dialect that is kept: the options of its request, and its events so far."""

    options: Any
    events: Sequence[Event]


class Earlier(NamedTuple):
    """The earlier answers that a request goes on from, or names pieces of: the ids of their
    streams. `behind` gives the request with what was said there in its place, from those that are
    kept, by their ids, and the ids of those that are kept for somebody else. It raises Refused.
    """

    streams: tuple[str, ...]
    behind: Callable[[Mapping[str, KeptStream], Collection[str]], Keeping]


class Reply(NamedTuple):
    """A whole HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    content_type: str = JSON


class TargetConfig(NamedTuple):
    """Where a request goes: what build_request may know of the configured upstream.

    `model` is the vendor's name for the model, "" when the client's own name is to be passed on.
    `options` are the dialect's own settings (a cookie, a mode); the keys are documented at each
    build_request.
    """

    upstream: str
    model: str
    api_key: str | None = None
    options: Mapping[str, Any] = {}
    rules: Rules = NO_RULES


class Signing(NamedTuple):
    """The signature that the shell, which has a clock, is to put on a request: AWS's version 4, for
    this service.

    What is None comes from the environment, as AWS's own tools take it (see
    `proxy/upstream/signing.py`).
    """

    service: str
    region: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None


class Outgoing(NamedTuple):
    """An HTTP request for an upstream. `path` is appended to the configured base URL.

    `relayed`: the body is the client's own, so what parsing it into a ChatRequest lost is not lost.
    `tool_names`: the names of tools that were changed because the target refuses them, as sent, to
    the client's: the answer gets the client's back. `custom_tools`: the client's names of tools
    that take free text and were sent as functions: their calls are custom again in the answer.
    """

    path: str
    body: bytes
    headers: Mapping[str, str]
    notes: tuple[Note, ...] = ()
    method: str = "POST"
    sign: Signing | None = None
    relayed: bool = False
    tool_names: Mapping[str, str] = {}
    custom_tools: frozenset[str] = frozenset()


class Decoder(ABC):
    """An upstream's bytes to events, for any split of the bytes. Keeps the grammar in
    `proxy/events.py`.

    It never raises: what it cannot read becomes one StreamError (`upstream_malformed`), and after a
    terminal event it ignores all further input. It never holds more than `max_event_bytes` of
    unread input. After the last byte, call `close` once.
    """

    done: bool = False  # a terminal event has been given

    @abstractmethod
    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete."""

    @abstractmethod
    def close(self) -> list[Event]:
        """The body ended cleanly: the rest. If no terminal event was given yet, it ends in one:
        `upstream_truncated` unless this dialect has no terminator and the answer was complete.
        """

    @property
    @abstractmethod
    def usage(self) -> Usage:
        """What the vendor has counted so far."""

    @property
    def answer_id(self) -> str:
        """The vendor's own name for the answer, for the log; empty where it gives none."""
        return ""


class OuterDecoder(Decoder):
    """A decoder around another one. A subclass changes its events, and sets `done`."""

    def __init__(self, inner: Decoder) -> None:
        self._inner = inner

    @property
    def usage(self) -> Usage:
        return self._inner.usage

    @property
    def answer_id(self) -> str:
        return self._inner.answer_id


class Encoder(ABC):
    """Events to a client's bytes. `encode` may answer b"" for an event that its dialect has no
    frame for.
    """

    content_type: str = SSE
    heartbeat: bytes = SSE_COMMENT  # b"" where a client would choke on one
    headers: Mapping[str, str] = {}  # beside the content type, for a streamed answer
    # least time between two writes, for clients that take a network read for a message
    min_gap_s: float = 0
    # what it keeps, to say it again or whole: such an answer's size is bounded
    gathers: frozenset[type[Event]] = frozenset()
    # whether fewer events that say the same will do for those that are not kept any more
    folds: bool = True

    @abstractmethod
    def encode(self, event: Event) -> bytes:
        """The frames for one event. A StreamEnd or StreamError gives all that ends the stream in
        this dialect.
        """

    def encode_all(self, events: Sequence[Event]) -> bytes:
        """The frames for several events, to go out in one write. Where a frame says the whole
        answer so far, only the newest is made.
        """
        return self.joined([*map(self.encode, events)])

    def seek(self, stream: str, number: int, step: int = 1) -> bool:  # noqa: ARG002  most have no numbers
        """The next event of this stream has this number, each further one `step` more: the client
        has those before. False: this dialect's clients cannot begin in the middle.
        """
        return False

    def joined(self, frames: Sequence[bytes]) -> bytes:
        """What several events gave, to go out in one write."""
        return b"".join(frames)


class Route(NamedTuple):
    """A path where clients of a dialect call, in aiohttp's pattern syntax."""

    method: Literal["GET", "POST", "DELETE"]
    path: str


class Listed(NamedTuple):
    """A model that a client may ask for. `rules` are those of its first target, with limits that
    hold for all of its targets.
    """

    name: str
    rules: Rules = NO_RULES


class Models(NamedTuple):
    """The models that one client may ask for. `find` gives one by its name, also where only "*"
    leads to it, and raises Refused. `created`, in unix seconds, stands for all.
    """

    listed: Sequence[Listed]
    created: int
    find: Callable[[str], Listed]


class Counting(NamedTuple):
    """How clients of a dialect ask how many tokens a request has.

    `parse` raises Refused. `reply` gives the vendor's answer with this count. `unknown_status` is
    the HTTP status of the error where no target of the model can count.
    """

    routes: tuple[Route, ...]
    parse: Callable[[Incoming], Parsed]
    reply: Callable[[int], bytes]
    unknown_status: int = 404


class Aside(NamedTuple):
    """A path where clients of a dialect ask about models, or about the server. `answer` raises
    Refused.
    """

    route: Route
    answer: Callable[[Incoming, Models], Reply]
