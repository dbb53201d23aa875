"""What stands in the store of streams, and what is read of it."""

import msgspec
import pytest

from proxy.codec.halves import ClientHalf
from proxy.dialects.registry import CLIENTS
from proxy.errors import failure
from proxy.events import BlockStart, Event, Finish, Note, StreamEnd, StreamError, TextDelta, Vendor
from proxy.relay.kept_log import KeptLog
from proxy.server.lasting import Head, Lasting, Origin
from proxy.server.stores import layout

EVENTS: list[Event] = [
    BlockStart(0, "text"),
    TextDelta(0, "\u4f60\u597d"),
    Vendor("x", {"a": [1, None]}),
]


class Here(Lasting):
    async def cancel(self, why: object) -> None: ...


def run(half: ClientHalf) -> Lasting:
    origin = Origin("s" * 32, "ann", half, half.watching, "a chat", "m", "m", 1_700_000_000, True)
    return Here(origin, KeptLog(1000, lambda more_bytes: None), b"asked")


@pytest.mark.parametrize("half", CLIENTS.values(), ids=lambda half: half.name)
async def test_what_is_known_of_a_stream_is_read_as_it_was(half: ClientHalf) -> None:
    here = run(half)
    said = layout.about(here, "p1")
    assert b"ann" not in said
    assert b"a chat" not in said
    known = layout.read_about(said)
    assert (layout.owned_by("ann"), "p1", None) == (
        known.owner,
        known.process,
        layout.head_of(known),
    )
    assert here.origin._replace(chat="") == layout.origin_of(here.id, "ann", known)
    head = Head("far", [Note("dropped", "top_k", "It cannot be said.")], {"x-quota": "1"})
    here.commit(head)
    assert head == layout.head_of(layout.read_about(layout.about(here, "p1")))


def test_events_are_read_as_they_were_under_the_number_that_comes_next() -> None:
    number, *fields = layout.entry(5, EVENTS)
    assert "8-0" == number
    batch = layout.read_entry(_read(*fields))
    assert (5, EVENTS) == (batch.first, batch.events)


@pytest.mark.parametrize(
    "end", [StreamEnd(Finish("stop")), StreamError(failure("cancelled", "Somebody asked."))]
)
def test_nothing_can_follow_an_end(end: Event) -> None:
    number, *fields = layout.entry(5, [*EVENTS, end])
    assert layout.LAST == number
    batch = layout.read_entry(_read(*fields))
    assert end == batch.events[-1]


@pytest.mark.parametrize(
    "fields", [{}, {b"n": b"1"}, {b"n": b"x", b"e": b"[]"}, {b"n": b"1", b"e": b"[{}]"}]
)
def test_what_is_no_batch_is_refused(fields: dict[bytes, bytes]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of several kinds
        layout.read_entry(fields)


def test_a_wish_is_read_as_it_was() -> None:
    wish = layout.Wish("s1", failure("cancelled", "Somebody asked."))
    fields = {key.encode(): value for key, value in layout.wish_of(wish).items()}
    assert wish == layout.read_wish(fields)
    with pytest.raises(msgspec.DecodeError):
        layout.read_wish({})


def test_only_what_may_be_a_stream_is_asked_for() -> None:
    assert layout.is_stream("0123456789abcdef" * 2)
    for name in ("", "x" * 31, "x" * 33, "{" * 32, "a:" * 16, "\u4f60" * 32):
        assert not layout.is_stream(name)


def test_the_keys_of_chats_have_no_names_in_them_and_are_one_owner_s() -> None:
    ann, bob = (layout.chat("ai_sdk", owner, "chat-1") for owner in ("ann", "bob"))
    assert ann != bob
    assert layout.chat("ai_sdk", "an", "nchat-1") != ann
    assert "chat-1" not in ann


def _read(*fields: str | bytes) -> dict[bytes, bytes]:
    """As Redis gives them back."""
    said = [each.encode() if isinstance(each, str) else each for each in fields]
    return dict(zip(said[::2], said[1::2], strict=True))
