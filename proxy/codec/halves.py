"""What a dialect is: its two halves.

Everything here is sans-IO: a half turns bytes into data (`base.py`) and data into bytes. A half is
a record of functions and constants. A dialect has one half or both; the registry lists them.

    client half    parse_request   Incoming -> Parsed
                   encoder         Parsed -> Encoder
                   whole           WholeAnswer -> Reply
                   render_error    Failure -> Reply
                   models          Listed, ... -> the list of models
                   asides          Incoming, Models -> Reply, for what clients ask beside it
    upstream half  build_request   ChatRequest, TargetConfig -> Outgoing
                   decoder         options -> Decoder
                   parse_error     status, headers, body -> Failure
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from proxy.codec.base import (
    Aside,
    Counting,
    Decoder,
    Encoder,
    Incoming,
    Listed,
    Outgoing,
    Parsed,
    Reply,
    Route,
    TargetConfig,
)
from proxy.codec.example import Example
from proxy.codec.fold import WholeAnswer
from proxy.codec.resuming import Resuming
from proxy.errors import Failure
from proxy.events import Note
from proxy.request import ChatRequest, Original


def never(_: object) -> bool:
    """`ClientHalf.claims` and `.lists` of a dialect that gets only what no other claims."""
    return False


def no_models(_models: Sequence[Listed], _created: int) -> bytes:
    """`ClientHalf.models` of a dialect without a `listing`."""
    return b"[]"


# What an answer may hold beside text: the names of events, or of the kinds of blocks.
Part = Literal["reasoning", "tool_call", "citation", "image"]
TEXT_ALONE: frozenset[Part] = frozenset({"reasoning", "tool_call", "citation", "image"})


class ClientHalf(msgspec.Struct, frozen=True, kw_only=True):
    """The side that clients see."""

    name: str
    routes: tuple[Route, ...]
    example: Example
    rewrites: bool = False  # whether its encoder can take text back (text.rewrite)
    omits: frozenset[Part] = frozenset()  # what its form of a streamed answer has no place for

    # The request, read. Raises Refused, with the field named, for anything that is not a good
    # request.
    parse_request: Callable[[Incoming], Parsed]
    # A fresh encoder for one streamed answer.
    encoder: Callable[[Parsed], Encoder]
    # `Parsed.options` of a client that only reads a stream that another one has asked for.
    watching: Any = None
    resuming: Resuming | None = None
    # The same answer as one document, for `stream: false`. The answer is complete.
    whole: Callable[[Parsed, WholeAnswer], Reply]
    # An error before the first byte, in the vendor's shape and status, so that its SDK raises the
    # exception that its users know.
    render_error: Callable[[Failure], Reply]
    # Whether a request is this dialect's, on a path that several dialects share; it looks at the
    # body and never raises. A request that nobody claims goes to the first in the registry.
    claims: Callable[[Incoming], bool] = never

    listing: str = ""  # the path where its SDK asks for the models; "" where it has none
    other_listings: tuple[str, ...] = ()  # where other versions of its SDK ask
    # Whether a request is this dialect's, on a listing path that several dialects share; it looks
    # at the headers. The first in the registry gets the rest.
    lists: Callable[[Mapping[str, str]], bool] = never
    # The models as JSON in this vendor's form, with one time of creation for all, in unix seconds.
    models: Callable[[Sequence[Listed], int], bytes] = no_models
    # One of them, for `<listing>/<name>`; None: its SDK does not ask so.
    model: Callable[[Listed, int], bytes] | None = None
    asides: tuple[Aside, ...] = ()
    counting: Counting | None = None


def without_options(
    decoder: Callable[[int], Decoder],
) -> Callable[[int, Mapping[str, Any]], Decoder]:
    """`UpstreamHalf.decoder` of a dialect whose answers are read alike, whatever the target's
    options are. `decoder` is the class: it takes `max_event_bytes`.
    """

    def new(max_event_bytes: int, _options: Mapping[str, Any]) -> Decoder:
        return decoder(max_event_bytes)

    return new


Build = Callable[[ChatRequest, TargetConfig], Outgoing]


class UpstreamHalf(msgspec.Struct, frozen=True, kw_only=True):
    """The side that vendors see."""

    name: str
    rewrites: bool = False  # whether its vendor may take text back
    # whether it knows tools: to one that does not, calls need no results
    tools: bool = True
    # whether its tools may take free text, where the target's rules do not say; if not, they are
    # functions in the request that `build_request` gets
    custom_tools: bool = False

    # Keys of the body that routing and the operator decide: a client's `vendor` does not replace
    # them. `build_request` never sees such a key in it.
    fixed: frozenset[str] = frozenset()
    # The request in the vendor's form. Raises Refused for what cannot be formed at all; what can
    # only not be said is a note.
    build_request: Build
    # The names of client dialects whose requests can go up as they are, and the request of such a
    # client: the client's own body, in which only what routing decides (model, key, stream) and
    # what the target's rules forbid is changed; None where this target's model takes another form,
    # so that the request must be built. Raises Refused as build_request does. Callers use
    # `proxy.codec.relaying.built`, which chooses between the two.
    relays: frozenset[str] = frozenset()
    relay_request: Callable[[ChatRequest, Original, TargetConfig], Outgoing | None] | None = None
    # A fresh decoder for one answer, from `max_event_bytes` and the target's options.
    decoder: Callable[[int, Mapping[str, Any]], Decoder]
    # What a non-streamed answer says went wrong, from its status, headers and body. With a status
    # of 400 or more it always finds a failure, whatever the body is (HTML, empty, cut); below that,
    # None means that the body is no error. Header names are lower case.
    parse_error: Callable[[int, Mapping[str, str], bytes], Failure | None]
    # Only where the vendor's answer to the request says where the stream is: the request for the
    # stream, from the target and that answer's body, which is no error. It is a GET whose `path` is
    # the absolute URL that the vendor gave; None: the answer gives none. The shell sends it only
    # where the address is the upstream's own (`proxy/relay/follow.py`), and with its headers, so
    # the key may be among them.
    follow: Callable[[TargetConfig, bytes], Outgoing | None] | None = None
    # Only where the vendor counts the tokens of a request: the request for an answer, built or
    # relayed, made into one for its count; and the count in what the vendor answers, None for none.
    count_request: Callable[[Outgoing], Outgoing] | None = None
    count_answer: Callable[[bytes], int | None] | None = None

    def __post_init__(self) -> None:
        if self.fixed:
            built = _keeping(self.fixed, self.build_request)
            msgspec.structs.force_setattr(self, "build_request", built)


def _keeping(fixed: frozenset[str], build: Build) -> Build:
    """The same, without the client's own words for what is fixed; each is a note."""

    def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
        taken = [name for name in request.vendor if name in fixed]
        if not taken:
            return build(request, target)
        own = {name: value for name, value in request.vendor.items() if name not in fixed}
        out = build(msgspec.structs.replace(request, vendor=own), target)
        notes = [
            Note("dropped", f"vendor.{name}", f"{name} is decided here, not by the request.")
            for name in taken
        ]
        return out._replace(notes=(*out.notes, *notes))

    return build_request


class Dialect(NamedTuple):
    """One wire format. Each dialect's package exposes one of these as DIALECT."""

    name: str
    client: ClientHalf | None = None
    upstream: UpstreamHalf | None = None
