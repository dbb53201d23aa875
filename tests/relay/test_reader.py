"""What one client gets, and when."""

import math

import pytest

from proxy.codec.settle import Settler
from proxy.dialects.registry import CLIENTS
from proxy.events import BlockStart, TextDelta
from proxy.relay.folder import Folder
from proxy.relay.reader import Reader, waits_until
from proxy.settings.sections import Streams
from tests.fuzz.bodies import parsed_by
from tests.relay.parts import HELLO, START, Words


def reader_of(encoder, most_gathered_bytes: int = 100) -> Reader:
    """One that began at 10 s, and gets a sign of life after 15 s."""
    return Reader(
        encoder,
        10.0,
        heartbeat_s=15,
        most_unsent_bytes=1000,
        most_gathered_bytes=most_gathered_bytes,
    )


def test_events_that_come_together_go_out_together() -> None:
    reader = reader_of(Words())
    assert b"<StreamStart>" == reader.take([START], 0)
    assert b"<BlockStart><TextDelta>" == reader.take(HELLO, 9)


@pytest.mark.parametrize(("unsent", "full"), [(0, False), (1000, False), (1001, True)])
def test_a_client_that_takes_too_little_is_full_until_it_has_taken_it(
    unsent: int, full: bool
) -> None:
    reader = reader_of(Words())
    reader.wrote(11.0, unsent)
    assert full is reader.full
    reader.wrote(12.0, 0)
    assert full is reader.full
    reader.drained()
    assert not reader.full


def test_a_sign_of_life_is_due_after_silence() -> None:
    reader = reader_of(Words())
    assert 25.0 == reader.due()
    reader.wrote(20.0, 0)
    assert 35.0 == reader.due()
    assert b"beat" == reader.beat(35.0)
    assert 50.0 == reader.due()


def test_a_client_that_is_full_needs_no_sign_of_life() -> None:
    reader = reader_of(Words())
    reader.wrote(11.0, 5000)
    assert b"" == reader.beat(26.0)
    assert 41.0 == reader.due()


def test_a_dialect_without_a_sign_of_life_is_never_due() -> None:
    assert math.inf == reader_of(Folder()).due()


@pytest.mark.parametrize("client", ["openai_responses", "yiyan", "dify", "chatglm"])
def test_what_an_encoder_gathers_is_bounded(client: str) -> None:
    reader = reader_of(CLIENTS[client].encoder(parsed_by(client)))
    _refused_after_100_bytes(reader)


def test_a_filter_before_an_encoder_that_gathers_does_not_hide_it() -> None:
    _refused_after_100_bytes(reader_of(Settler(CLIENTS["yiyan"].encoder(parsed_by("yiyan")))))


def test_one_document_is_bounded_and_told_to_stream() -> None:
    reader = reader_of(Folder())
    _refused_after_100_bytes(reader)
    assert "ask for a stream" in reader.refusal.message  # type: ignore[union-attr]


def _refused_after_100_bytes(reader: Reader) -> None:
    reader.take([START, BlockStart(0, "text")], 0)
    reader.take([TextDelta(0, "a")], 100)
    assert reader.refusal is None
    reader.take([TextDelta(0, "b")], 1)
    assert reader.refusal is not None
    assert "upstream_error" == reader.refusal.kind
    assert "limits.max_answer_bytes" in reader.refusal.message


def test_what_only_passes_may_be_as_long_as_it_likes() -> None:
    reader = reader_of(CLIENTS["native"].encoder(parsed_by("native")))
    reader.take([START, *HELLO], 1_000_000)
    assert reader.refusal is None


@pytest.mark.parametrize(
    ("policy", "until"), [("cancel", 50.0), ("grace", 80.0), ("finish", math.inf)]
)
def test_how_long_an_answer_goes_on_without_its_client(policy, until: float) -> None:
    assert until == waits_until(Streams(on_disconnect=policy, grace_s=30), 50.0)
