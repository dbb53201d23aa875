"""What decoder and encoder of this dialect have in common: the lines' shapes, and the keys that are
not passed on.

Source: Ollama's API reference, "Generate a chat message" and "Generate a completion". Structs hold
what is used and tolerate the rest.
"""

import msgspec
from msgspec import Raw

from proxy.events import FinishReason

NAME = "ollama"

# The value of a Raw field that the line does not have.
ABSENT = Raw(b"")
NULL = Raw(b"null")


class Function(msgspec.Struct, gc=False):
    """A called function. `arguments` is an object, and stays as it was written."""

    name: str = ""
    arguments: Raw = ABSENT


class Call(msgspec.Struct, gc=False):
    """A tool call, always whole. Only newer versions give ids."""

    function: Function
    id: str | None = None


class Message(msgspec.Struct, gc=False):
    """What a line of /api/chat adds."""

    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Call] | None = None
    images: Raw = ABSENT


class Line(msgspec.Struct, gc=False):
    """One line. `message` is /api/chat's; `response` and `thinking` are /api/generate's."""

    message: Message | None = None
    response: str | None = None
    thinking: str | None = None
    done: bool | None = None
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    created_at: str | None = None
    error: Raw = ABSENT
    logprobs: Raw = ABSENT
    image: Raw = ABSENT


# Keys of the last line that have a place in the events, or say nothing. The others go into a
# `vendor` event: durations in nanoseconds, the context of /api/generate, the model as the server
# calls it.
PLACED = frozenset(
    {
        "message",
        "response",
        "thinking",
        "done",
        "done_reason",
        "prompt_eval_count",
        "eval_count",
        "created_at",
        "logprobs",
        "image",
    }
)
FINISH: dict[str, FinishReason] = {"stop": "stop", "length": "length"}
