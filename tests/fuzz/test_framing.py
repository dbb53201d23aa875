"""A little of what atheris does (see `framing.py`), without it: the words of every framing, put
together at random, from a fixed seed."""

import random

import pytest

from tests.fuzz.framing import TARGETS

_INPUTS = 2000
_WORDS = (
    *(
        b"data: ",
        b"data:",
        b"data",
        b"event: x\n",
        b": c\n",
        b":",
        b"id: 1",
        b"id:\0\n",
        b"retry:1\n",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n",
        b" ",
    ),
    *(
        b"{",
        b"}",
        b'"',
        b"\\",
        b"[DONE]",
        b"[",
        b"]",
        b",",
        b'{"a":"',
        b"\xef\xbb\xbf",
        b"\xef",
        b"a",
        b"xyz" * 9,
        b"\xff",
        b"\0",
    ),
    *(
        b"|",
        b"\x01a\x07\x00\x01b",
        b"\x01a\x00",
        b"\x02bc\x04\x00\x00\x00\x01",
        b"\x01a\x09",
        b"\x00\x00\x00\x10",
    ),
)


@pytest.mark.parametrize("name", TARGETS)
def test_a_splitter_keeps_its_promise_for_any_bytes(name: str) -> None:
    """The same frames however they are cut, within the bound, nothing raised but its own fault, and
    the frames that are really there."""
    chance = random.Random(name)
    for _ in range(_INPUTS):
        TARGETS[name](
            chance.randbytes(2) + b"".join(chance.choices(_WORDS, k=chance.randrange(30)))
        )
