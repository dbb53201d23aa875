"""Upstreams that never end, for each dialect: functions from a number to the next bytes. And a measure of what an object holds."""

import io
import json
import re
import types
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

Endless = Callable[[int], bytes]
_PAD = "x" * 40
_CODE = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType, re.Pattern)


def held(root: Any) -> int:
    """Bytes that are reachable from an object: of its texts, and a few for each thing that a container holds."""
    seen: set[int] = set()
    size, todo = 0, [root]
    while todo:
        item = todo.pop()
        if id(item) in seen or isinstance(item, _CODE):
            continue
        seen.add(id(item))
        if isinstance(item, str | bytes | bytearray):
            size += len(item)
        elif isinstance(item, io.StringIO):
            size += len(item.getvalue())
        elif isinstance(item, msgspec.Raw):
            size += len(bytes(item))
        elif isinstance(item, dict):
            size += 16 * len(item)
            todo += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            size += 8 * len(item)
            todo += item
        else:
            todo += _attributes(item)
    return size


def _attributes(item: Any) -> Iterable[Any]:
    yield from getattr(item, "__dict__", {}).values()
    names = [*getattr(item, "__struct_fields__", ()), *(name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ()))]
    yield from (getattr(item, name) for name in names if hasattr(item, name))


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _data(value: Any) -> bytes:
    return b"data: %b\n\n" % _json(value)


def _choice(delta: Any, index: int = 0, **beside: Any) -> bytes:
    return _data({"id": "x", "choices": [{"index": index, "delta": delta, **beside}]})


def _call(index: int, call_id: str, name: str | None, arguments: str) -> bytes:
    return _choice({"tool_calls": [{"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}]})


def _named(kind: str, **more: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), _json({"type": kind, **more}))


def _start(index: int, kind: str, **more: Any) -> bytes:
    return _named("content_block_start", index=index, content_block={"type": kind, **more})


def _delta(index: int, kind: str, **more: Any) -> bytes:
    return _named("content_block_delta", index=index, delta={"type": kind, **more})


def _once(first: bytes, then: Endless) -> Endless:
    return lambda n: first if n == 0 else then(n)


def _sider(data: Any, **more: Any) -> bytes:
    return b"data:" + _json({"code": 0, **more, "data": data})


def _baidu(generator: Any, **more: Any) -> bytes:
    return b"event:message\ndata:%b\n\n" % _json({"status": 0, **more, "data": {"message": {"content": {"generator": generator}}}})


def _yiyan(event: bytes, value: Any) -> bytes:
    return b"event:%b\ndata:%b\n\n" % (event, _json(value))


COMMON: dict[str, Endless] = {
    "a line": lambda n: b"x" * 100,
    "a data line": _once(b"data: ", lambda n: b"x" * 100),
    "data lines": lambda n: b"data: " + b"x" * 90 + b"\n",
    "a JSON text": _once(b'data: {"a":"', lambda n: b"x" * 100),
    "a bare JSON text": _once(b'{"a":"', lambda n: b"x" * 100),
    "braces": lambda n: b'{"a":' * 20,
    "comments": lambda n: b": " + b"c" * 97 + b"\n",
    "a comment": lambda n: b": " + b"c" * 98,
    "blank lines": lambda n: b"\n" * 100,
    "events without data": lambda n: b"event: message\n\n" * 6,
    "ids": lambda n: b"id: %d%b\n\n" % (n, _PAD.encode()),
    "an id": _once(b"id: ", lambda n: b"7" * 100),
    "retries": lambda n: b"retry: %d\n" % n,
    "lines that are no fields": lambda n: b"hello %d, said the line\n\n" % n,
    "empty objects": lambda n: _data({}),
    "arrays": lambda n: _data([]),
    "unknown types": lambda n: _data({"type": f"new{n}"}),
    "carriage returns": lambda n: b"data: 1\r",
    "noughts": lambda n: b"\0" * 100,
    "open lists": lambda n: b"[" * 100,
}
OWN: dict[str, dict[str, Endless]] = {
    "openai_chat": {
        "no choices": lambda n: _data({"id": f"{n}", "choices": []}),
        "models": lambda n: _data({"model": f"m{n}", "choices": []}),
        "choices": lambda n: _choice({"content": "a"}, n),
        "large choices": lambda n: _choice({"content": "a"}, 10**30 + n),
        "choices with extras": lambda n: _choice({}, n, logprobs={"content": [n]}),
        "choices that finish": lambda n: _choice({"content": "a"}, n, finish_reason=f"stop{n}"),
        "calls": lambda n: _call(n, f"c{n}", "f", "{}"),
        "calls in one place": lambda n: _call(0, f"c{n}", "f", "{}"),
        "calls left open": lambda n: _call(n, f"c{n}", "f", "{"),
        "calls without a name": lambda n: _call(n, f"c{n}", None, _PAD),
        "arguments": lambda n: _call(0, "c", "f", _PAD),
        "arguments without a name": lambda n: _call(0, "c", None, _PAD),
        "arguments to and fro": lambda n: _choice({"content": "t"}) if n % 2 else _call(0, "c", "f", '"}'),
        "sources": lambda n: _choice({"annotations": [{"type": "url_citation", "url_citation": {"url": f"http://{n}/{_PAD}"}}]}),
        "extras": lambda n: _data({"choices": [], "system_fingerprint": f"f{n}"}),
        "usage": lambda n: _data({"choices": [], "usage": {"prompt_tokens": n, f"k{n}": 1}}),
        "turns": lambda n: _choice({"reasoning_content": _PAD} if n % 2 else {"content": _PAD}),
        "old calls": lambda n: _choice({"function_call": {"name": f"f{n}", "arguments": "{}"}}),
    },
    "anthropic": {
        "pings": lambda n: _named("ping"),
        "blocks": lambda n: _start(n, "text", text=""),
        "calls": lambda n: _start(n, "tool_use", id=f"t{n}", name="n"),
        "blocks in one place": lambda n: _start(0, "tool_use", id=f"t{n}", name="n"),
        "blocks that stop": lambda n: _start(n, "text", text="") + _named("content_block_stop", index=n),
        "an opaque block": _once(_start(0, "server_tool_use"), lambda n: _delta(0, "input_json_delta", partial_json=_PAD)),
        "keys of an opaque block": _once(_start(0, "server_tool_use"), lambda n: _delta(0, "new", **{f"k{n}": 1})),
        "empty keys of an opaque block": _once(_start(0, "server_tool_use"), lambda n: _delta(0, "new", **{f"k{n}": ""})),
        "counts": lambda n: _named("message_delta", delta={}, usage={f"k{n}": _PAD}),
        "stops": lambda n: _named("message_delta", delta={"stop_reason": f"s{n}", "container": _PAD, "stop_details": n}),
        "signatures": lambda n: _delta(n, "signature_delta", signature=_PAD),
        "text": lambda n: _delta(0, "text_delta", text=_PAD),
        "text everywhere": lambda n: _delta(n, "text_delta", text=_PAD),
        "turns": lambda n: _delta(0, "text_delta", text="a") if n % 2 else _delta(0, "thinking_delta", thinking="b"),
        "messages": lambda n: _named("message_start", message={"id": f"{n}", "usage": {"input_tokens": n}}),
    },
    "native": {
        "blocks": lambda n: _data({"type": "block.start", "block": n, "kind": "text"}),
        "blocks that end": lambda n: _data({"type": "block.start", "block": n, "kind": "text"}) + _data({"type": "block.end", "block": n}),
        "calls": lambda n: _data({"type": "block.start", "block": n, "kind": "tool_call", "tool": {"id": "a", "name": "b"}}),
        "vendor": lambda n: _data({"type": "vendor", "dialect": "x", "data": {f"k{n}": 1}}),
        "usage": lambda n: _data({"type": "usage", "input_tokens": n}),
        "text": _once(
            _data({"type": "block.start", "block": 0, "kind": "text"}), lambda n: _data({"type": "text.delta", "block": 0, "text": _PAD})
        ),
    },
    "plain": {
        "text": lambda n: b"data: %b\n\n" % _PAD.encode(),
        "suspicions": lambda n: b"data: [error] %d\n\n" % n,
        "nothing": lambda n: b"data:\n\n",
    },
    "sider": {
        "nothing": lambda n: _sider({"text": ""}),
        "ids": lambda n: _sider({"text": "", "cid": f"c{n}"}),
        "words": lambda n: _sider({"text": ""}, msg=f"m{n}"),
        "types": lambda n: _sider({"type": f"t{n}"}),
        "turns": lambda n: _sider(
            {"type": "text", "text": "a"} if n % 2 else {"type": "reasoning_content", "reasoning_content": {"text": "b"}}
        ),
        "prefixes": lambda n: b"data:" * 20,
    },
    "chatglm": {
        "longer": lambda n: _json({"body": {"content": _PAD * n}}),
        "the same": lambda n: _json({"body": {"content": _PAD}}),
        "another": lambda n: _json({"body": {"content": f"x{n}"}}),
    },
    "baidu_chat": {
        "text": lambda n: _baidu({"text": _PAD}),
        "answers": lambda n: _baidu({"text": _PAD}, compareIdx=n),
        "sources": lambda n: _baidu({"referenceList": [{"url": f"u{n}{_PAD}"}]}, compareIdx=n % 3),
        "empty sources": lambda n: _baidu({"referenceList": [{}, {}, {}]}, compareIdx=n),
        "sessions": lambda n: b"data:%b\n\n" % _json({"status": 0, "sessionId": f"s{n}"}),
        "turns": lambda n: _baidu({"component": "thinkingSteps" if n % 2 else "markdown", "data": {"value": "a"}}),
        "withdrawals": lambda n: _baidu({"antiFlag": 1, "text": "a"}, compareIdx=n),
    },
    "yiyan": {
        "text": lambda n: _yiyan(b"message", {"code": 0, "data": {"content": _PAD}}),
        "turns": lambda n: _yiyan(b"message", {"code": 0, "data": {"content": "a"}}) if n % 2 else _yiyan(b"thought", {"thoughts": "b"}),
        "ids": lambda n: _yiyan(b"major", {"code": 0, "data": {"createChatResponseVoCommonResult": {"data": {"botChat": {"id": n}}}}}),
    },
}
