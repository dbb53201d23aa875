"""A wrong field costs that field, never what stands around it."""

from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Raw

from proxy.codec.framed import decoded
from proxy.codec.tolerant import MisfitError, tolerant


class Inner(msgspec.Struct):
    """A field that is required."""

    name: str
    size: int | None = None


class Outer(msgspec.Struct, rename="camel"):
    """One field of each kind."""

    plain_text: str | None = None
    number: int | None = None
    share: float | None = None
    sure: bool | None = None
    count: Annotated[int, Meta(ge=0, le=1000)] | None = None
    word: str | int | None = None
    inner: Inner | None = None
    inners: list[Inner] | None = None
    table: dict[str, Any] | None = None
    raw: Raw = Raw(b"")


_OUTER = msgspec.json.Decoder(Outer)


def test_numbers_may_be_written_as_text_or_as_floats():
    """What is no whole number is left out."""
    assert Outer(number=3) == tolerant({"number": "3"}, Outer)
    assert Outer(number=3) == tolerant({"number": 3.0}, Outer)
    assert Outer(share=0.5, number=10**400) == tolerant({"share": "0.5", "number": 10**400}, Outer)
    for odd in (2.5, "x", "", True, [], "9" * 50, "NaN"):
        assert Outer(sure=True) == tolerant({"number": odd, "sure": True}, Outer)


def test_bounds_of_a_number_are_kept():
    """A count out of them is unknown."""
    assert Outer(count=7) == tolerant({"count": "7"}, Outer)
    assert [Outer(), Outer()] == [tolerant({"count": each}, Outer) for each in (-1, 1e20)]


def test_a_wrong_field_is_left_at_its_default():
    """Whatever stands there instead."""
    for odd in (1, 2.5, True, "text", [], [[1]], {}, {"a": 1}, None):
        for name in ("plainText", "number", "share", "sure", "inner", "inners", "table"):
            said = tolerant({name: odd, "word": "kept"}, Outer)
            assert "kept" == said.word


def test_a_text_stays_a_text_where_a_number_may_stand_too():
    """The first that fits exactly."""
    assert Outer(word="5") == tolerant({"word": "5", "number": []}, Outer)
    assert Outer(word=5) == tolerant({"word": 5.0}, Outer)


def test_one_object_stands_for_a_list_of_one():
    """And what is wrong within a list is left out of it."""
    assert Outer(inners=[Inner("a")]) == tolerant({"inners": {"name": "a"}}, Outer)
    listed = [{"name": "a", "size": "2"}, None, {"name": 1}, {}, {"name": "b", "size": []}]
    assert Outer(inners=[Inner("a", 2), Inner("b")]) == tolerant({"inners": listed}, Outer)


def test_what_is_kept_raw_keeps_its_value():
    """Written again."""
    assert Outer(raw=Raw(b'{"a":[1]}')) == tolerant({"raw": {"a": [1]}, "number": []}, Outer)


def test_the_outermost_shape_must_be_right():
    """Else there is nothing to read."""
    for odd in ([], "text", None, 3):
        with pytest.raises(MisfitError):
            tolerant(odd, Outer)
    with pytest.raises(MisfitError):
        tolerant({"size": 3}, Inner)


def test_a_frame_is_read_whatever_a_field_holds():
    """Damaged letters and numbers that JSON has not are mended, too."""
    assert Outer(plain_text="a", number=1) == decoded(_OUTER, b'{"plainText":"a","number":1.0}')
    assert Outer(plain_text="\ufffd") == decoded(_OUTER, b'{"plainText":"\xff","number":[]}')
    assert Outer(plain_text="a") == decoded(_OUTER, b'{"plainText":"a","share":NaN}')
    for bad in (b"[]", b"{", b"text"):
        with pytest.raises(ValueError, match=r"."):
            decoded(_OUTER, bad)
