"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.sample import WORDS, Asked, Endless, Sample, data, json_of


def sider_chunk(text: str) -> bytes:
    quota = {
        "total": 30,
        "remain": 17,
        "remain_period": "daily",
        "extra_quota": 0,
        "extra_total": 0,
        "chat_model": "m",
    }
    return data(
        {
            "code": 0,
            "msg": "",
            "data": {
                "text": text,
                "cid": "c1",
                "req_message_id": "q1",
                "message_id": "a1",
                **quota,
            },
        }
    )


SIDER_ERROR = {"code": 1999, "msg": WORDS, "data": None}

SAMPLE = Sample(
    opening=sider_chunk(""),
    say=lambda _, text: sider_chunk(text),
    ending=data("[DONE]"),
    error=data(SIDER_ERROR),
    error_body=SIDER_ERROR,
    begins=True,
)

SEEDS = (
    "b-sider-shaped.body.sse",
    "authored/sider-v1-ok.sse",
    "authored/sider-chat-v1-ok.sse",
)


def _sider(said: Any, **more: Any) -> bytes:
    return b"data:" + json_of({"code": 0, **more, "data": said})


ENDLESS: dict[str, Endless] = {
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
}

ASKED = Asked(
    "/api/v1/completion/text",
    {
        "prompt": "你好",
        "stream": True,
        "app_name": "a",
        "cid": "",
        "model": "m",
        "from": "ask",
        "multi_content": [{"type": "text", "text": "a"}],
    },
    errors_under_200=True,
    said=lambda values: "".join(
        value["data"]["text"]
        for value in values
        if value["data"] and value["data"].get("type", "text") == "text"
    ),
)
