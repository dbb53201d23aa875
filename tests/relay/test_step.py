"""What one chunk does: bytes in, events, bytes out, what to record."""

import pytest

from proxy.codec.base import Encoder
from proxy.codec.settle import Settler
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import StreamStart, TextDelta, Vendor
from proxy.observe.record import StreamRecord
from proxy.relay.step import Folder, Translation
from tests.fuzz.bodies import parsed_by

START = StreamStart("s1", "asked", "far", "theirs", 1_700_000_000)


def answered(model: str) -> tuple[Folder, StreamRecord]:
    record = StreamRecord("r", "native", 0.0)
    record.upstream_model = "theirs"
    translation, folder = (
        Translation(UPSTREAMS["openai_chat"].decoder(1 << 20, {}), record, "far", 1 << 20),
        Folder(),
    )
    head = b'data: {"model":"%b","choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'
    translation.chunk(head % model.encode(), 1.0)
    translation.commit(folder, START, 1.0, 1 << 20)
    translation.chunk(b"data: [DONE]\n\n", 2.0)
    return folder, record


def test_a_vendor_that_names_the_model_that_it_was_asked_for_says_nothing() -> None:
    folder, record = answered("theirs")
    assert ("Hi", []) == (folder.answer.text(), folder.answer.vendor)
    assert (None, 1) == (record.events.get(Vendor), record.events[TextDelta])


def test_another_model_than_that_is_told() -> None:
    assert [Vendor("openai_chat", {"model": "theirs-2026-01"})] == answered("theirs-2026-01")[
        0
    ].answer.vendor


def long_answer(encoder: Encoder, most: int) -> tuple[Translation, StreamRecord]:
    """Twice as long as `most` bytes."""
    record = StreamRecord("r", "native", 0.0)
    translation = Translation(UPSTREAMS["openai_chat"].decoder(1 << 20, {}), record, "far", 1 << 20)
    content = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
    translation.chunk(content, 1.0)
    translation.commit(encoder, START, 1.0, most)
    for _ in range(2 * most // len(content)):
        translation.chunk(content, 2.0)
    return translation, record


@pytest.mark.parametrize("client", ["openai_responses", "yiyan", "dify", "chatglm"])
def test_an_answer_of_which_the_encoder_keeps_the_text_is_bounded(client: str) -> None:
    translation, record = long_answer(CLIENTS[client].encoder(parsed_by(client)), 10_000)
    assert translation.failed is not None
    assert "limits.max_answer_bytes" in translation.failed.message
    assert ("upstream_error", True) == (record.outcome, translation.done)


def test_an_answer_that_only_passes_is_as_long_as_it_likes() -> None:
    translation, record = long_answer(CLIENTS["native"].encoder(parsed_by("native")), 10_000)
    assert (None, None, False) == (translation.failed, record.outcome, translation.done)


def test_a_filter_before_an_encoder_that_keeps_the_text_does_not_hide_it() -> None:
    translation, _ = long_answer(Settler(CLIENTS["yiyan"].encoder(parsed_by("yiyan"))), 10_000)
    assert translation.failed is not None
