"""How streams lie in Redis: the names of keys and what stands under them.

    {mainstem}:stream:<id>:log      a Redis Stream: batches of events. The number of an entry is
                                    that of the event after its last one, so that whoever has the
                                    events before `number` asks for what is behind `<number>-0`;
                                    the last batch has the highest there is, so that none follows.
    {mainstem}:stream:<id>:about    `About`
    {mainstem}:stream:<id>:past     `Past`: what the events say that are not in the log any more
    {mainstem}:stream:<id>:read     is there while a client of another process reads the stream
    {mainstem}:chat:<digest>        the newest stream that clients of one owner call so
    {mainstem}:asked:<digest>       the newest stream that a request, or one with a key, began
    {mainstem}:process:<id>:alive   is there while the process lives and reaches Redis
    {mainstem}:process:<id>:inbox   a Redis Stream: what other processes want of it

Every key expires by itself. What is in braces is what Redis Cluster hashes: one read asks for many
streams, so that all must lie in one slot.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from proxy.codec.halves import ClientHalf
from proxy.dialects.registry import CLIENTS
from proxy.errors import Failure
from proxy.events import TERMINAL, Event, Note
from proxy.relay.kept_log import KeptLog
from proxy.relay.snapshot import Order
from proxy.server.lasting import Head, Lasting, Origin

_T = TypeVar("_T")
_PREFIX = "{mainstem}:"
LAST = "18446744073709551615-0"  # of an entry: none can follow it
# Of a lease: a process's sign of life lasts so long, is renewed and looked for so often, and twice,
# as a full Redis may have dropped it. Together they are less than the lease, so that within it a
# death is told everywhere.
LEASED, RENEWED = 0.5, 0.125


# Of an entry that is written.
Fields = dict[Any, Any]


class Keys(NamedTuple):
    """Those of one stream."""

    log: str
    about: str
    past: str
    read: str


class About(msgspec.Struct, frozen=True):
    """What is known of a stream beside its events. `owner` and `request` are digests, `process` is
    the one that generates it, `head` comes with the commit.
    """

    owner: str
    dialect: str
    model: str
    label: str
    created: int
    rewrites: bool
    process: str
    request: str
    options: msgspec.Raw
    head: tuple[str, list[Note], dict[str, str]] | None = None


class Past(msgspec.Struct, frozen=True):
    """The events before number `first`, as few as can say the same, and how they came one by one;
    null where they were too many.
    """

    first: int
    events: list[Event] | None
    order: Order | None = None


class Batch(NamedTuple):
    """Events from number `first` on, which stood in `size` bytes."""

    first: int
    events: list[Event]
    size: int


class Wish(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one process wants of another: to stop a stream, or, where it does not say why, to drop
    it; without any stream, only to look up.
    """

    stream: str = ""
    why: Failure | None = None


_ENCODER = msgspec.json.Encoder()
_EVENTS = msgspec.json.Decoder(list[Event])
_ABOUT = msgspec.json.Decoder(About)
_PAST = msgspec.json.Decoder(Past)
_WISH = msgspec.json.Decoder(Wish)


def keys_of(stream: str) -> Keys:
    """The keys of a stream."""
    start = f"{_PREFIX}stream:{stream}:"
    return Keys(f"{start}log", f"{start}about", f"{start}past", f"{start}read")


def is_stream(name: str) -> bool:
    """Whether it has the form of a stream's id: no other is asked for."""
    return len(name) == 32 and name.isascii() and name.isalnum()  # see new_stream_id


def alive(process: str) -> str:
    """The key of a process that lives."""
    return f"{_PREFIX}process:{process}:alive"


def inbox(process: str) -> str:
    """The key of a process's inbox."""
    return f"{_PREFIX}process:{process}:inbox"


def chat(dialect: str, owner: str, name: str) -> str:
    """The key of what clients call so. Neither their names nor their keys' stand in it."""
    return f"{_PREFIX}chat:{_digest(dialect, owner, name)}"


def asked(digest: bytes) -> str:
    """The key of a request, or of its Idempotency-Key."""
    return f"{_PREFIX}asked:{digest.hex()}"


def owned_by(owner: str) -> str:
    """Whose a stream is, without a name."""
    return _digest("owner", owner)


def about(run: Lasting, process: str) -> bytes:
    """What is written of a stream that this process generates."""
    origin = run.origin
    told = run.head
    head = None if told is None else (told.upstream, list(told.notes), dict(told.returned))
    return msgspec.json.encode(
        About(
            owner=owned_by(origin.owner),
            dialect=origin.half.name,
            model=origin.model,
            label=origin.label,
            created=origin.created,
            rewrites=origin.rewrites,
            process=process,
            request=run.request.hex(),
            options=msgspec.Raw(_options(origin.options)),
            head=head,
        )
    )


def read_about(said: bytes) -> About:
    """What was written so. Raises ValueError where another version wrote something else."""
    return _decoded(_ABOUT, said)


def origin_of(stream: str, owner: str, known: About) -> Origin:
    """The same, for readers. Raises ValueError as above."""
    half = CLIENTS.get(known.dialect)
    if half is None:
        raise ValueError("unknown dialect")
    return Origin(
        id=stream,
        owner=owner,
        half=half,
        options=_read_options(half, known.options),
        chat="",
        model=known.model,
        label=known.label,
        created=known.created,
        rewrites=known.rewrites,
    )


def head_of(known: About) -> Head | None:
    """What the head of its answer says; None before the commit."""
    return None if known.head is None else Head(*known.head)


def past_of(log: KeptLog) -> bytes:
    """What is written of the events that a log does not keep one by one."""
    return msgspec.json.encode(Past(log.first, log.folded(), log.order))


def read_past(said: bytes) -> Past:
    """What was written so. Raises ValueError as above."""
    return _decoded(_PAST, said)


def entry(first: int, events: Sequence[Event]) -> tuple[str, str, str, str, bytes]:
    """The number of a log's entry, and its fields' names and values, as XADD takes them."""
    last = type(events[-1]) in TERMINAL
    number = LAST if last else f"{first + len(events)}-0"
    return number, "n", str(first), "e", _ENCODER.encode(events)


def read_entry(fields: dict[bytes, bytes]) -> Batch:
    """An entry's events. Raises ValueError as above."""
    try:
        said = fields[b"e"]
        return Batch(int(fields[b"n"]), _decoded(_EVENTS, said), len(said))
    except KeyError:
        raise ValueError("no batch") from None


def read_wish(fields: dict[bytes, bytes]) -> Wish:
    """What another process wants. Raises ValueError as above."""
    return _decoded(_WISH, fields.get(b"w", b""))


def wish_of(wish: Wish) -> Fields:
    """The fields of an inbox's entry."""
    return {"w": msgspec.json.encode(wish)}


def _decoded(decoder: "msgspec.json.Decoder[_T]", said: bytes) -> _T:
    """What others have written may be nested without end. Raises ValueError."""
    try:
        return decoder.decode(said)
    except (RecursionError, TypeError):
        raise ValueError("nested without end, or no text at all") from None


def _options(options: Any) -> bytes:
    try:
        return msgspec.json.encode(options)
    except (TypeError, ValueError):
        return b"null"


def _read_options(half: ClientHalf, said: msgspec.Raw) -> Any:
    """They are of the type that the dialect's own are; where they cannot be read, they are those of
    a client that only reads.
    """
    if half.watching is None:
        return None
    try:
        return msgspec.json.decode(said, type=type(half.watching))
    except (ValueError, RecursionError):
        return half.watching


def _digest(*said: str) -> str:
    joined = "\0".join(said).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:32]
