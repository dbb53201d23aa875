"""Upstreams that never end, for each dialect: functions from a number to the next bytes."""

from typing import Any

from tests.fuzz.endless_vendors import VENDORS
from tests.fuzz.wires import PAD, Endless, call, choice, data, json_of, named, once


def _start(index: int, kind: str, **more: Any) -> bytes:
    return named("content_block_start", index=index, content_block={"type": kind, **more})


def _delta(index: int, kind: str, **more: Any) -> bytes:
    return named("content_block_delta", index=index, delta={"type": kind, **more})


def _sider(said: Any, **more: Any) -> bytes:
    return b"data:" + json_of({"code": 0, **more, "data": said})


def _baidu(generator: Any, **more: Any) -> bytes:
    return b"event:message\ndata:%b\n\n" % json_of(
        {"status": 0, **more, "data": {"message": {"content": {"generator": generator}}}}
    )


def _yiyan(event: bytes, value: Any) -> bytes:
    return b"event:%b\ndata:%b\n\n" % (event, json_of(value))


# For any decoder.
COMMON: dict[str, Endless] = {
    "a line": lambda n: b"x" * 100,
    "a data line": once(b"data: ", lambda n: b"x" * 100),
    "data lines": lambda n: b"data: " + b"x" * 90 + b"\n",
    "a JSON text": once(b'data: {"a":"', lambda n: b"x" * 100),
    "a bare JSON text": once(b'{"a":"', lambda n: b"x" * 100),
    "braces": lambda n: b'{"a":' * 20,
    "comments": lambda n: b": " + b"c" * 97 + b"\n",
    "a comment": lambda n: b": " + b"c" * 98,
    "blank lines": lambda n: b"\n" * 100,
    "events without data": lambda n: b"event: message\n\n" * 6,
    "ids": lambda n: b"id: %d%b\n\n" % (n, PAD.encode()),
    "an id": once(b"id: ", lambda n: b"7" * 100),
    "retries": lambda n: b"retry: %d\n" % n,
    "lines that are no fields": lambda n: b"hello %d, said the line\n\n" % n,
    "empty objects": lambda n: data({}),
    "arrays": lambda n: data([]),
    "unknown types": lambda n: data({"type": f"new{n}"}),
    "carriage returns": lambda n: b"data: 1\r",
    "noughts": lambda n: b"\0" * 100,
    "open lists": lambda n: b"[" * 100,
}
OWN: dict[str, dict[str, Endless]] = {
    **VENDORS,
    "openai_chat": {
        "no choices": lambda n: data({"id": f"{n}", "choices": []}),
        "models": lambda n: data({"model": f"m{n}", "choices": []}),
        "choices": lambda n: choice({"content": "a"}, n),
        "large choices": lambda n: choice({"content": "a"}, 10**30 + n),
        "choices with extras": lambda n: choice({}, n, logprobs={"content": [n]}),
        "choices that finish": lambda n: choice({"content": "a"}, n, finish_reason=f"stop{n}"),
        "calls": lambda n: call(n, f"c{n}", "f", "{}"),
        "calls in one place": lambda n: call(0, f"c{n}", "f", "{}"),
        "calls left open": lambda n: call(n, f"c{n}", "f", "{"),
        "calls without a name": lambda n: call(n, f"c{n}", None, PAD),
        "arguments": lambda n: call(0, "c", "f", PAD),
        "arguments without a name": lambda n: call(0, "c", None, PAD),
        "arguments to and fro": lambda n: (
            choice({"content": "t"}) if n % 2 else call(0, "c", "f", '"}')
        ),
        "sources": lambda n: choice(
            {
                "annotations": [
                    {"type": "url_citation", "url_citation": {"url": f"http://{n}/{PAD}"}}
                ]
            }
        ),
        "extras": lambda n: data({"choices": [], "system_fingerprint": f"f{n}"}),
        "usage": lambda n: data({"choices": [], "usage": {"prompt_tokens": n, f"k{n}": 1}}),
        "turns": lambda n: choice({"reasoning_content": PAD} if n % 2 else {"content": PAD}),
        "old calls": lambda n: choice({"function_call": {"name": f"f{n}", "arguments": "{}"}}),
    },
    "anthropic": {
        "pings": lambda n: named("ping"),
        "blocks": lambda n: _start(n, "text", text=""),
        "calls": lambda n: _start(n, "tool_use", id=f"t{n}", name="n"),
        "blocks in one place": lambda n: _start(0, "tool_use", id=f"t{n}", name="n"),
        "blocks that stop": lambda n: (
            _start(n, "text", text="") + named("content_block_stop", index=n)
        ),
        "an opaque block": once(
            _start(0, "server_tool_use"), lambda n: _delta(0, "input_json_delta", partial_json=PAD)
        ),
        "keys of an opaque block": once(
            _start(0, "server_tool_use"), lambda n: _delta(0, "new", **{f"k{n}": 1})
        ),
        "empty keys of an opaque block": once(
            _start(0, "server_tool_use"), lambda n: _delta(0, "new", **{f"k{n}": ""})
        ),
        "counts": lambda n: named("message_delta", delta={}, usage={f"k{n}": PAD}),
        "stops": lambda n: named(
            "message_delta", delta={"stop_reason": f"s{n}", "container": PAD, "stop_details": n}
        ),
        "signatures": lambda n: _delta(n, "signature_delta", signature=PAD),
        "text": lambda n: _delta(0, "text_delta", text=PAD),
        "text everywhere": lambda n: _delta(n, "text_delta", text=PAD),
        "turns": lambda n: (
            _delta(0, "text_delta", text="a")
            if n % 2
            else _delta(0, "thinking_delta", thinking="b")
        ),
        "messages": lambda n: named(
            "message_start", message={"id": f"{n}", "usage": {"input_tokens": n}}
        ),
    },
    "native": {
        "blocks": lambda n: data({"type": "block.start", "block": n, "kind": "text"}),
        "blocks that end": lambda n: (
            data({"type": "block.start", "block": n, "kind": "text"})
            + data({"type": "block.end", "block": n})
        ),
        "calls": lambda n: data(
            {
                "type": "block.start",
                "block": n,
                "kind": "tool_call",
                "tool": {"id": "a", "name": "b"},
            }
        ),
        "vendor": lambda n: data({"type": "vendor", "dialect": "x", "data": {f"k{n}": 1}}),
        "usage": lambda n: data({"type": "usage", "input_tokens": n}),
        "text": once(
            data({"type": "block.start", "block": 0, "kind": "text"}),
            lambda n: data({"type": "text.delta", "block": 0, "text": PAD}),
        ),
    },
    "plain": {
        "text": lambda n: b"data: %b\n\n" % PAD.encode(),
        "suspicions": lambda n: b"data: [error] %d\n\n" % n,
        "nothing": lambda n: b"data:\n\n",
    },
    "sider": {
        "nothing": lambda n: _sider({"text": ""}),
        "ids": lambda n: _sider({"text": "", "cid": f"c{n}"}),
        "words": lambda n: _sider({"text": ""}, msg=f"m{n}"),
        "types": lambda n: _sider({"type": f"t{n}"}),
        "turns": lambda n: _sider(
            {"type": "text", "text": "a"}
            if n % 2
            else {"type": "reasoning_content", "reasoning_content": {"text": "b"}}
        ),
        "prefixes": lambda n: b"data:" * 20,
    },
    "chatglm": {
        "longer": lambda n: json_of({"body": {"content": PAD * n}}),
        "the same": lambda n: json_of({"body": {"content": PAD}}),
        "another": lambda n: json_of({"body": {"content": f"x{n}"}}),
    },
    "baidu_chat": {
        "text": lambda n: _baidu({"text": PAD}),
        "answers": lambda n: _baidu({"text": PAD}, compareIdx=n),
        "sources": lambda n: _baidu({"referenceList": [{"url": f"u{n}{PAD}"}]}, compareIdx=n % 3),
        "empty sources": lambda n: _baidu({"referenceList": [{}, {}, {}]}, compareIdx=n),
        "sessions": lambda n: b"data:%b\n\n" % json_of({"status": 0, "sessionId": f"s{n}"}),
        "turns": lambda n: _baidu(
            {"component": "thinkingSteps" if n % 2 else "markdown", "data": {"value": "a"}}
        ),
        "withdrawals": lambda n: _baidu({"antiFlag": 1, "text": "a"}, compareIdx=n),
    },
    "yiyan": {
        "text": lambda n: _yiyan(b"message", {"code": 0, "data": {"content": PAD}}),
        "turns": lambda n: (
            _yiyan(b"message", {"code": 0, "data": {"content": "a"}})
            if n % 2
            else _yiyan(b"thought", {"thoughts": "b"})
        ),
        "ids": lambda n: _yiyan(
            b"major",
            {
                "code": 0,
                "data": {"createChatResponseVoCommonResult": {"data": {"botChat": {"id": n}}}},
            },
        ),
    },
}
