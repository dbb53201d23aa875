"""What one chunk does: bytes in, events, bytes out, what to record."""

from proxy.dialects.registry import UPSTREAMS
from proxy.events import StreamStart, TextDelta, Vendor
from proxy.observe.record import StreamRecord
from proxy.relay.step import Folder, Translation

START = StreamStart("s1", "asked", "far", "theirs", 1_700_000_000)


def answered(model: str) -> tuple[Folder, StreamRecord]:
    record = StreamRecord("r", "native", 0.0)
    record.upstream_model = "theirs"
    translation, folder = Translation(UPSTREAMS["openai_chat"].decoder(1 << 20, {}), record, "far", 1 << 20), Folder()
    head = b'data: {"model":"%b","choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'
    translation.chunk(head % model.encode(), 1.0)
    translation.commit(folder, START, 1.0)
    translation.chunk(b"data: [DONE]\n\n", 2.0)
    return folder, record


def test_a_vendor_that_names_the_model_that_it_was_asked_for_says_nothing() -> None:
    folder, record = answered("theirs")
    assert ("Hi", []) == (folder.answer.text(), folder.answer.vendor)
    assert (None, 1) == (record.events.get(Vendor), record.events[TextDelta])


def test_another_model_than_that_is_told() -> None:
    assert [Vendor("openai_chat", {"model": "theirs-2026-01"})] == answered("theirs-2026-01")[0].answer.vendor
