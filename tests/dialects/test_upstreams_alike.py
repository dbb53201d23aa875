"""What all upstream halves have in common, whatever their form: how damaged text is read, and an error document in place of the stream."""

import pytest

from proxy.dialects.registry import UPSTREAMS
from proxy.events import StreamError
from tests.dialects.answers import LIMIT, folded, same_however_cut
from tests.faults.sample import FIRST, SPOILED, TEXT, WORDS, dumped
from tests.faults.samples import SAMPLES
from tests.support import decode


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_a_small_good_answer_is_read(dialect: str) -> None:
    """However it is cut."""
    sample = SAMPLES[dialect]
    answer = folded(same_however_cut(lambda: UPSTREAMS[dialect].decoder(LIMIT, sample.options), sample.whole))
    assert (TEXT, None, "stop") == (answer.text(), answer.error, answer.finish.reason)


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_a_byte_that_no_utf8_has_is_replaced(dialect: str) -> None:
    """It costs a letter, not the answer."""
    sample = SAMPLES[dialect]
    body = sample.opening + sample.starts + sample.say("", f"{FIRST}{SPOILED}!")
    answer = folded(same_however_cut(lambda: UPSTREAMS[dialect].decoder(LIMIT, sample.options), body))
    assert f"{FIRST}\ufffd!" == answer.text()


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_an_error_document_in_place_of_the_stream_is_the_vendors_error(dialect: str) -> None:
    """With its words."""
    sample = SAMPLES[dialect]
    last = decode(UPSTREAMS[dialect].decoder(LIMIT, sample.options), [dumped(sample.error_body)])[-1]
    assert isinstance(last, StreamError)
    assert "upstream_error" == last.error.kind
    assert WORDS in last.error.message


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_an_event_that_is_too_large_ends_the_answer_at_once(dialect: str) -> None:
    """Also in the same read as good ones: the upstream may say nothing more, and the client would wait for it."""
    sample = SAMPLES[dialect]
    decoder = UPSTREAMS[dialect].decoder(20_000, sample.options)
    body = sample.opening + sample.starts + sample.say("", FIRST) + sample.say(FIRST, f"{FIRST}{'x' * 60_000}")
    last = decoder.feed(body)[-1]
    assert isinstance(last, StreamError)
    assert "upstream_malformed" == last.error.kind
