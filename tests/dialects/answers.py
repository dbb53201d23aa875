"""What the tests of the small dialects share: answers made and read, and bytes spoiled."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from proxy.codec.base import Decoder, Encoder, Incoming, Parsed, TargetConfig
from proxy.codec.fold import WholeAnswer
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    FinishReason,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    Vendor,
)
from proxy.request import ChatRequest, Message
from tests.properties import examples
from tests.support import decode, splits

LIMIT = 1 << 20
unhurried = examples(100)
START = StreamStart("s1", "asked", "up", "theirs", 1_700_000_000)
BROKEN = StreamError(failure("upstream_truncated", "The upstream broke off.", upstream="up"))


def ending(reason: FinishReason = "stop") -> StreamEnd:
    return StreamEnd(Finish(reason))


def text_block(*pieces: str, block: int = 0) -> list[Event]:
    return [
        BlockStart(block, "text"),
        *(TextDelta(block, piece) for piece in pieces),
        BlockEnd(block),
    ]


def reasoning_block(*pieces: str, block: int = 0) -> list[Event]:
    return [
        BlockStart(block, "reasoning"),
        *(ReasoningDelta(block, piece) for piece in pieces),
        BlockEnd(block),
    ]


def encoded(encoder: Encoder, events: Iterable[Event]) -> bytes:
    return b"".join(encoder.encode(event) for event in events)


def folded(events: Iterable[Event]) -> WholeAnswer:
    answer = WholeAnswer()
    for event in events:
        answer.add(event)
    return answer


def told(events: Iterable[Event]) -> list[Any]:
    return [event.data for event in events if isinstance(event, Vendor)]


def same_however_cut(new: Callable[[], Decoder], data: bytes) -> list[Event]:
    """The events of these bytes, after checking that every split gives the same."""
    expected: list[Event] | None = None
    for chunks in splits(data):
        events = decode(new(), chunks)
        if expected is None:
            expected = events
        assert expected == events, f"in {len(chunks)} chunks"
    assert expected is not None
    return expected


def every_cut_is_an_error(
    new: Callable[[], Decoder], data: bytes, kinds: Sequence[str] = ("upstream_truncated",)
) -> None:
    """However much is missing at the end, a body that lacks its terminator is no answer."""
    for size in range(len(data)):
        last = decode(new(), [data[:size]])[-1]
        assert isinstance(last, StreamError), f"cut at {size} of {len(data)}: {last}"
        assert last.error.kind in kinds, f"cut at {size} of {len(data)}: {last}"


def spoiled(bodies: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Bodies with bytes changed, put in, left out and repeated."""
    edits = st.lists(
        st.tuples(
            st.integers(0, 1 << 16),
            st.sampled_from(["put", "cut", "swap", "again"]),
            st.binary(max_size=12),
        ),
        min_size=1,
        max_size=6,
    )
    return st.builds(_spoil, st.sampled_from(list(bodies)), edits)


def _spoil(body: bytes, edits: list[tuple[int, str, bytes]]) -> bytes:
    for where, how, what in edits:
        at = where % (len(body) + 1)
        if how == "put":
            body = body[:at] + what + body[at:]
        elif how == "cut":
            body = body[:at] + body[at + len(what) + 1 :]
        elif how == "swap":
            body = body[:at] + what + body[at + len(what) :]
        else:
            body = body[:at] + body[max(0, at - 200) :]
    return body


def asked(*turns: str, **more: Any) -> ChatRequest:
    """A request whose turns alternate between user and assistant."""
    roles = ("user", "assistant")
    return ChatRequest(
        model="m", messages=[Message(roles[at % 2], text) for at, text in enumerate(turns)], **more
    )  # type: ignore[arg-type]


def target(**options: Any) -> TargetConfig:
    return TargetConfig("up", "theirs", options.pop("api_key", None), options)


def posted(
    body: bytes, *, path: dict[str, str] | None = None, query: dict[str, str] | None = None
) -> Incoming:
    return Incoming("POST", path or {}, query or {}, {}, body)


def params(notes: Iterable[Any]) -> set[str]:
    return {note.param for note in notes}


def answered(parsed: Parsed, events: Sequence[Event]) -> WholeAnswer:
    return folded([START, *events, ending()])
