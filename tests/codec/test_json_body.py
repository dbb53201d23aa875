"""Bodies to typed data: every fault is named by its place, in words."""

from typing import Annotated, Literal

import msgspec
import pytest

from proxy.codec.json_body import fitted, json_object, unknown_key
from proxy.errors import Refused


class Leaf(msgspec.Struct, tag="leaf", forbid_unknown_fields=True):
    text: str


class Other(msgspec.Struct, tag="other", forbid_unknown_fields=True):
    number: Annotated[int, msgspec.Meta(ge=1)]


class Body(msgspec.Struct, forbid_unknown_fields=True):
    model: str
    parts: list[Leaf | Other] | None = None
    mode: Literal["a", "b"] | None = None
    stop: str | list[str] | None = None


def refused(body: bytes, at: str = "") -> tuple[str, object]:
    with pytest.raises(Refused) as caught:
        fitted(json_object(body), Body, at)
    failure = caught.value.failure
    assert "bad_request" == failure.kind
    return failure.message, failure.param or None


def test_a_good_body() -> None:
    """Null is the same as leaving a key out."""
    body = fitted(
        json_object(b'{"model": "m", "mode": null, "parts": [{"type": "leaf", "text": "x"}]}'), Body
    )
    assert Body("m", [Leaf("x")]) == body


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        (b" ", "The body is empty: send a JSON object.", None),
        (b"[1]", "The body must be a JSON object, not a list.", None),
        (b"true", "The body must be a JSON object, not true or false.", None),
        (b'{"a":', "The body is not JSON: it ends too early, after 5 bytes.", None),
        (b'{"a":1}x', "The body is not JSON: trailing characters (byte 8).", None),
        (b'{"a":"\xff"}', "The body is not UTF-8: byte 6 cannot stand there.", None),
        (b"[" * 20_000, "The body is nested too deeply.", None),
        (b"{}", "model is required.", "model"),
        (b'{"model":1}', "model must be text, not a whole number.", "model"),
        (b'{"modell":"m"}', "Unknown key modell: did you mean model?", "modell"),
        (b'{"model":"m","zzz":1}', "Unknown key zzz: known are model, parts, mode, stop.", "zzz"),
        (b'{"model":"m","mode":"c"}', "mode must be one of a, b.", "mode"),
        (b'{"model":"m","stop":true}', "stop must be text or a list, not true or false.", "stop"),
        (b'{"model":"m","stop":["x",null]}', "stop[1] must be text, not null.", "stop[1]"),
        (
            b'{"model":"m","parts":[{"type":"leaf","text":"x"},{}]}',
            "parts[1].type is required.",
            "parts[1].type",
        ),
        (
            b'{"model":"m","parts":[{"type":"leave"}]}',
            "parts[0].type must be one of leaf, other.",
            "parts[0].type",
        ),
        (
            b'{"model":"m","parts":[{"type":"leaf","txt":"x"}]}',
            "Unknown key parts[0].txt: did you mean text?",
            "parts[0].txt",
        ),
        (
            b'{"model":"m","parts":[{"type":"other","number":0}]}',
            "parts[0].number must be a whole number >= 1.",
            "parts[0].number",
        ),
    ],
)
def test_faults_name_their_place(body: bytes, message: str, param: str | None) -> None:
    """The sentence says what to do; `param` is the place in the body."""
    assert (message, param) == refused(body)


def test_a_place_inside_a_larger_body() -> None:
    """A part that is checked by itself is named from the body's root."""
    assert (
        "parts[3].stop must be text or a list, not a whole number.",
        "parts[3].stop",
    ) == refused(b'{"model":"m","stop":4}', "parts[3]")


def test_unknown_keys_of_a_query() -> None:
    """The same words for keys that are in no struct."""
    assert (
        "Unknown key promt: did you mean prompt?"
        == unknown_key("promt", ("model", "prompt")).failure.message
    )


@pytest.mark.parametrize("key", ["", "a`b", "x" * 100_000])
def test_odd_keys_are_named_too(key: str) -> None:
    """An empty key, one with the mark that our JSON library quotes with, and one that is shown in
    part."""
    message, param = refused(msgspec.json.encode({"model": "m", key: 1}))
    assert message.startswith(f"Unknown key {key[:100] or '(empty)'}: known are model")
    assert (key[:100] or None) == param


def test_what_is_nested_too_deeply_is_refused_before_it_is_passed_on() -> None:
    """It could be read here, and not be written there."""
    for depth in (100, 150, 900, 90_000):
        assert (
            "nested" in refused(b'{"model": "m", "stop": ' + b"[" * depth + b"]" * depth + b"}")[0]
        )
    deep = json_object(b'{"model": ' + b"[" * 90 + b"]" * 90 + b', "x": [' + b"{}," * 500 + b"{}]}")
    assert 501 == len(deep["x"])


def test_a_number_out_of_range_is_said_without_a_guess_at_its_place() -> None:
    assert ("The body is not JSON: Number out of range.", None) == refused(
        b'{"model": "m", "stop": 1e400}'
    )


def test_whole_numbers_may_be_written_with_a_point() -> None:
    """Those of the body itself; a fault elsewhere is named all the same."""

    class Counted(msgspec.Struct):
        most: int
        warm: float = 0.0

    assert Counted(100, 2.0) == fitted({"most": 100.0, "warm": 2.0}, Counted)
    with pytest.raises(Refused) as refused:
        fitted({"most": 100.0, "warm": "no"}, Counted)
    assert "warm" == refused.value.failure.param
