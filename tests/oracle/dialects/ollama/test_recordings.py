"""Real bytes of the vendor: what the recordings hold is what comes out, for every split; and the
ollama SDK reads it from our encoder."""

from typing import Any

import pytest

from tests.dialects.answers import START
from tests.dialects.ollama.test_recordings import STREAMS, _answer, _events
from tests.oracle.dialects.ollama import sdk
from tests.support import recording_bytes


def _own(file: str) -> dict[str, Any]:
    """What the SDK itself gathers from the recording. One publisher left lines blank, on which the
    SDK fails and the vendor sends none."""
    lines = [
        line for line in recording_bytes(STREAMS[file]).splitlines(keepends=True) if line.strip()
    ]
    return sdk.said(sdk.parsed(b"".join(lines), generate=_generate(file)), generate=_generate(file))


def _generate(file: str) -> bool:
    return b'"response":' in recording_bytes(STREAMS[file])


@pytest.mark.parametrize("file", STREAMS)
def test_the_sdk_reads_from_our_encoder_what_the_recording_holds(file: str) -> None:
    """The same answer, to the last field that the SDK knows: durations, context and all."""
    generate = _generate(file)
    assert _own(file) == sdk.said(
        sdk.stream([START, *_events(file)], generate=generate), generate=generate
    )


@pytest.mark.parametrize("file", STREAMS)
def test_the_sdk_reads_the_whole_answer(file: str) -> None:
    generate = _generate(file)
    response = sdk.whole(_answer(file), generate=generate)
    assert _own(file) == sdk.said([response], generate=generate)
