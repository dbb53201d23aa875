"""AWS event stream messages: botocore's own reader is the judge."""

import random
from typing import Any

from botocore.eventstream import EventStreamBuffer, ParserError
from hypothesis import given
from hypothesis import strategies as st

from proxy.framing import FramingError
from proxy.framing.aws import MessageSplitter
from tests.aws_frames import Typed, message
from tests.framing.test_aws import HELLO, MAX, Shown, ours
from tests.properties import examples
from tests.support import splits


def theirs(data: bytes) -> list[Shown]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [(m.headers, m.payload) for m in buffer]


def typed(kind: int, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Typed]:
    return values.map(lambda value: Typed(kind, value))


VALUES = st.one_of(
    st.text(max_size=20),
    typed(0, st.just(None)),
    typed(1, st.just(None)),
    *(
        typed(kind, st.integers(-(1 << bits - 1), (1 << bits - 1) - 1))
        for kind, bits in {2: 8, 3: 16, 4: 32, 5: 64, 8: 64}.items()
    ),
    typed(6, st.binary(max_size=20)),
    typed(9, st.binary(min_size=16, max_size=16)),
)
HEADERS = st.dictionaries(st.text(max_size=12), VALUES, max_size=4)
MESSAGES = st.lists(st.tuples(HEADERS, st.binary(max_size=60)), max_size=5)


@examples(150)
@given(MESSAGES, st.randoms(use_true_random=False))
def test_any_message_at_any_split_is_what_botocore_reads(
    messages: list[tuple[dict[str, Any], bytes]], chance: random.Random
) -> None:
    """Headers of every type and any payload, cut anywhere."""
    data = b"".join(message(headers, payload) for headers, payload in messages)
    cuts = sorted(chance.sample(range(len(data) + 1), min(len(data), 6)))
    chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert theirs(data) == ours(chunks)
    assert len(messages) == len(ours([data[at : at + 1] for at in range(len(data))]))


@examples(150)
@given(MESSAGES, st.integers(min_value=0), st.integers(1, 255))
def test_a_damaged_byte_is_found_where_botocore_finds_it(
    messages: list[tuple[dict[str, Any], bytes]], at: int, flip: int
) -> None:
    """Both refuse the same message, after the same good ones."""
    data = bytearray(HELLO + b"".join(message(headers, payload) for headers, payload in messages))
    data[at % len(data)] ^= flip
    good: list[Shown] = []
    refused = False
    buffer = EventStreamBuffer()
    buffer.add_data(bytes(data))
    try:
        good.extend((m.headers, m.payload) for m in buffer)
    except ParserError:
        refused = True
    splitter = MessageSplitter(MAX)
    found: list[Shown] = []
    raised = False
    try:
        found.extend((dict(m.headers), m.payload) for m in splitter.feed(bytes(data)))
        splitter.close()
    except FramingError:
        raised = True
    assert (good, refused) == (found, raised)


def test_every_split_gives_the_same_messages() -> None:
    """Whole, byte by byte, at random."""
    data = HELLO * 3
    assert [theirs(data)] * 8 == [ours(chunks) for chunks in splits(data)]
