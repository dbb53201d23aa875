"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from tests.dialects.sample import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    PAD,
    WORDS,
    Endless,
    Sample,
    data,
    dumped,
)

ZHIPU_ERROR = {"code": 1234, "msg": WORDS, "success": False}

ZHIPU_META = {
    "task_status": "SUCCESS",
    "usage": {"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS},
}

SAMPLE = Sample(
    say=lambda _, text: data(text, "add", "1"),
    ending=b"event: finish\nid: 1\ndata: \nmeta:" + dumped(ZHIPU_META) + b"\n\n",
    error=data(ZHIPU_ERROR, "error", "1"),
    error_body=ZHIPU_ERROR,
    path_names="segment",
    raw=True,
)

MORE: tuple[bytes, ...] = (
    'event:add\nid:1\ndata:你\n\nevent:add\nid:1\ndata:a\ndata:\ndata:b\n\nevent:finish\nid:1\ndata:\nmeta:{"task_status":"SUCCESS",'
    '"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'.encode(),
    b"event:add\nid:1\ndata:O\n\nevent:add\nid:1\ndata:OK\n\nevent:interrupted\nid:1\ndata:OK\n\n",
    b'event:add\nid:1\ndata:O\n\nevent:error\nid:1\ndata:{"code":1301,"msg":"no"}\n\n',
)

ENDLESS: dict[str, Endless] = {
    "text": lambda n: b"event:add\nid:1\ndata:%b\n\n" % PAD.encode(),
    "lines": lambda n: b"event:add\n" + b"data:\n" * 50 + b"\n",
    "meta": lambda n: b'event:add\ndata:a\nmeta:{"n":%d}\n\n' % n,
}
