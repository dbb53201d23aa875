"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.sample import PAD, WORDS, Asked, Endless, Sample, data, json_of


def baidu_packet(
    message: dict[str, Any], status: int = 0, state: str = "generating-resp", *, end: bool = False
) -> bytes:
    meta = {"state": state, "endTurn": end}
    return data(
        {
            "status": status,
            "qid": "q1",
            "sessionId": "",
            "data": {"message": {"metaData": meta, **message}},
            "seq_id": 1,
        },
        "message",
    )


def baidu_said(text: str) -> dict[str, Any]:
    said = {
        "text": "",
        "type": "entry",
        "antiFlag": 0,
        "isSafe": 1,
        "isFinished": False,
        "component": "markdown-yiyan",
    }
    return {"content": {"generator": {**said, "data": {"value": text}}}}


SAMPLE = Sample(
    opening=data({"status": 0, "lid": "q1", "chatHitKunlun": ""}, "basedata") + b"event:ping\n\n",
    say=lambda _, text: baidu_packet(baidu_said(text)),
    ending=baidu_packet({}, state="generate-complete", end=True),
    error=baidu_packet(
        {"content": {"hints": {"parts": [{"type": "error", "text": WORDS}]}}},
        1999,
        "generate-complete",
    ),
    error_body={"status": 1999, "msg": WORDS},
)

SEEDS = (
    "authored/baidu-2023-ok.sse",
    "authored/baidu-2026-ok.sse",
    "authored/baidu-2026-error-1005.sse",
)


def _baidu(generator: Any, **more: Any) -> bytes:
    return b"event:message\ndata:%b\n\n" % json_of(
        {"status": 0, **more, "data": {"message": {"content": {"generator": generator}}}}
    )


ENDLESS: dict[str, Endless] = {
    "text": lambda n: _baidu({"text": PAD}),
    "answers": lambda n: _baidu({"text": PAD}, compareIdx=n),
    "sources": lambda n: _baidu({"referenceList": [{"url": f"u{n}{PAD}"}]}, compareIdx=n % 3),
    "empty sources": lambda n: _baidu({"referenceList": [{}, {}, {}]}, compareIdx=n),
    "sessions": lambda n: b"data:%b\n\n" % json_of({"status": 0, "sessionId": f"s{n}"}),
    "turns": lambda n: _baidu(
        {"component": "thinkingSteps" if n % 2 else "markdown", "data": {"value": "a"}}
    ),
    "withdrawals": lambda n: _baidu({"antiFlag": 1, "text": "a"}, compareIdx=n),
}


def generators(value: Any) -> list[Any]:
    content = value.get("data", {}).get("message", {}).get("content")
    return [content["generator"]] if content else []


ASKED = Asked(
    "/aichat/api/conversation",
    {
        "message": {
            "query": [
                {"type": "TEXT", "data": {"text": {"query": "你好"}}},
                {"type": "IMAGE", "data": {"image": {"url": "https://a.example/b"}}},
            ],
            "searchInfo": {"usedModel": {"modelName": "m", "modelFunction": {"thinkMode": "1"}}},
        }
    },
    errors_under_200=True,
    said=lambda values: "".join(
        part["data"]["value"]
        for value in values
        for part in generators(value)
        if part.get("component", "").startswith("markdown")
    ),
)
