"""Which recording answers a request."""

from typing import Any

import msgspec

from proxy.recording.shelf import Match, Shelf, Titled
from proxy.recording.tape import Asked
from proxy.recording.veil import MASK
from tests.recording.samples import REQUEST, recording

CHAT = "/v1/chat/completions"


def shelf(*bodies: dict[str, Any], **other: Any) -> Shelf:
    return Shelf(
        [
            Titled(
                str(number),
                recording(
                    request=Asked(path="/chat/completions", body=body),
                    model=body.get("model", ""),
                    **other,
                ),
            )
            for number, body in enumerate(bodies)
        ]
    )


def found(
    on: Shelf, body: Any, match: Match = "nearest", path: str = CHAT
) -> tuple[str, str] | None:
    it = on.find("POST", path, msgspec.json.encode(body), match)
    return None if it is None else (it.titled.title, it.rule)


ONE = {**REQUEST, "model": "a"}
TWO = {**REQUEST, "model": "b"}


def test_the_very_request_goes_before_its_model_and_that_before_any():
    on = shelf(ONE, {**TWO, "seed": 1}, TWO)
    assert ("2", "exact") == found(on, dict(reversed(TWO.items())))
    assert ("1", "model") == found(on, {**TWO, "seed": 2})
    assert ("0", "order") == found(on, {**REQUEST, "model": "c"})


def test_what_fits_equally_well_comes_in_turn():
    on = shelf(ONE, ONE, TWO)
    assert ["0", "1", "0"] == [found(on, ONE)[0] for _ in range(3)]


def test_a_rule_alone_finds_nothing_else():
    on = shelf(ONE)
    assert None is found(on, TWO, "exact")
    assert None is found(on, TWO, "model")
    assert ("0", "order") == found(on, TWO, "order")


def test_a_masked_value_fits_any():
    hidden = shelf({**ONE, "user": MASK}, masked=("user",))
    assert ("0", "exact") == found(hidden, {**ONE, "user": "ann"}, "exact")
    assert None is found(hidden, {**ONE, "user": "ann", "seed": 1}, "exact")


def test_path_and_kind_are_always_the_recorded_ones():
    """A request for a document gets no stream."""
    on = shelf(ONE)
    assert None is found(on, ONE, path="/v1/messages")
    assert None is found(on, {**ONE, "stream": False})
    assert ("0", "exact") == found(on, ONE, path="/behind/anything/chat/completions")


def test_ollama_streams_unasked():
    said, unsaid = ({**ONE, "stream": True}, {k: v for k, v in ONE.items() if k != "stream"})
    assert ("0", "model") == found(shelf(said, dialect="ollama"), unsaid)


def test_what_is_no_json_fits_by_order_alone():
    on = shelf({})
    assert None is on.find("POST", CHAT, b"\xff", "exact")
    assert None is on.find("POST", CHAT, b'{"a":"\xff"}', "exact")
    assert None is not on.find("POST", CHAT, b"\xff")


def test_a_request_that_was_not_kept_fits_by_its_model():
    """It was too large for the file."""
    one = Titled("one", recording(request=Asked(path="/chat/completions"), model="a"))
    assert ("one", "model") == found(Shelf([one]), ONE)
