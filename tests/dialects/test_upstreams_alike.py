"""What all upstream halves have in common, whatever their form: how damaged text is read, and an
error document in place of the stream."""

import gc
import weakref
from collections.abc import Callable

import pytest

from proxy.dialects.registry import UPSTREAMS
from proxy.events import StreamError
from tests.dialects.answers import LIMIT, folded, same_however_cut
from tests.dialects.sample import FIRST, SPOILED, TEXT, WORDS, Sample, dumped
from tests.samples import SAMPLES
from tests.support import decode

# Their events hold texts, or name what is said; our own are well formed. A copy's name ends so too.
_NO_DOCUMENTS = ("native", "plain", "baidu_chat", "yiyan", "zhipu", "replicate")


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_a_small_good_answer_is_read(dialect: str) -> None:
    """However it is cut."""
    sample = SAMPLES[dialect]
    answer = folded(
        same_however_cut(lambda: UPSTREAMS[dialect].decoder(LIMIT, sample.options), sample.whole)
    )
    assert (TEXT, None, "stop") == (answer.text(), answer.error, answer.finish.reason)


@pytest.mark.parametrize("line", [b"\n", b"\n\t\n"])
@pytest.mark.parametrize(
    "dialect", [name for name in UPSTREAMS if not name.endswith(_NO_DOCUMENTS)]
)
def test_events_without_a_blank_line_between_them(dialect: str, line: bytes) -> None:
    """Nothing, or a line that is not blank: each object is an event all the same."""
    sample = SAMPLES[dialect]
    body = sample.whole.replace(b"\n\n", line)
    answer = folded(
        same_however_cut(lambda: UPSTREAMS[dialect].decoder(LIMIT, sample.options), body)
    )
    assert (TEXT, None, "stop") == (answer.text(), answer.error, answer.finish.reason)


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_a_byte_that_no_utf8_has_is_replaced(dialect: str) -> None:
    """It costs a letter, not the answer."""
    sample = SAMPLES[dialect]
    body = sample.opening + sample.starts + sample.say("", f"{FIRST}{SPOILED}!")
    answer = folded(
        same_however_cut(lambda: UPSTREAMS[dialect].decoder(LIMIT, sample.options), body)
    )
    assert f"{FIRST}\ufffd!" == answer.text()


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_an_error_document_in_place_of_the_stream_is_the_vendors_error(dialect: str) -> None:
    """With its words."""
    sample = SAMPLES[dialect]
    last = decode(UPSTREAMS[dialect].decoder(LIMIT, sample.options), [dumped(sample.error_body)])[
        -1
    ]
    assert isinstance(last, StreamError)
    assert "upstream_error" == last.error.kind
    assert WORDS in last.error.message


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_an_event_that_is_too_large_ends_the_answer_at_once(dialect: str) -> None:
    """Also in the same read as good ones: the upstream may say nothing more, and the client would
    wait for it."""
    sample = SAMPLES[dialect]
    decoder = UPSTREAMS[dialect].decoder(20_000, sample.options)
    body = (
        sample.opening
        + sample.starts
        + sample.say("", FIRST)
        + sample.say(FIRST, f"{FIRST}{'x' * 60_000}")
    )
    last = decoder.feed(body)[-1]
    assert isinstance(last, StreamError)
    assert "upstream_malformed" == last.error.kind


def _too_large(sample: Sample) -> bytes:
    return sample.opening + sample.starts + sample.say("", f"{'x' * 60_000}")


def _too_large_after_good(sample: Sample) -> bytes:
    return (
        sample.opening
        + sample.starts
        + sample.say("", FIRST)
        + sample.say(FIRST, f"{FIRST}{'x' * 60_000}")
    )


def _error(sample: Sample) -> bytes:
    return dumped(sample.error_body)


def _garbage(sample: Sample) -> bytes:
    return sample.opening + b"\x90<html>{]\xff\n\n" * 20


@pytest.mark.parametrize("body", [_too_large, _too_large_after_good, _error, _garbage])
@pytest.mark.parametrize("size", [None, 997])
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_a_decoder_that_failed_is_let_go_with_its_last_reference(
    dialect: str, size: int | None, body: Callable[[Sample], bytes]
) -> None:
    """An exception that it kept would keep the frames that read the bytes, and these would keep it,
    until a collection."""
    sample = SAMPLES[dialect]
    decoder = UPSTREAMS[dialect].decoder(20_000, sample.options)
    gc.disable()
    try:
        data = body(sample)
        for at in range(0, len(data), size or len(data)):
            decoder.feed(data[at : at + (size or len(data))])
        decoder.close()
        assert decoder.done
        left = weakref.ref(decoder)
        del decoder
        assert left() is None
    finally:
        gc.enable()
