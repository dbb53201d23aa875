"""A compressed body comes out as it was put in, however it is cut, and never more than a slice at a
time."""

import gzip
import zlib

import pytest

from proxy.framing import inflate
from proxy.framing.inflate import CODINGS, SLICE_BYTES, Inflater

BODY = bytes(range(256)) * 600  # more than two slices


def inflated(coding: str, reads: list[bytes]) -> bytes:
    body = Inflater(CODINGS[coding])
    slices = [piece for data in reads for piece in body.slices(data)]
    body.end()
    assert all(0 < len(piece) <= SLICE_BYTES for piece in slices)
    return b"".join(slices)


@pytest.mark.parametrize("plain", [b"", b"a", BODY[:SLICE_BYTES], BODY], ids=len)
@pytest.mark.parametrize(
    ("coding", "packed"),
    [("gzip", gzip.compress), ("deflate", zlib.compress)],
    ids=["gzip", "deflate"],
)
def test_a_body_comes_out_as_it_was_put_in(coding, packed, plain):
    """Whole, byte by byte, in two members, and with reads that hold nothing."""
    data = packed(plain)
    assert plain == inflated(coding, [data])
    assert plain == inflated(coding, [data[at : at + 1] for at in range(len(data))])
    assert plain * 2 == inflated(coding, [data + data])
    assert plain == inflated(coding, [b"", data, b""])


@pytest.mark.parametrize("data", [b"", gzip.compress(BODY)[:-1]], ids=["nothing", "a part"])
def test_a_body_that_is_cut_off_is_none(data):
    with pytest.raises(ValueError, match="cut"):
        inflated("gzip", [data])


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"no gzip", "broken"), (gzip.compress(b"") * 101, "too many members")],
    ids=["broken", "members"],
)
def test_what_is_not_in_the_coding_is_refused(data, said):
    with pytest.raises(ValueError, match=said):
        inflated("gzip", [data])


def test_a_coding_whose_package_is_missing_is_left_out():
    assert inflate._optional("proxy.no_such_package") is None
