"""What Sider's wire holds, as far as it is used. Fields that are only passed on have no type
here.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET

NAME = "sider"
Generation = Literal["v1", "v2", "v3", "chat"]

TEXT_PATHS: dict[Generation, str] = {
    "v1": "/api/v1/completion/text",
    "v2": "/api/v2/completion/text",
    "v3": "/api/v3/completion/text",
    "chat": "/api/chat/v1/completions",
}
# v1 to v3 repeat these in every chunk: the conversation, the question, the answer, the quota, the
# model.
REPEATED = (
    "cid",
    "req_message_id",
    "message_id",
    "total",
    "remain",
    "remain_period",
    "extra_quota",
    "extra_total",
    "chat_model",
)


class ReasoningContent(msgspec.Struct):
    """`status` is start, processing or finish."""

    status: str | None = None
    text: str | None = None


class Fragment(msgspec.Struct):
    """The part of a deep search's state that is read."""

    answer_fragment: str | None = None


class DeepSearch(msgspec.Struct):
    """While `status` is answering, `field` holds a piece of the answer."""

    status: str | None = None
    field: Fragment | None = None


class Data(msgspec.Struct):
    """A chunk's payload. v1 has no `type`; where there is one it names the field that counts."""

    type: str | None = None
    text: str | None = None
    reasoning_content: ReasoningContent | None = None
    deep_search: DeepSearch | None = None
    cid: Any = UNSET
    req_message_id: Any = UNSET
    message_id: Any = UNSET
    total: Any = UNSET
    remain: Any = UNSET
    remain_period: Any = UNSET
    extra_quota: Any = UNSET
    extra_total: Any = UNSET
    chat_model: Any = UNSET


class Chunk(msgspec.Struct):
    """`data` is null in an error, so look at `code` first."""

    code: int = 0
    msg: str | None = None
    data: Data | None = None


class Content(msgspec.Struct):
    """One part of `multi_content`. `user_input_text` is what was typed, `text` what the page made
    of it.
    """

    type: str = "text"
    text: str | None = None
    user_input_text: str | None = None


class Body(msgspec.Struct):
    """A client's request, of any generation. What the page says about itself (app_name, tz_name,
    from ...) asks for nothing.
    """

    prompt: str | None = None
    multi_content: list[Content] | None = None
    model: str | None = None
    stream: bool | None = None
    cid: str | None = None
    parent_message_id: str | None = None
    files: list[Any] | None = None
    tools: Any = None
    prompt_template: Any = None
    prompt_templates: Any = None
    search: bool | None = None
    auto_search: bool | None = None
    filter_search_history: bool | None = None
    chat_models: Any = None
    client_prompt: Any = None
    quote: Any = None
    output_language: Any = None
    extra_info: Any = None
    group_id: Any = None
    branch: Any = None
    app_name: str | None = None
    app_version: str | None = None
    tz_name: str | None = None
    from_: Any = msgspec.field(name="from", default=None)
    prompt_key: Any = None


def repeated(data: Data) -> dict[str, Any]:
    """The fields of REPEATED that a chunk has."""
    return {name: value for name in REPEATED if (value := getattr(data, name)) is not UNSET}
