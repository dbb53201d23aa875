"""What vendors may send, in small: one table, each case fed whole, byte by byte and cut at
random."""

import json
from typing import Any, NamedTuple

import pytest
from msgspec import UNSET

from proxy.codec.fold import WholeAnswer
from proxy.dialects.openai_chat.decode import ChatDecoder
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Image,
    StreamEnd,
    Usage,
    UsageEvent,
    Vendor,
)
from tests.support import decode, splits

MAX = 1 << 16
DONE = b"data: [DONE]\n\n"


def frame(value: Any) -> bytes:
    return b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n"


def delta(said: dict[str, Any], finish: str | None = None, index: int = 0, **top: Any) -> bytes:
    return frame(
        {"id": "c1", "choices": [{"index": index, "delta": said, "finish_reason": finish}], **top}
    )


def call(said: dict[str, Any] | list[Any], finish: str | None = None) -> bytes:
    return delta({"tool_calls": said if isinstance(said, list) else [said]}, finish)


def piece(
    arguments: Any, name: str | None = None, index: int | None = 0, **more: Any
) -> dict[str, Any]:
    said = {
        "function": {"arguments": arguments, **({} if name is None else {"name": name})},
        **more,
    }
    return said if index is None else {"index": index, **said}


def message(said: dict[str, Any], finish: str | None = None) -> bytes:
    return frame({"choices": [{"index": 0, "message": said, "finish_reason": finish}]})


HI = delta({"role": "assistant", "content": "hi"})
STOP = delta({}, "stop")
_COUNTED = delta({}, "stop", usage={"prompt_tokens": 4, "completion_tokens": 2})
LINES = (HI + _COUNTED).replace(b"data: ", b"").replace(b"\n\n", b"\n")


class Case(NamedTuple):
    """`finish` is (reason, raw); `error` is (kind, status, a word of the message)."""

    name: str
    body: bytes
    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    finish: tuple[str, str | None] | None = None
    usage: Usage | None = None
    error: tuple[str, int, str] | None = None


CASES = [
    Case("a plain answer", HI + STOP + DONE, "hi", finish=("stop", "stop")),
    Case("the last frame lacks its blank line", HI + STOP + b"data: [DONE]", "hi", finish=("stop", "stop")),
    Case("no terminator, but a finish reason", HI + STOP, "hi", finish=("stop", "stop")),
    Case("a terminator, but no finish reason", HI + DONE, "hi", error=("upstream_truncated", 502, "without saying why")),
    Case("no finish reason after a call", call(piece("[]", "f", id="a")) + DONE, calls=(("f", "[]"),), error=("upstream_truncated", 502, "without saying why")),
    Case("a finish reason in other letters", call(piece("{}", "f", id="a")) + delta({}, "Tool-Calls") + DONE, calls=(("f", "{}"),), finish=("tool_calls", "Tool-Calls")),
    Case("another one", HI + delta({}, "MAX_TOKENS") + DONE, "hi", finish=("length", "MAX_TOKENS")),
    Case("a word that ends in error", HI + delta({}, "internal-error") + DONE, "hi", error=("upstream_error", 502, "internal-error")),
    Case("an empty finish reason is none", delta({"content": "a"}, "") + delta({"content": "b"}, "length") + DONE, "ab", finish=("length", "length")),
    Case("the text null is no finish reason", delta({"content": "a"}, "null") + STOP, "a", finish=("stop", "stop")),
    Case("null does not undo a finish reason", HI + delta({}, "length") + delta({"content": ""}) + DONE, "hi", finish=("length", "length")),
    Case("an unknown finish reason is other", HI + delta({}, "moon") + DONE, "hi", finish=("other", "moon")),
    Case("an answer of nothing, said to be complete", STOP + DONE, finish=("stop", "stop")),
    Case("stop after a tool call is tool_calls", call(piece("{}", "f", id="a")) + STOP + DONE, calls=(("f", "{}"),), finish=("tool_calls", "stop")),
    Case("a refusal is text", delta({"refusal": "no"}) + STOP + DONE, "no", finish=("refusal", "stop")),
    Case("refusal '' is none", delta({"content": "a", "refusal": ""}) + STOP + DONE, "a", finish=("stop", "stop")),
    Case("CRLF, comments, no space", b": ping\r\n\r\n" + (HI + STOP + DONE).replace(b"\n", b"\r\n").replace(b"data: ", b"data:"), "hi", finish=("stop", "stop")),
    Case("empty and ping frames are passed over", b"data: \n\nevent: ping\ndata: x\n\n" + HI + STOP + DONE, "hi", finish=("stop", "stop")),
    Case("frames that are no chunks are passed over", frame({"type": "ping"}) + HI + frame({"choices": None}) + STOP + DONE, "hi", finish=("stop", "stop")),
    Case("named frames are read", HI.replace(b"data", b"event: chunk\ndata", 1) + STOP + DONE, "hi", finish=("stop", "stop")),
    Case("what follows the terminator is ignored", HI + STOP + DONE + HI + frame({"error": "late"}), "hi", finish=("stop", "stop")),
    Case("nulls wherever nothing is meant", frame({"choices": [{"index": None, "delta": {"content": "a", "tool_calls": None, "refusal": None, "reasoning": None}, "message": None, "error": None}], "error": None, "usage": None, "code": None}) + STOP + DONE, "a", finish=("stop", "stop")),
    Case("an empty error is none", delta({"content": "a"}, error={}) + STOP + DONE, "a", finish=("stop", "stop")),
    Case("an error of the vendor behind it, said to be a stop", frame({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop", "native_finish_reason": "network_error"}]}) + DONE, error=("upstream_error", 502, "network_error")),
    Case("a detail where a chunk should be", HI + frame({"detail": "out of memory"}), "hi", error=("upstream_error", 502, "out of memory")),
    Case("an error by its type", HI + frame({"type": "error", "message": "too hot"}), "hi", error=("upstream_error", 502, "too hot")),
    Case("Cloudflare's errors", HI + frame({"success": False, "errors": [{"code": 7009, "message": "gone"}], "result": {}}), "hi", error=("upstream_error", 502, "gone")),
    Case("null says nothing", b"data: null\n\n" + HI + STOP + DONE, "hi", finish=("stop", "stop")),
    Case("a list of chunks in one event", frame([{"choices": [{"delta": {"content": text}}]} for text in "hi"]) + STOP + DONE, "hi", finish=("stop", "stop")),
    Case("a chunk on each line, and no events", LINES, "hi", finish=("stop", "stop"), usage=Usage(4, 2)),
    Case("the same with the terminator", LINES + b"[DONE]\n", "hi", finish=("stop", "stop"), usage=Usage(4, 2)),
    Case("the same, cut", LINES[:60], "", error=("upstream_truncated", 502, "before it was complete")),
    Case("a line without a finish", LINES.partition(b"\n")[0] + b"\n", "hi", error=("upstream_truncated", 502, "before it was complete")),
    Case("lines, of which the first has no choice", b'{"choices": [], "prompt_filter_results": []}\n' + LINES, "hi", finish=("stop", "stop"), usage=Usage(4, 2)),
    Case("an error on a line", LINES.partition(b"\n")[0] + b'\n{"error": {"message": "gone"}}\n', "hi", error=("upstream_error", 502, "gone")),
    Case("noughts behind the counts", HI + delta({}, "stop", usage={"prompt_tokens": 4, "completion_tokens": 2}) + frame({"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}) + DONE, "hi", finish=("stop", "stop"), usage=Usage(4, 2)),
    Case("the terminator in quotes", HI + STOP + b'data: "[DONE]"\n\n', "hi", finish=("stop", "stop")),
    Case("counted, but without a finish", HI + frame({"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 2}}) + DONE, "hi", finish=("stop", None), usage=Usage(4, 2)),
    Case("a call that is counted, without a finish", call(piece("{}", "f", id="x")) + frame({"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 2}}) + DONE, calls=(("f", "{}"),), finish=("tool_calls", None), usage=Usage(4, 2)),
    Case("counted with every piece, without a finish", delta({"content": "h"}, usage={"completion_tokens": 1}) + delta({"content": "i"}, usage={"completion_tokens": 2}) + DONE, "hi", error=("upstream_truncated", 502, "without saying why"), usage=Usage(None, 2)),
    Case("counted, but nothing said", frame({"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 2}}) + DONE, error=("upstream_truncated", 502, "without saying why"), usage=Usage(4, 2)),
    # Reasoning, under its names.
    Case("reasoning_content", delta({"reasoning_content": "hm", "content": None}) + HI + STOP + DONE, "hi", "hm", finish=("stop", "stop")),
    Case("reasoning", delta({"reasoning": "hm", "channel": "analysis"}) + HI + STOP + DONE, "hi", "hm", finish=("stop", "stop")),
    Case("both names are one thing", delta({"reasoning": "hm", "reasoning_content": "hm"}) + HI + STOP + DONE, "hi", "hm", finish=("stop", "stop")),
    Case("reasoning and its details are one thing", delta({"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}) + HI + STOP + DONE, "hi", "hm", finish=("stop", "stop")),
    Case("details alone", delta({"reasoning_details": [{"summary": "h"}, {"text": "m"}, "?"]}) + HI + STOP + DONE, "hi", "hm", finish=("stop", "stop")),
    Case("reasoning_text", delta({"reasoning_text": "hm", "content": None}) + HI + STOP + DONE, "hi", "hm", finish=("stop", "stop")),
    Case("thinking", delta({"thinking": "hm"}) + HI + STOP + DONE, "hi", "hm", finish=("stop", "stop")),
    Case("think tags stay text", delta({"content": "<think>a</think>b"}) + STOP + DONE, "<think>a</think>b", finish=("stop", "stop")),
    Case("typed parts", delta({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "hi"}, {"type": "reference", "reference_ids": [1]}]}) + STOP + DONE, "hi", "hm", finish=("stop", "stop")),
    Case("thinking as a text of its own", delta({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hi"}]}) + STOP + DONE, "hi", "hm", finish=("stop", "stop")),
    Case("Databricks' parts", delta({"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "h"}, {"type": "summary_text", "text": "m"}, 1]}, {"type": "text", "text": "hi"}]}) + STOP + DONE, "hi", "hm", finish=("stop", "stop")),
    Case("a list of errors in a named event", b'event: odd\ndata: [{"error": {"message": "gone"}}]\n\n', error=("upstream_error", 502, "gone")),
    Case("a part that is no list and has no type", delta({"content": {"text": "h"}}) + delta({"content": {"type": "output_text", "text": "i"}}) + STOP + DONE, "hi", finish=("stop", "stop")),
    # Tool calls.
    Case("pieces of two calls, interleaved", call(piece('{"a"', "f", 0, id="x")) + call(piece("[", "g", 1, id="y")) + call([piece(":1}"), piece("]", index=1)]) + delta({}, "tool_calls") + DONE, calls=(("f", '{"a":1}'), ("g", "[]")), finish=("tool_calls", "tool_calls")),
    Case("no index: the place counts", call([piece("1", "f", None, id="x"), piece("2", "g", None, id="y")], "tool_calls") + DONE, calls=(("f", "1"), ("g", "2")), finish=("tool_calls", "tool_calls")),
    Case("whole calls, all with index 0", call(piece("{}", "f", id="x")) + call(piece("{}", "f", id="y")) + delta({}, "tool_calls") + DONE, calls=(("f", "{}"), ("f", "{}")), finish=("tool_calls", "tool_calls")),
    Case("the id and an empty name again", call(piece("{", "f", id="x")) + call(piece("}", "", id="x")) + delta({}, "tool_calls") + DONE, calls=(("f", "{}"),), finish=("tool_calls", "tool_calls")),
    Case("a new id without a name is the same call", call(piece("{", "f", id="x")) + call(piece("}", id="y")) + delta({}, "tool_calls") + DONE, calls=(("f", "{}"),), finish=("tool_calls", "tool_calls")),
    Case("a new id and the name again with every piece", call(piece("{", "f", id="x")) + call(piece('"a"', "f", id="y")) + call(piece(":1}", "f", id="z")) + delta({}, "tool_calls") + DONE, calls=(("f", '{"a":1}'),), finish=("tool_calls", "tool_calls")),
    Case("an empty id is no new call", call(piece("{", "f", id="x")) + call(piece("}", id="")) + delta({}, "tool_calls") + DONE, calls=(("f", "{}"),), finish=("tool_calls", "tool_calls")),
    Case("the name comes late", call(piece("{", id="x")) + call(piece("}", "f")) + delta({}, "tool_calls") + DONE, calls=(("f", "{}"),), finish=("tool_calls", "tool_calls")),
    Case("the name never comes", call(piece("{}", id="x")) + delta({}, "tool_calls") + DONE, calls=(("", "{}"),), finish=("tool_calls", "tool_calls")),
    Case("no id at all", call(piece("{}", "f")) + delta({}, "tool_calls") + DONE, calls=(("f", "{}"),), finish=("tool_calls", "tool_calls")),
    Case("arguments as an object", call(piece({"a": 1}, "f", id="x"), "tool_calls") + DONE, calls=(("f", '{"a":1}'),), finish=("tool_calls", "tool_calls")),
    Case("arguments null", call(piece(None, "f", id="x"), "tool_calls") + DONE, calls=(("f", ""),), finish=("tool_calls", "tool_calls")),
    Case("a call that is no list", delta({"tool_calls": piece("{}", "f", id="x")}, "tool_calls") + DONE, calls=(("f", "{}"),), finish=("tool_calls", "tool_calls")),
    Case("two whole calls at one index, without ids", call(piece('{"q":1}', "f")) + call(piece('{"q":2}', "g")) + delta({}, "tool_calls") + DONE, calls=(("f", '{"q":1}'), ("g", '{"q":2}')), finish=("tool_calls", "tool_calls")),
    Case("two whole calls of one function at one index", call(piece('{"q":1}', "f", id="")) + call(piece('{"q":2}', "f", id="")) + delta({}, "tool_calls") + DONE, calls=(("f", '{"q":1}'), ("f", '{"q":2}')), finish=("tool_calls", "tool_calls")),
    Case("a name in pieces", call(piece("", "lo", id="x")) + call(piece("", "ok_")) + call(piece("{", "up")) + call(piece("}")) + delta({}, "tool_calls") + DONE, calls=(("look_up", "{}"),), finish=("tool_calls", "tool_calls")),
    Case("the name again with every piece", call(piece("", "look", id="x")) + call(piece('{"a":', "look")) + call(piece("1}", "look")) + call(piece("", "look")) + delta({}, "tool_calls") + DONE, calls=(("look", '{"a":1}'),), finish=("tool_calls", "tool_calls")),
    Case("a name, then text", call(piece("", "look", id="x")) + HI + delta({}, "tool_calls") + DONE, "hi", calls=(("look", ""),), finish=("tool_calls", "tool_calls")),
    Case("free text", call({"index": 0, "id": "x", "type": "custom", "custom": {"name": "run", "input": 'a"'}}) + call({"index": 0, "custom": {"input": "\n"}}) + delta({}, "tool_calls") + DONE, calls=(("run", '{"input":"a\\"\\n"}'),), finish=("tool_calls", "tool_calls")),
    Case("the old function_call", delta({"function_call": {"name": "f", "arguments": "{"}}) + delta({"function_call": {"arguments": "}"}}, "function_call") + DONE, calls=(("f", "{}"),), finish=("tool_calls", "function_call")),
    Case("text after a call", call(piece("{}", "f", id="x")) + HI + delta({}, "tool_calls") + DONE, "hi", calls=(("f", "{}"),), finish=("tool_calls", "tool_calls")),
    # Usage.
    Case("usage in a chunk of its own", HI + STOP + frame({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 2}, "completion_tokens_details": {"reasoning_tokens": 4}}}) + DONE, "hi", finish=("stop", "stop"), usage=Usage(3, 5, 2, 4)),
    Case("usage of zeros is usage", HI + delta({}, "stop", usage={"prompt_tokens": 0, "completion_tokens": 0}) + DONE, "hi", finish=("stop", "stop"), usage=Usage(0, 0)),
    Case("usage within the choice", frame({"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop", "usage": {"prompt_tokens": 3, "completion_tokens": 5, "cached_tokens": 1}}]}) + DONE, "hi", finish=("stop", "stop"), usage=Usage(3, 5, 1)),
    Case("usage twice in one chunk", HI + delta({}, "stop", usage={"prompt_tokens": 3, "completion_tokens": 5}, x_groq={"usage": {"prompt_tokens": 9}}) + DONE, "hi", finish=("stop", "stop"), usage=Usage(3, 5)),
    Case("usage only in x_groq", HI + delta({}, "stop", x_groq={"usage": {"prompt_tokens": 3, "completion_tokens": 5}}) + DONE, "hi", finish=("stop", "stop"), usage=Usage(3, 5)),
    Case("reasoning outside the completion", HI + delta({}, "stop", usage={"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 12, "completion_tokens_details": {"reasoning_tokens": 4}}), "hi", finish=("stop", "stop"), usage=Usage(3, 9, None, 4)),
    Case("DeepSeek's cache", HI + delta({}, "stop", usage={"prompt_tokens": 3, "completion_tokens": 5, "prompt_cache_hit_tokens": 2}), "hi", finish=("stop", "stop"), usage=Usage(3, 5, 2)),
    Case("counts that are none", HI + delta({}, "stop", usage={"prompt_tokens": "3", "completion_tokens": -1, "prompt_tokens_details": 7}), "hi", finish=("stop", "stop"), usage=Usage(3)),
    Case("counts with a fraction of zero", HI + delta({}, "stop", usage={"prompt_tokens": 3.0, "completion_tokens": "2.0"}), "hi", finish=("stop", "stop"), usage=Usage(3, 2)),
    Case("counts out of reason", HI + delta({}, "stop", usage={"prompt_tokens": 10**20, "completion_tokens": 2.5}), "hi", finish=("stop", "stop")),
    Case("caches written and audio", HI + delta({}, "stop", usage={"prompt_tokens": 9, "completion_tokens": 8, "prompt_tokens_details": {"audio_tokens": 2, "cache_write_tokens": 3}, "completion_tokens_details": {"audio_tokens": 4}}), "hi", finish=("stop", "stop"), usage=Usage(9, 8, None, None, 3, 2, 4)),
    Case("usage alone is no finish", frame({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 0}}) + DONE, usage=Usage(3, 0), error=("upstream_truncated", 502, "without saying why")),
    # Answers that are no streams.
    Case("a whole answer in one frame", frame({"object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}) + DONE, "hi", finish=("stop", "stop")),
    Case("a whole answer as the body", json.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": {"content": None, "reasoning_content": "hm", "tool_calls": [piece("{}", "f", None, id="x")]}, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}, indent=2).encode(), reasoning="hm", calls=(("f", "{}"),), finish=("tool_calls", "tool_calls"), usage=Usage(3, 5)),
    Case("a whole answer behind blank lines", b"\n\n\n" + json.dumps({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}).encode(), "hi", finish=("stop", "stop")),
    Case("a message beside the delta repeats it", frame({"choices": [{"index": 0, "delta": {"content": "b"}, "message": {"content": "ab"}, "finish_reason": "stop"}]}), "b", finish=("stop", "stop")),
    Case("a text twice", frame({"choices": [{"index": 0, "text": "a", "delta": {"content": "a"}}]}) + STOP + DONE, "a", finish=("stop", "stop")),
    Case("a legacy completion", frame({"object": "text_completion", "choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]}) + DONE, "a", finish=("stop", "stop")),
    # Bytes that are not quite JSON.
    Case("invalid UTF-8", frame(b'{"choices":[{"delta":{"content":"a\xffb"}}]}') + STOP + DONE, "a\ufffdb", finish=("stop", "stop")),
    Case("half a surrogate pair", frame(b'{"choices":[{"delta":{"content":"a\\ud83d"}}]}') + STOP + DONE, "a\ufffd", finish=("stop", "stop")),
    Case("NaN and a bare tab", frame(b'{"choices":[{"delta":{"content":"a\tb"},"logprobs":{"x":NaN}}]}') + STOP + DONE, "a\tb", finish=("stop", "stop")),
    # Errors.
    Case("an error", HI + frame({"error": {"message": "no luck", "type": "server_error", "code": None}}), "hi", error=("upstream_error", 502, "no luck")),
    Case("an error beside choices, and what was counted", HI + delta({"content": ""}, error={"code": 429, "message": "slow down"}, usage={"prompt_tokens": 3, "completion_tokens": 5}) + DONE, "hi", usage=Usage(3, 5), error=("upstream_error", 429, "slow down")),
    Case("an error within a choice", HI + frame({"choices": [{"index": 0, "delta": {}, "finish_reason": "error", "error": {"code": 502, "message": "provider"}}]}), "hi", error=("upstream_error", 502, "provider")),
    Case("an error as text", HI + frame({"error": "too long", "error_type": "validation"}), "hi", error=("upstream_error", 422, "too long")),
    Case("object: error", HI + frame({"object": "error", "message": "broken", "code": 400}) + DONE, "hi", error=("upstream_error", 400, "broken")),
    Case("a code that is not 0", frame({"code": 0, "message": "Success", "choices": [{"delta": {"content": "hi"}}]}) + frame({"code": 11202, "message": "too many", "sid": "s"}), "hi", error=("upstream_error", 429, "too many")),
    Case("a frame named error", HI + b'event: error\ndata: {"message": "bad", "status_code": 400}\n\n', "hi", error=("upstream_error", 400, "bad")),
    Case("a frame named error, of plain text", HI + b"event: error\ndata: out of luck\n\n", "hi", error=("upstream_error", 502, "out of luck")),
    Case("an error as a bare line", HI + b'{"error": {"message": "bare", "code": 503}}\n', "hi", error=("upstream_error", 502, "bare")),
    Case("an error as a bare line before the terminator", HI + b'{"error": {"message": "bare"}}\n\n' + DONE, "hi", error=("upstream_error", 502, "bare")),
    Case("a bare line that is no error", HI + b'{"took": 3}\n\n' + STOP + DONE, "hi", finish=("stop", "stop")),
    Case("an error as the body", json.dumps({"error": {"message": "quota", "code": "insufficient_quota"}}, indent=1).encode(), error=("upstream_error", 429, "quota")),
    Case("an error in a list", b'[{"error": {"message": "listed", "code": 400}}]', error=("upstream_error", 400, "listed")),
    Case("an error in a list, in a frame", HI + frame([{"error": {"message": "listed", "code": 400}}]), "hi", error=("upstream_error", 400, "listed")),
    Case("an error without a message", HI + frame({"error": {"code": 500}}), "hi", error=("upstream_error", 502, "without a message")),
    Case("a finish reason that is an error", HI + delta({}, "network_error") + DONE, "hi", error=("upstream_error", 502, "network_error")),
    Case("an error after the finish reason", HI + STOP + frame({"error": "late"}) + DONE, "hi", error=("upstream_error", 502, "late")),
    # Ends that are none.
    Case("cut after some text", HI, "hi", error=("upstream_truncated", 502, "before it was complete")),
    Case("cut within a frame", HI + STOP[:-20], "hi", error=("upstream_truncated", 502, "before it was complete")),
    Case("nothing", b"", error=("upstream_truncated", 502, "before it was complete")),
    Case("only comments", b": ping\n\n: ping\n\n", error=("upstream_truncated", 502, "before it was complete")),
    Case("only a terminator", DONE, error=("upstream_malformed", 502, "anything")),
    Case("only a role", delta({"role": "assistant", "content": ""}) + DONE, error=("upstream_malformed", 502, "anything")),
    Case("one of two choices is cut", HI + delta({"content": "x"}, index=1) + STOP, "hi", error=("upstream_truncated", 502, "before it was complete")),
    Case("half a document", b'{"choices": [{"message": {"content": "hi"', error=("upstream_truncated", 502, "before it was complete")),
    Case("a web page", b"<html>\n<body>Sign in</body>\n</html>\n", error=("upstream_malformed", 502, "<html>")),
    Case("another document", b'{"hello": "world"}', error=("upstream_malformed", 502, "hello")),
    Case("a frame of text", HI + b"data: so sorry\n\n" + DONE, "hi", error=("upstream_malformed", 502, "so sorry")),
    Case("a field of a wrong type costs that field", HI + frame({"choices": [{"delta": {"content": 5, "refusal": False, "reasoning_content": "hm"}}]}) + STOP + DONE, "hi", "hm", finish=("stop", "stop")),
    Case("choices of a wrong type", HI + frame({"choices": "none"}) + STOP + DONE, "hi", finish=("stop", "stop")),
    Case("an index as text, and one with a fraction", frame({"choices": [{"index": "0", "delta": {"content": "a"}}]}) + frame({"choices": [{"index": 0.0, "delta": {"content": "b"}}]}) + STOP + DONE, "ab", finish=("stop", "stop")),
    Case("a delta that is a list", HI + frame({"choices": [{"index": 0, "delta": []}]}) + STOP + DONE, "hi", finish=("stop", "stop")),
    Case("reasoning as an object", delta({"reasoning_content": {"text": "hm"}}) + delta({"reasoning_content": {"signature": "s"}}) + HI + STOP + DONE, "hi", "hm", finish=("stop", "stop")),
    # Several documents in one event.
    Case("two data lines", HI[:-1] + delta({"content": "!"}) + STOP + DONE, "hi!", finish=("stop", "stop")),
    Case("two documents in a line", frame(HI[6:-2] + b" " + delta({"content": "!"})[6:-2]) + STOP + DONE, "hi!", finish=("stop", "stop")),
    Case("a second document on a bare line", HI[:-1] + delta({"content": "!"})[6:] + STOP + DONE, "hi!", finish=("stop", "stop")),
    Case("the terminator in the last event", HI + STOP[:-1] + DONE, "hi", finish=("stop", "stop")),
    Case("a document and half of one", HI[:-1] + b'data: {"choices":\n\n' + STOP + DONE, error=("upstream_malformed", 502, "not JSON")),
    # llama.cpp's own field.
    Case("a field named error", HI + b'error: {"code":500,"message":"no room"}\n\n', "hi", error=("upstream_error", 502, "no room")),
    Case("a field named error, before the terminator", HI + b'error: {"code":400,"message":"no room"}\n\n' + DONE, "hi", error=("upstream_error", 400, "no room")),
    Case("a field named error, first", b'error: {"code":500,"message":"no room"}\n\n' + DONE, error=("upstream_error", 502, "no room")),
    # MiniMax.
    Case("the whole message once more", HI + delta({"reasoning_content": "hm"}) + frame({"object": "chat.completion", "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "hi", "reasoning_content": "hm"}}], "base_resp": {"status_code": 0, "status_msg": ""}}), "hi", "hm", finish=("stop", "stop")),
    Case("the error beside the answer", frame({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}), error=("upstream_error", 402, "insufficient balance")),
    # Chunks with a message where others have a delta.
    Case("messages in pieces", message({"content": "h"}) + message({"content": "i"}) + message({"content": ""}, "stop"), "hi", finish=("stop", "stop")),
    Case("messages in pieces that are alike", message({"content": "ha"}) + message({"content": "ha"}) + message({}, "stop"), "haha", finish=("stop", "stop")),
    Case("messages that repeat what was said", message({"content": "h", "reasoning_content": "h"}) + message({"content": "hi", "reasoning_content": "hm"}) + message({"content": "hi!", "reasoning_content": "hm"}, "stop"), "hi!", "hm", finish=("stop", "stop")),
    Case("a call that messages repeat", message({"tool_calls": [piece('{"a"', "f", id="c")]}) + message({"tool_calls": [piece('{"a":1}', "f", None, id="c")]}, "tool_calls"), calls=(("f", '{"a":1}'),), finish=("tool_calls", "tool_calls")),
    # Cloudflare's calls, which have no `function`.
    Case("flat calls", call([{"id": "a", "name": "f", "arguments": {"a": 1}}, {"id": "b", "name": "g", "arguments": "{}"}]) + message({"tool_calls": []}, "stop"), calls=(("f", '{"a":1}'), ("g", "{}")), finish=("tool_calls", "stop")),
    Case("a number", HI + b"data: 5\n\n" + DONE, "hi", error=("upstream_malformed", 502, "5")),
    Case("too large a frame", HI + delta({"content": "x" * MAX}), "hi", error=("upstream_malformed", 502, "larger than")),
    Case("nested out of reason", HI + frame(b'{"choices":[{"delta":{"content":[' + b"[" * 500 + b"]" * 500 + b"]}}]}") + DONE, "hi", error=("upstream_malformed", 502, "")),
    Case("usage nested out of reason", HI + frame(b'{"choices":[],"usage":{"x":' + b"[" * 500 + b"]" * 500 + b"}}") + DONE, "hi", error=("upstream_malformed", 502, "nested")),
    Case("nested beyond any stack", HI + frame(b'{"x_groq":' + b"[" * 20000 + b"]" * 20000 + b',"choices":[]}') + DONE, "hi", error=("upstream_malformed", 502, "")),
]  # fmt: skip


def events_of(body: bytes) -> list[Event]:
    return decode(ChatDecoder(MAX), [body])


def answer_of(events: list[Event]) -> WholeAnswer:
    answer = WholeAnswer()
    for event in events:
        answer.add(event)
    return answer


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_comes_out_as_it_is_meant_for_every_split(case: Case) -> None:
    for chunks in (
        splits(case.body, seed=len(case.body)) if len(case.body) < 10_000 else [[case.body]]
    ):
        answer = answer_of(decode(ChatDecoder(MAX), chunks))
        assert case.text == answer.text()
        assert case.reasoning == answer.reasoning()
        assert case.calls == tuple((b.tool.name, b.text) for b in answer.tool_calls() if b.tool)
        assert (case.usage or Usage()) == answer.usage
        if case.error is None:
            assert answer.error is None
            assert case.finish == (answer.finish.reason, answer.finish.raw)
        else:
            assert answer.error is not None
            assert case.error[:2] == (answer.error.kind, answer.error.status)
            assert case.error[2] in answer.error.message
            assert len(answer.error.message) < 300


def vendor_data(events: list[Event]) -> list[Any]:
    return [event.data for event in events if isinstance(event, Vendor)]


def test_a_vendors_extras_are_told_once_and_again_when_they_change() -> None:
    """They stand where the vendor put them, so that a client of this dialect finds them there."""
    body = b"".join(
        frame(
            {
                "service_tier": tier,
                "choices": [
                    {
                        "index": 0,
                        "delta": {"content": "x"},
                        "content_filter_results": {"hate": "safe"},
                    }
                ],
            }
        )
        for tier in ("flex", "flex", "auto")
    )
    events = events_of(body + STOP + DONE)
    assert [
        {"service_tier": "flex"},
        {"choices": [{"index": 0, "content_filter_results": {"hate": "safe"}}]},
        {"service_tier": "auto"},
    ] == vendor_data(events)


def test_every_piece_of_logprobs_is_told() -> None:
    body = b"".join(
        frame(
            {
                "choices": [
                    {"index": 0, "delta": {"content": t}, "logprobs": {"content": [{"token": t}]}}
                ]
            }
        )
        for t in "ab"
    )
    assert ["a", "b"] == [
        data["choices"][0]["logprobs"]["content"][0]["token"]
        for data in vendor_data(events_of(body + STOP + DONE))
    ]


def test_what_usage_tells_beyond_our_counts_is_told_at_the_end() -> None:
    usage = {
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "cost": 0.5,
        "is_byok": False,
        "prompt_tokens_details": {"video_tokens": 3},
    }
    events = events_of(HI + STOP + frame({"choices": [], "usage": usage}) + DONE)
    assert [{"usage": {"cost": 0.5, "prompt_tokens_details": {"video_tokens": 3}}}] == vendor_data(
        events
    )
    assert isinstance(events[-2], Vendor)


def test_usage_is_told_only_when_it_changes() -> None:
    same = {"prompt_tokens": 1, "completion_tokens": 1}
    body = (
        delta({"content": "a"}, usage=same)
        + delta({"content": "b"}, usage={**same, "x": 1})
        + delta({}, "stop", usage={**same, "completion_tokens": 2})
    )
    assert [UsageEvent(1, 1), UsageEvent(1, 2)] == [
        event for event in events_of(body) if isinstance(event, UsageEvent)
    ]


def test_unknown_parts_are_kept() -> None:
    reference = {"type": "reference", "reference_ids": [1]}
    body = (
        delta({"reasoning_details": [{"type": "reasoning.moon", "phase": 1}]})
        + delta({"content": [reference]})
        + delta({"audio": {"data": "UklG"}})
        + HI
        + STOP
        + DONE
    )
    kept = [data["choices"][0]["delta"] for data in vendor_data(events_of(body))]
    assert [
        {"reasoning_details": [{"type": "reasoning.moon", "phase": 1}]},
        {"content": [reference]},
        {"audio": {"data": "UklG"}},
    ] == kept


def ends(body: bytes) -> list[BlockEnd]:
    """The ends of blocks that have a proof."""
    return [
        event
        for event in events_of(body)
        if isinstance(event, BlockEnd) and event.signature is not UNSET
    ]


def test_encrypted_reasoning_is_a_block_of_its_own() -> None:
    secret = {"type": "reasoning.encrypted", "data": "AAAA", "format": "anthropic-claude-v1"}
    body = delta({"reasoning_details": [secret]}) + HI + STOP + DONE
    assert [BlockEnd(0, "AAAA", "anthropic-claude-v1", redacted=True)] == ends(body)


def test_the_proof_of_a_summary_ends_it() -> None:
    """As the Responses API has it: one item with its summary, its secret and its name."""
    of = {"format": "openai-responses-v1", "id": "rs_1"}
    body = (
        delta({"reasoning_details": [{"type": "reasoning.summary", "summary": "hm", **of}]})
        + delta({"reasoning_details": [{"type": "reasoning.encrypted", "data": "AA", **of}]})
        + HI
        + STOP
        + DONE
    )
    assert [BlockEnd(0, "AA", "openai-responses-v1", id="rs_1")] == ends(body)
    assert "hm" == answer_of(events_of(body)).reasoning()


def test_the_proof_of_a_call_ends_it() -> None:
    """In Gemini's own place, or in OpenRouter's, which names the call."""
    own = {"google": {"thought_signature": "sig"}}
    body = call(piece("{}", "f", id="x", extra_content=own)) + delta({}, "tool_calls") + DONE
    assert [BlockEnd(0, "sig", "google-gemini-v1")] == ends(body)
    detail = {"type": "reasoning.encrypted", "data": "sig", "format": "google-gemini-v1", "id": "x"}
    body = (
        delta({"tool_calls": [piece("{}", "f", id="x")], "reasoning_details": []})
        + delta({"reasoning_details": [detail]})
        + delta({}, "tool_calls")
        + DONE
    )
    assert [BlockEnd(0, "sig", "google-gemini-v1")] == ends(body)


def test_thinking_blocks_say_the_proof_of_reasoning_that_was_said() -> None:
    body = (
        delta({"reasoning_content": "hm", "thinking_blocks": [{"thinking": "hm"}]})
        + delta({"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "s"}]})
        + delta({"thinking_blocks": [{"type": "redacted_thinking", "data": "AA"}]})
        + HI
        + STOP
        + DONE
    )
    assert "hm" == answer_of(events_of(body)).reasoning()
    assert [
        BlockEnd(0, "s", "anthropic-claude-v1"),
        BlockEnd(1, "AA", "anthropic-claude-v1", redacted=True),
    ] == ends(body)


def test_a_refusal_is_a_block_that_says_so() -> None:
    events = events_of(HI + delta({"refusal": "no"}) + delta({"refusal": "!"}) + STOP + DONE)
    starts = [event for event in events if isinstance(event, BlockStart)]
    assert [BlockStart(0, "text"), BlockStart(1, "text", refusal=True)] == starts


def test_pictures_are_events() -> None:
    """In a list of their own, or as parts of the content."""
    url = "data:image/png;base64,AA"
    picture = {"type": "image_url", "image_url": {"url": url}, "index": 0}
    short = {"type": "image_url", "image_url": url}
    body = delta({"images": [picture, {"odd": 1}, url]}) + delta({"content": [short]})
    events = events_of(body + STOP + DONE)
    assert [Image(url)] * 3 == [e for e in events if isinstance(e, Image)]
    assert [{"choices": [{"index": 0, "delta": {"images": [{"odd": 1}]}}]}] == vendor_data(events)


def test_a_list_in_a_named_event_is_an_aside() -> None:
    """As FastGPT's, of what its nodes did."""
    events = events_of(b'event: flowResponses\ndata: [{"moduleName": "AI"}]\n\n' + HI + STOP + DONE)
    assert "hi" == answer_of(events).text()
    assert [{"flowResponses": [{"moduleName": "AI"}]}] == vendor_data(events)


def test_a_part_of_reasoning_has_its_signature() -> None:
    """Databricks gives it behind the text."""
    pieces = [{"text": "hm"}, {"text": "", "signature": "sig"}]
    parts = [
        {"type": "reasoning", "summary": [{"type": "summary_text", **piece}]} for piece in pieces
    ]
    body = delta({"content": parts[:1]}) + delta({"content": parts[1:]}) + HI + STOP + DONE
    blocks = list(answer_of(events_of(body)).blocks.values())
    assert [("reasoning", "hm", "sig"), ("text", "hi", None)] == [
        (block.kind, block.text, block.signature) for block in blocks
    ]


def test_a_vendor_that_never_says_why_it_ends_is_believed() -> None:
    """If its row in the catalogue says so."""
    answer = answer_of(decode(ChatDecoder(MAX, {"no_finish_reason": True}), [HI + DONE]))
    assert ("stop", None) == (answer.finish.reason, answer.finish.raw)


def test_log_probs_that_are_alike_are_told_each() -> None:
    same = {"content": [{"token": "a", "logprob": -0.1}]}
    body = b"".join(
        frame({"choices": [{"index": 0, "delta": {"content": "a"}, "logprobs": same}]})
        for _ in range(3)
    )
    told = vendor_data(events_of(body + STOP + DONE))
    assert [{"choices": [{"index": 0, "logprobs": same}]}] * 3 == told


def test_empty_parts_open_no_block() -> None:
    empty = [{"type": "text", "text": ""}, "", {"type": "thinking", "thinking": []}]
    events = events_of(delta({"content": empty}) + HI + STOP + DONE)
    assert 1 == sum(isinstance(event, BlockStart) for event in events)


@pytest.mark.parametrize("more", [{}, {"text": "hm"}])
def test_a_signature_ends_its_reasoning(more: dict[str, str]) -> None:
    """Also one that comes with all of the text once more, as ours do."""
    detail = {"type": "reasoning.text", "signature": "sig", **more}
    body = delta({"reasoning": "hm"}) + delta({"reasoning_details": [detail]}) + HI + STOP + DONE
    blocks = list(answer_of(events_of(body)).blocks.values())
    assert [("reasoning", "hm", "sig"), ("text", "hi", None)] == [
        (b.kind, b.text, b.signature) for b in blocks
    ]


def test_annotations_are_citations_told_once() -> None:
    cited = {
        "type": "url_citation",
        "url_citation": {
            "url": "https://a.example",
            "title": "A",
            "start_index": 0,
            "end_index": 2,
        },
    }
    odd = {"type": "file_citation", "file_id": "f"}
    events = events_of(
        HI + delta({"annotations": [cited]}) + delta({"annotations": [cited, odd]}) + STOP + DONE
    )
    assert [Citation(0, "https://a.example", "A", None, 0, 2)] == [
        event for event in events if isinstance(event, Citation)
    ]
    assert [{"choices": [{"index": 0, "delta": {"annotations": [odd]}}]}] == vendor_data(events)


def test_places_of_a_citation_that_make_no_sense_are_unknown() -> None:
    cited = {
        "type": "url_citation",
        "url_citation": {"url": "https://a.example", "start_index": 9, "end_index": 2},
    }
    events = events_of(HI + delta({"annotations": [cited]}) + STOP + DONE)
    assert [Citation(0, "https://a.example")] == [
        event for event in events if isinstance(event, Citation)
    ]


def test_several_answers_stay_apart() -> None:
    body = (
        HI
        + delta({"content": "yo"}, index=1)
        + delta({"content": "!"})
        + delta({}, "length", 1)
        + STOP
        + DONE
    )
    events = events_of(body)
    answer = answer_of(events)
    assert ("hi!", "yo") == (answer.text(0), answer.text(1))
    assert "stop" == answer.finish.raw
    assert [{"choices": [{"index": 1, "finish_reason": "length"}]}] == vendor_data(events)


def test_a_call_without_an_id_gets_one_that_differs_by_answer_and_call() -> None:
    def ids(answer_id: str) -> list[str]:
        calls = [piece("{}", "f", 0), piece("{}", "f", 1)]
        body = (
            frame(
                {
                    "id": answer_id,
                    "choices": [{"delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}],
                }
            )
            + DONE
        )
        return [
            event.tool.id
            for event in events_of(body)
            if isinstance(event, BlockStart) and event.tool
        ]

    assert ids("a") == ids("a")
    assert 4 == len({*ids("a"), *ids("b")})
    assert all(len(made) <= 40 for made in ids("a"))


def test_arguments_that_come_after_their_call_was_complete_are_kept_aside() -> None:
    body = (
        call(piece("{}", "f", id="x"))
        + HI
        + call(piece('{"late":1}'))
        + delta({}, "tool_calls")
        + DONE
    )
    events = events_of(body)
    assert ["{}"] == [b.text for b in answer_of(events).tool_calls()]
    assert (
        '{"late":1}'
        == vendor_data(events)[0]["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]
    )


def test_a_name_that_never_comes_does_not_hold_more_than_the_bound() -> None:
    decoder = ChatDecoder(1000)
    events: list[Event] = []
    for _ in range(20):
        events += decoder.feed(call(piece("x" * 100)))
    assert [""] == [
        event.tool.name for event in events if isinstance(event, BlockStart) and event.tool
    ]


def test_a_document_is_bounded_like_a_frame() -> None:
    events = decode(ChatDecoder(1000), [b'{"choices":[\n\n', *([b" " * 99 + b"\n\n"] * 30)])
    assert not isinstance(events[-1], StreamEnd)


def test_a_model_that_retries_is_told_by_the_vendors_status() -> None:
    def retryable(error: dict[str, Any]) -> bool:
        failed = answer_of(events_of(frame({"error": error}))).error
        assert failed is not None
        return failed.retryable

    assert (True, False, True, True) == tuple(
        map(retryable, [{"code": 429}, {"code": 400}, {"code": "500"}, {"message": "?"}])
    )


def test_usage_is_known_while_the_answer_goes_on() -> None:
    decoder = ChatDecoder(MAX)
    assert Usage() == decoder.usage
    decoder.feed(delta({"content": "a"}, usage={"prompt_tokens": 4, "completion_tokens": 1}))
    assert Usage(4, 1) == decoder.usage
