"""What is read of an event of Qianfan's first API (ERNIE, `wenxinworkshop`). Source: Baidu's
reference and SDK, and the recordings.
"""

import msgspec
from msgspec import Raw

from proxy.codec.sse_json import ABSENT

NAME = "qianfan"


class Counts(msgspec.Struct, gc=False):
    """In every event; `completion_tokens` may be 0 until the last."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    plugins: Raw = ABSENT


class FunctionCall(msgspec.Struct, gc=False):
    """A call, whole. `thoughts` says why."""

    name: str | None = None
    thoughts: Raw = ABSENT
    arguments: str | None = None


class Found(msgspec.Struct, gc=False):
    """A page that a search found."""

    url: str | None = None
    title: str | None = None


class SearchInfo(msgspec.Struct, gc=False):
    """What a search found."""

    search_results: list[Found] | None = None


class Event(msgspec.Struct, gc=False):
    """One event: a sentence or clause in `result`, or what a plugin does. `is_end` alone says that
    it is the last.
    """

    id: str | None = None
    result: str | None = None
    is_end: bool | None = None
    is_truncated: bool | None = None
    finish_reason: str | None = None
    need_clear_history: bool | None = None
    ban_round: Raw = ABSENT
    function_call: FunctionCall | None = None
    search_info: SearchInfo | None = None
    usage: Counts | None = None
    plugin_metas: Raw = ABSENT
    plugin_info: Raw = ABSENT
    error_code: int | str | None = None
    error_msg: str | None = None
