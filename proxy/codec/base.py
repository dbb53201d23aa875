"""What a dialect is: the two halves, and the data that passes between them and the shell.

Everything here is sans-IO: a half turns bytes into data and data into bytes. It holds no clock, no
randomness, no logger and no setting but what it is handed. A dialect may have either half or both;
the registry lists them.

    client half    parse_request   Incoming -> Parsed
                   encoder         Parsed -> Encoder
                   whole           WholeAnswer -> Reply
                   render_error    Failure -> Reply
                   models          names -> Reply
    upstream half  build_request   ChatRequest, TargetConfig -> Outgoing
                   decoder         options -> Decoder
                   parse_error     status, headers, body -> Failure
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

from proxy.codec.fold import WholeAnswer
from proxy.errors import Failure
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

    `notes` are losses already known: what the client's dialect says and ours cannot.
    """

    request: ChatRequest
    options: Any = None
    notes: tuple[Note, ...] = ()


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
    """An HTTP request for an upstream. `path` is appended to the configured base URL."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    notes: tuple[Note, ...] = ()
    method: str = "POST"
    sign: Signing | None = None


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

    @abstractmethod
    def encode(self, event: Event) -> bytes:
        """The frames for one event. A StreamEnd or StreamError gives all that ends the stream in
        this dialect.
        """

    def joined(self, frames: Sequence[bytes]) -> bytes:
        """What several events gave, to go out in one write."""
        return b"".join(frames)


class Route(NamedTuple):
    """A path where clients of a dialect call, in aiohttp's pattern syntax."""

    method: Literal["GET", "POST"]
    path: str


class ClientHalf(ABC):
    """The side that clients see."""

    name: ClassVar[str]
    routes: ClassVar[Sequence[Route]]
    rewrites: ClassVar[bool] = False  # whether its encoder can take text back (text.rewrite)

    listing: ClassVar[str] = ""  # the path where its SDK asks for the models; "" where it has none
    other_listings: ClassVar[Sequence[str]] = ()  # where other versions of its SDK ask

    # a dialect that shares a path looks at the body
    def claims(self, incoming: Incoming) -> bool:  # noqa: ARG002
        """Whether a request on a path that several dialects share is this one's. The first in the
        registry gets what nobody claims.
        """
        return False

    @abstractmethod
    def parse_request(self, incoming: Incoming) -> Parsed:
        """Raises Refused, with the field named, for anything that is not a good request."""

    @abstractmethod
    def encoder(self, parsed: Parsed) -> Encoder:
        """A fresh encoder for one streamed answer."""

    @abstractmethod
    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:
        """The same answer as one document, for `stream: false`. The answer is complete."""

    # a dialect that shares its listing's path looks at the headers
    def lists(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002
        """Whether a request on a listing path that several dialects share is this one's. The first
        in the registry gets the rest.
        """
        return False

    def models(self, names: Sequence[str], created: int) -> bytes:  # noqa: ARG002
        """The models as JSON in this vendor's form, for a dialect with a `listing`. `created`, in
        unix seconds, stands for all.
        """
        return b"[]"

    @abstractmethod
    def render_error(self, failure: Failure) -> Reply:
        """An error before the first byte, in the vendor's shape and status, so that its SDK raises
        what its users know.
        """


class UpstreamHalf(ABC):
    """The side that vendors see."""

    name: ClassVar[str]
    rewrites: ClassVar[bool] = False  # whether its vendor may take text back
    # whether its vendor's answer only says where the stream is: see `follow`
    follows: ClassVar[bool] = False

    @abstractmethod
    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        """Raises Refused for what cannot be formed at all; what can only not be said is a note."""

    @abstractmethod
    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:
        """A fresh decoder for one answer. `options` are the target's."""

    @abstractmethod
    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        """What a non-streamed answer says went wrong. With a status of 400 or more it always finds
        a failure, whatever the body (HTML, empty, cut); below that, None means the body is no
        error. Header names are lower case.
        """

    # only for a dialect that `follows`
    def follow(self, target: TargetConfig, body: bytes) -> Outgoing | None:  # noqa: ARG002
        """What to ask for the stream, by a whole answer that is no error: a GET whose `path` is the
        absolute URL that the vendor gave. None: the answer gives none. The shell calls it only
        where it is the upstream's own (`proxy/relay/follow.py`), and with its headers, so the key
        may be among them.
        """
        return None


class Dialect(NamedTuple):
    """One wire format. Each dialect's package exposes one of these as DIALECT."""

    name: str
    client: ClientHalf | None = None
    upstream: UpstreamHalf | None = None
