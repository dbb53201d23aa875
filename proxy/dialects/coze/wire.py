"""What Coze's wire holds, as far as it is used. Source: Coze's API reference ("Chat V3", "Stream
run workflow") and its own SDKs.

Frames are named, and the name says what the JSON is: `conversation.message.*` a message,
`conversation.chat.*` the chat; a workflow's are `Message`, `Interrupt`, `Error`, `Done`. The last
frame's data is a JSON string, `"[DONE]"`.
"""

from typing import Any

import msgspec

NAME = "coze"
CHAT_PATH = "/v3/chat"
TOOLS_PATH = "/v3/chat/submit_tool_outputs"
WORKFLOW_PATH = "/v1/workflow/stream_run"


class Message(msgspec.Struct):
    """A piece of a message, or a whole one. Only those of type `answer` are the reply; a card's
    content is no text.
    """

    id: str | None = None
    type: str | None = None
    content: str | None = None
    content_type: str | None = None
    reasoning_content: str | None = None


class Counts(msgspec.Struct):
    """A chat's tokens."""

    input_count: int | None = None
    output_count: int | None = None


class Function(msgspec.Struct):
    """What a client's tool is asked."""

    name: str = ""
    arguments: str = ""


class ToolCall(msgspec.Struct):
    """A call of a tool that the client runs."""

    id: str = ""
    function: Function | None = None


class ToolOutputs(msgspec.Struct):
    """The calls that wait for their results."""

    tool_calls: list[ToolCall] | None = None


class RequiredAction(msgspec.Struct):
    """Why a chat stands still."""

    submit_tool_outputs: ToolOutputs | None = None


class Chat(msgspec.Struct):
    """The state of a chat. `last_error` has code 0 when all is well."""

    id: str | None = None
    conversation_id: str | None = None
    status: str | None = None
    last_error: Any = None
    usage: Counts | None = None
    required_action: RequiredAction | None = None


class Step(msgspec.Struct):
    """A piece of a workflow node's output."""

    content: str | None = None
    content_type: str | None = None
