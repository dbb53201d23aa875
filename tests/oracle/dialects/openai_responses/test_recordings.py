"""Real vendors' bytes: what the recordings hold is what comes out, for every split; and the openai
SDK reads it from our encoder."""

import pytest

from proxy.events import StreamEnd
from tests.dialects.answers import folded
from tests.dialects.openai_responses import emit
from tests.dialects.openai_responses.test_recordings import STREAMS, answers
from tests.oracle.dialects.openai_responses import sdk


@pytest.mark.parametrize("file", [file for file, row in STREAMS.items() if row["error"] is None])
def test_the_sdk_reads_from_our_encoder_what_the_recording_holds(file: str) -> None:
    """Streamed and accumulated, and as one document; the vendor's own items in their places."""
    for events in answers(STREAMS[file]):
        answer = folded([emit.START, *events])
        calls = [
            (block.tool.id, block.tool.name, block.text or "{}")
            for block in answer.tool_calls()
            if block.tool
        ]
        expected = (answer.text(), answer.reasoning(), calls)
        plain = sdk.streamed(events)
        assert list(range(len(plain))) == [event.sequence_number for event in plain]
        final = plain[-1].response
        whole = sdk.document(emit.CLIENT.whole(emit.parsed(), answer))
        assert expected == sdk.seen(final) == sdk.seen(whole)
        assert isinstance(events[-1], StreamEnd)
        assert events[-1].finish.raw == (
            final.status
            if final.status == "completed"
            else f"{final.status}:{final.incomplete_details.reason}"
        )
        assert [item.type for item in final.output] == [item.type for item in whole.output]
        assert [getattr(item, "phase", None) for item in final.output] == [
            getattr(item, "phase", None) for item in whole.output
        ]
        assert final.usage is not None
        assert final.usage == whole.usage
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (
            final.usage.input_tokens,
            final.usage.output_tokens,
        )
        if final.status == "completed":
            assert expected == sdk.seen(sdk.accumulated(events))
        final.model_dump(mode="json", warnings="error")
