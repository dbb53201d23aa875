"""Streams of every upstream dialect to mutate: recordings where they are, else what the project
writes itself, and small ones of our own."""

import itertools
from functools import cache

from proxy.dialects.registry import CLIENTS
from proxy.mock.scenarios import SCENARIOS, Ask
from proxy.request import ChatRequest, Message
from tests.fuzz.bodies import parsed_by
from tests.fuzz.endless import OWN
from tests.fuzz.readers import START
from tests.support import body_of, facts, recordings_dir, seed_bytes

_MOST_BYTES = 40_000  # of one recording: an edit of a long one is lost in it
_MOST_FILES = 30
_SEEDS = {
    "plain": ("a-minimal.body.sse",),
    "sider": (
        "b-sider-shaped.body.sse",
        "authored/sider-v1-ok.sse",
        "authored/sider-chat-v1-ok.sse",
    ),
    "chatglm": ("c-chatglm2-report.body.bin",),
    "baidu_chat": (
        "authored/baidu-2023-ok.sse",
        "authored/baidu-2026-ok.sse",
        "authored/baidu-2026-error-1005.sse",
    ),
    "yiyan": ("authored/yiyan-v2-ok.sse",),
}
# Of vendors without a recording, or with one: the documented shape.
_AUTHORED: dict[str, tuple[bytes, ...]] = {
    "zhipu": (
        'event:add\nid:1\ndata:你\n\nevent:add\nid:1\ndata:a\ndata:\ndata:b\n\nevent:finish\nid:1\ndata:\nmeta:{"task_status":"SUCCESS",'
        '"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'.encode(),
        b"event:add\nid:1\ndata:O\n\nevent:add\nid:1\ndata:OK\n\nevent:interrupted\nid:1\ndata:OK\n\n",
        b'event:add\nid:1\ndata:O\n\nevent:error\nid:1\ndata:{"code":1301,"msg":"no"}\n\n',
    ),
    "minimax": (
        (
            b'data: {"id":"m1","choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"h","content":""}}]}\n\n'
            b'data: {"id":"m1","choices":[{"index":0,"delta":{"content":"Hel"}}],"input_sensitive":false}\n\n'
            b'data: {"id":"m1","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}\n\n'
            b'data: {"id":"m1","choices":[{"finish_reason":"stop","index":0,"message":{"content":"Hello","role":"assistant"}}],'
            b'"usage":{"total_tokens":9,"prompt_tokens":5,"completion_tokens":4},"base_resp":{"status_code":0,"status_msg":""}}\n\n'
        ),
        (
            b'data: {"id":"m1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":"{"}}]}}]}\n\n'
            b'data: {"id":"m1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]},"finish_reason":"tool_calls"}]}\n\n'
        ),
        b'data: {"id":"m1","choices":[],"base_resp":{"status_code":1002,"status_msg":"rate limit"}}\n\n',
    ),
    "tgi": (
        (
            b'data:{"index":1,"token":{"id":1,"text":"a","logprob":-1.0,"special":false},"generated_text":null,"details":null}\n\n'
            b'data:{"index":2,"token":{"id":2,"text":"</s>","logprob":-1.0,"special":true},"top_tokens":[{"id":3,"text":"b"}],"generated_text":"a",'
            b'"details":{"finish_reason":"eos_token","generated_tokens":2,"input_length":3,"seed":7}}\n\n'
        ),
        b'data:{"error":"no room","error_type":"overloaded"}\n\n',
    ),
    "replicate": (
        b": hi\n\nevent: logs\nid: 1:0\ndata: Loading.\n\nevent: output\nid: 1:0\ndata: H\ndata: \n\nevent: done\nid: 1:0\ndata: {}\n\n",
        b'event: output\nid: 1:0\ndata: a\n\nevent: error\nid: 2:0\ndata: {"detail":"no"}\n\nevent: done\nid: 2:0\ndata: {"reason":"error"}\n\n',
    ),
}


@cache
def bodies(name: str) -> tuple[bytes, ...]:
    """Streams of a dialect; none is empty."""
    found = [*_own(name), *_AUTHORED.get(name, ())]
    found += [b"".join(map(endless, range(12))) for endless in OWN.get(name, {}).values()]
    if recordings_dir() is not None:
        rows = sorted(
            (row for row in facts(name) if row["bytes"] < _MOST_BYTES), key=lambda row: row["bytes"]
        )
        found += [body_of(row) for row in rows[:: len(rows) // _MOST_FILES + 1]]
        found += [seed_bytes(file) for file in _SEEDS.get(name, ())]
    return tuple(body for body in found if body)


def _own(name: str) -> list[bytes]:
    """What the dialect's own client half writes of every scenario of the mock."""
    if name not in CLIENTS:
        return []
    request = ChatRequest(model="m", messages=[Message("user", "你好")])
    written = []
    for scenario in SCENARIOS.values():
        encoder = CLIENTS[name].encoder(parsed_by(name))
        events = [START, *itertools.islice(scenario(Ask(request, CLIENTS[name].rewrites)), 60)]
        written.append(b"".join(encoder.encode(event) for event in events))
    return written
