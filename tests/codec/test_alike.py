"""Of chunks that are alike but for their text only the text is read, and nothing else changes."""

import json
import random
from collections.abc import Callable
from itertools import pairwise

import pytest

from proxy.codec.alike import Alike
from proxy.codec.base import Decoder
from proxy.dialects.anthropic.decode import AnthropicDecoder
from proxy.dialects.cohere.decode import CohereDecoder
from proxy.dialects.openai_chat.decode import ChatDecoder
from proxy.dialects.openai_completions.decode import CompletionsDecoder
from proxy.dialects.registry import UPSTREAMS
from proxy.events import Event, StreamError, TextDelta
from tests.support import facts, needs_recordings, recording_bytes

MOST = 1 << 16
INNER = {
    "openai_chat": ChatDecoder,
    "anthropic": AnthropicDecoder,
    "cohere": CohereDecoder,
    "openai_completions": CompletionsDecoder,
}


class Counting(Decoder):
    """Counts the chunks that come to a decoder."""

    def __init__(self, inner: Decoder) -> None:
        self.inner, self.fed = inner, 0

    def feed(self, data: bytes) -> list[Event]:
        self.fed += 1
        events = self.inner.feed(data)
        self.done = self.inner.done
        return events

    def close(self) -> list[Event]:
        return self.inner.close()

    @property
    def usage(self):
        return self.inner.usage


def said(text: str, end: str = "\n\n", **more: object) -> bytes:
    """A chunk with this text, as many vendors send it."""
    chunk = {"id": "c1", "choices": [{"index": 0, "delta": {"content": text}}], **more}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}{end}".encode()


def fed(
    chunks: list[bytes], most: int = MOST, decoder: Callable[[int], Decoder] = ChatDecoder
) -> tuple[list[list[Event]], int]:
    """What each chunk gives, and how many of them were read in full. The events are those that the
    decoder gives by itself.
    """
    counting = Counting(decoder(most))
    alike, alone = Alike(counting, most), decoder(most)
    given = [alike.feed(chunk) for chunk in chunks]
    assert given == [alone.feed(chunk) for chunk in chunks]
    assert alike.done is alone.done
    assert alike.close() == alone.close()
    return given, counting.fed


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n"])
def test_a_chunk_like_the_one_before_is_not_read_in_full(end):
    """The first opens a block, the second is learned; whatever text the others hold is theirs."""
    texts = ["So ", "it", " is", 'a "quoted"\n\\ one', "中文", "\N{GRINNING FACE}", "\x7f", "}"]

    given, read = fed([said(text, end) for text in texts])

    assert 2 == read
    assert texts[2:] == [event.text for events in given[2:] for event in events]


OTHERS = [
    said(""),
    said("x", model="m"),
    said("a") + said("b", model="m"),
    said("cut")[:-1],
    said("cut")[:20],
    b"data: " + said("again"),
    said("x").replace(b'"x"', b'"x","content":"y"'),
    said("x").replace(b'"x"', b'"a\nb"'),
    said("x").replace(b'"x"', b'\n"x"'),
    said("x").replace(b'"x"', b'"\\ud800"'),
    said("x").replace(b'"x"', b'"\xff"'),
    said("x").replace(b'"x"', b"7"),
    said("x").replace(b'"x"', b""),
    said("x").replace(b'"x"', b'"'),
    said("x").replace(b'"x"', b'"x\\"'),
    said("x").replace(b'"x"', b'","x"'),
    b": busy\n\n",
    b"data: [DONE]\n\n",
    b"\n",
]


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_not_quite_like_it_is_read_in_full(other):
    """It gives what it would give alone, and so does what comes behind it."""
    alike = [said("So "), said("it"), said("is")]
    _, read = fed([*alike, other, said("more"), said("and"), said("on")])

    assert read >= 3


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_not_quite_like_it_is_read_in_full_among_others_too(other):
    """Whatever came together with it."""
    fed([said("So "), said("it"), said("is") + other + said("on"), said("and"), said("on")])
    fed([said("So "), said("it"), other + said("is") + said("on")])


def test_chunks_that_come_together_are_read_together():
    """Also with the beginning of the answer, if they are many, and with what follows them."""
    some = b"".join(map(said, ["it", 'is "', "\n", "中文"]))
    given, read = fed([said("So "), said("it"), some, some + b"data: [DONE]\n\n"])
    assert 3 == read
    assert ["it", 'is "', "\n", "中文"] == [event.text for event in given[2]]

    many = b"".join(said(f"word {number}") for number in range(100))
    given, read = fed([many + said("cut")[:-9], said("cut")[-9:]])
    assert 4 == read
    assert 101 == len(given[0])


def test_of_many_chunks_together_only_a_few_are_read_one_by_one():
    """Where none is like another."""
    _, read = fed([b"".join(said("", number=number) for number in range(100))])
    assert 17 == read

    _, read = fed([b"x" * 5000 + b"\r\n"])
    assert 1 == read


def padded(text: str, end: str) -> bytes:
    """As Anthropic sends it, with blanks that hide its length."""
    said = f'"index":0,"delta":{{"type":"text_delta","text":{json.dumps(text)}'
    name = "content_block_delta"
    return f'event: {name}\ndata: {{"type":"{name}",{said}{end}'.encode()


def test_blanks_behind_the_text_make_no_difference():
    """However many there are, as long as they are in the same line."""
    ends = ["}  }\n\n", "}      }\n\n", "}}\n\n", "} } \n\n", " } }\n\n"]
    given, read = fed([padded("it", end) for end in ["}}\n\n", *ends]], decoder=AnthropicDecoder)
    assert 2 == read
    assert [[TextDelta(0, "it")]] * 5 == given[1:]

    others = ["}\n }\n\n", "}}\n \n", "}}\n\n ", "}}}\n\n", ',"x":"y"}}\n\n', ' "}}\n\n']
    for other in others:
        fed([padded("it", end) for end in [*ends[:2], other, *ends]], decoder=AnthropicDecoder)


def test_a_learned_chunk_that_began_before_stands_for_nothing():
    """A piece of an event, sent twice, is no event the second time."""
    first, second = said("one")[:20], said("one")[20:]

    fed([said("So "), first, second, second, second])


def test_a_chunk_that_is_too_long_is_refused_as_ever():
    """However it begins and ends."""
    given, _ = fed([said("So "), said("it"), said("x" * 400)], most=200)

    assert [StreamError] == [type(event) for event in given[-1]]


def test_where_every_chunk_differs_nothing_is_learned_for_long():
    """And the text of a chunk that stands in it twice, or may be written otherwise, never."""
    changing = [said("word", number=number) for number in range(20)]
    _, read = fed([*changing, *[said("at last") for _ in range(4)]])
    assert 24 == read

    _, read = fed([said("So "), *[said("word", again="word") for _ in range(4)]])
    assert 5 == read
    _, read = fed([said("So "), *[said('"') for _ in range(4)]])
    assert 5 == read


def test_what_was_learned_last_is_forgotten_too():
    """Another choice speaks, in between, in a chunk that may not be learned any more."""
    changing = [said("word", number=number) for number in range(17)]
    other = said("x").replace(b'"index": 0', b'"index": 1')
    fed([*changing, changing[-1], other, changing[-1]])


def test_texts_of_several_blocks_keep_their_blocks():
    """Reasoning, text and another choice, each alike for a while."""

    def chunk(index, **delta):
        choice = {"index": index, "delta": delta}
        return f"data: {json.dumps({'choices': [choice]})}\n\n".encode()

    rows = [("reasoning_content", 0), ("content", 0), ("content", 1)]
    chunks = [chunk(index, **{key: f"{n} "}) for key, index in rows for n in range(5)]

    given, read = fed(chunks)

    assert 6 == read
    assert 3 == len({event.block for events in given for event in events})


@pytest.mark.parametrize("dialect", INNER)
def test_the_registrys_decoders_are_these(dialect):
    """And what they say of usage, ids and ends is the inner one's."""
    decoder = UPSTREAMS[dialect].decoder(MOST, {})

    assert Alike is type(decoder)
    assert INNER[dialect] is type(decoder._inner)
    assert (decoder._inner.usage, decoder._inner.answer_id) == (decoder.usage, decoder.answer_id)


@needs_recordings
@pytest.mark.parametrize("dialect", INNER)
def test_real_answers_cut_between_events_come_out_the_same(dialect):
    """One chunk an event, and by chance several."""
    chance = random.Random(7)
    full = alike = 0
    for row in facts(dialect):
        body = recording_bytes(row)
        ends = [at + 2 for at in range(len(body)) if body[at : at + 2] == b"\n\n"]
        some = [at for at in ends if chance.random() < 0.9]
        for cuts in (ends, some):
            chunks = [body[a:b] for a, b in pairwise([0, *cuts, len(body)])]
            alone, counting = INNER[dialect](MOST), Counting(INNER[dialect](MOST))
            decoder = Alike(counting, MOST)
            assert [alone.feed(chunk) for chunk in chunks] == [decoder.feed(c) for c in chunks]
            assert alone.close() == decoder.close()
            full, alike = full + counting.fed, alike + len(chunks) - counting.fed

    assert alike > 0, full


def test_a_text_delta_is_all_that_it_makes():
    """Of the block that the learned chunk gave."""
    given, _ = fed([said("So "), said("it"), said("is")])

    assert [TextDelta(0, "is")] == given[-1]
