"""The decoder against real answers of the vendor: expected facts come from a plain pass over the
recordings, not from this project."""

from typing import Any

import pytest

from tests.dialects.anthropic.test_recordings import ROWS, WHOLE_ARGUMENTS, decoder
from tests.oracle.dialects.anthropic.sdk import ASK, client, streamed
from tests.support import decode, recording_bytes

_FIELDS = (
    "type",
    "text",
    "thinking",
    "signature",
    "data",
    "id",
    "name",
    "input",
    "content",
    "tool_use_id",
)


def shown(message: Any) -> list[Any]:
    """What a user of the SDK sees of a message. Deltas of compaction are known to its beta only, so
    of such a block its type."""
    blocks = [
        {
            name: getattr(block, name, None)
            for name in (_FIELDS[:1] if block.type == "compaction" else _FIELDS)
        }
        for block in message.content
    ]
    usage = message.usage
    return [
        blocks,
        message.stop_reason,
        message.stop_sequence,
        usage.input_tokens,
        usage.cache_read_input_tokens or 0,
        usage.output_tokens,
    ]


@pytest.mark.parametrize(
    "row",
    [r for r in ROWS if "contested" not in r and r["file"] not in WHOLE_ARGUMENTS],
    ids=lambda row: row["file"],
)
def test_the_sdk_sees_the_same_through_us(row: dict[str, Any]) -> None:
    """The vendor's SDK reads the recording itself, and what decoder and encoder make of it: same
    blocks, stop and counts."""
    data = recording_bytes(row)
    with client(data) as api, api.messages.stream(**ASK) as stream:
        direct = stream.get_final_message()
    assert shown(direct) == shown(streamed(decode(decoder(), [data])))
