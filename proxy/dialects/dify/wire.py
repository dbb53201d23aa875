"""What Dify's wire holds, as far as it is used. Source: Dify's API reference ("Send Chat Message")
and its web client.

Every frame is `data: {"event": ...}`; the one exception is the keep-alive, a bare `event: ping`
line.
"""

from typing import Any

import msgspec

NAME = "dify"
# Behind a base URL that ends in the version, as Dify's own pages print it (https://api.dify.ai/v1).
PATHS = {
    "chat": "/chat-messages",
    "completion": "/completion-messages",
    "workflow": "/workflows/run",
}
# The ids of a stream: the task (to stop it), the message, and the conversation, which a next
# question names.
IDS = ("task_id", "message_id", "conversation_id")


class TokenUsage(msgspec.Struct):
    """The counts of `metadata.usage`; beside them stand prices."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Resource(msgspec.Struct):
    """A piece of a knowledge base that the answer stands on."""

    document_name: str | None = None
    content: str | None = None
    url: str | None = None


class Metadata(msgspec.Struct):
    """Of `message_end`."""

    usage: TokenUsage | None = None
    retriever_resources: list[Resource] | None = None


class Chunk(msgspec.Struct):
    """One event. `answer` in those of a chat; `data` in those of a workflow."""

    event: str = ""
    answer: str | None = None
    task_id: str | None = None
    message_id: str | None = None
    conversation_id: str | None = None
    metadata: Metadata | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class NodeData(msgspec.Struct):
    """`data` of `text_chunk`, `text_replace`, `reasoning_chunk` and `workflow_finished`."""

    text: str | None = None
    reasoning: str | None = None
    is_final: bool | None = None
    status: str | None = None
    error: str | None = None
    outputs: Any = None


class File(msgspec.Struct):
    """A file beside the question: at an address, or uploaded to Dify before."""

    type: str
    transfer_method: str
    url: str | None = None
    upload_file_id: str | None = None


class Body(msgspec.Struct):
    """A client's request. `model` is ours: Dify's own clients name none, as the app decides it."""

    query: str
    inputs: dict[str, Any] | None = None
    response_mode: str | None = None
    user: str | None = None
    conversation_id: str | None = None
    files: list[File] | None = None
    auto_generate_name: bool | None = None
    workflow_id: str | None = None
    trace_id: str | None = None
    parent_message_id: str | None = None
    model: str | None = None
