"""Real answers of the vendor, from both of its services: what the recordings hold is what comes
out, for every split."""

from typing import Any

import pytest

from proxy.dialects.gemini.decode import GeminiDecoder
from tests.dialects.gemini import emit
from tests.dialects.gemini.test_recordings import CUT, LIMIT, NUMBERS, ROWS
from tests.oracle.dialects.gemini import sdk
from tests.support import decode, recording_bytes

STREAMED_ARGUMENTS = {  # the SDK leaves their pieces apart
    "gemini/vercel-google-stream-tool-call-arguments.chunks.jsonl",
    "vertex/vercel-google-vertex-stream-tool-call-arguments-nested-1.chunks.jsonl",
}


def readable(row: dict[str, Any]) -> bool:
    """Whether the SDK can read the recording itself: it knows no enums as numbers, which is for
    another of the vendor's clients."""
    return (
        row["error"] is None
        and row["file"] not in CUT | STREAMED_ARGUMENTS
        and row["finish"] not in NUMBERS
    )


@pytest.mark.parametrize("row", [row for row in ROWS if readable(row)], ids=lambda row: row["file"])
def test_the_sdk_sees_the_same_through_us(row: dict[str, Any]) -> None:
    """The vendor's SDK reads the recording itself, and what decoder and encoder make of it: same
    parts, signatures, finish and counts."""
    data = recording_bytes(row)
    direct = sdk.shown(sdk.streamed(sdk.as_events(data)))
    ours = sdk.shown(sdk.streamed(emit.encoded(decode(GeminiDecoder(LIMIT), [data]))))
    if direct["counts"] is None or None in (direct["counts"][0], direct["counts"][1]):
        del direct["counts"], ours["counts"]  # a total is not made of what is not known
    assert direct == {name: ours[name] for name in direct}
