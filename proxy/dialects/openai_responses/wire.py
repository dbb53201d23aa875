"""What we read and write of the Responses API's stream. Only what is used is declared; msgspec
skips the rest.

Source: OpenAI's API reference, "Streaming events"; the Open Responses specification has the same
events.
"""

from typing import Any

import msgspec
from msgspec import Raw

from proxy.events import BlockKind

NAME = "openai_responses"

TEXT_DELTA = "response.output_text.delta"
REFUSAL_DELTA = "response.refusal.delta"
REASONING_DELTA = "response.reasoning_text.delta"
SUMMARY_DELTA = "response.reasoning_summary_text.delta"
# Their names in the Open Responses specification, and in OpenAI's earlier reference.
OPEN_REASONING_DELTA = "response.reasoning.delta"
OPEN_SUMMARY_DELTA = "response.reasoning_summary.delta"
ARGUMENTS_DELTA = "response.function_call_arguments.delta"
CUSTOM_DELTA = "response.custom_tool_call_input.delta"
ANNOTATION = "response.output_text.annotation.added"
ITEM_ADDED = "response.output_item.added"
ITEM_DONE = "response.output_item.done"

IMAGE_ITEM = "image_generation_call"
# In our `vendor` events: an item of a kind below, whole, that is no block, as it says nothing.
ALONE = "alone"

# The items that become blocks. All others, the vendor's own tools among them, are opaque.
KINDS: dict[str, BlockKind] = {
    "message": "text",
    "reasoning": "reasoning",
    "function_call": "tool_call",
    "custom_tool_call": "tool_call",
}
# What of these items stands in the events of their blocks.
ITEM_KEYS = frozenset(
    {
        "id",
        "type",
        "status",
        "role",
        "content",
        "summary",
        "encrypted_content",
        "arguments",
        "input",
        "call_id",
        "name",
    }
)

# The value of a Raw field that an event does not have, and what such a field says when it says
# nothing.
ABSENT = Raw(b"")
QUIET = (ABSENT, Raw(b"[]"), Raw(b"null"))


class Piece(msgspec.Struct, gc=False):
    """What all events are read as first: enough for those that come by the hundred."""

    type: str = ""
    output_index: int | None = None
    content_index: int | None = 0
    summary_index: int | None = 0
    delta: Any = None
    logprobs: Raw = ABSENT
