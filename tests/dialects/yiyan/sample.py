"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.sample import PAD, TEXT, WORDS, Asked, Endless, Sample, data, json_of

YIYAN_IDS = {
    "createSessionResponseVoCommonResult": {"data": {"sessionId": "s1"}},
    "createChatResponseVoCommonResult": {"data": {"botChat": {"id": "a1"}}},
}

YIYAN_ERROR = {"code": 1999, "msg": WORDS, "data": None}

SAMPLE = Sample(
    opening=data({"code": 0, "msg": "", "data": YIYAN_IDS}, "major"),
    say=lambda _, text: data(
        {"code": 0, "msg": "", "data": {"content": text, "is_end": 0}}, "message"
    ),
    ending=data(
        {"code": 0, "msg": "", "data": {"content": "", "is_end": 1, "tokens_all": TEXT}}, "message"
    ),
    error=data(YIYAN_ERROR, "message"),
    error_body=YIYAN_ERROR,
    begins=True,
)

SEEDS = ("authored/yiyan-v2-ok.sse",)


def _yiyan(event: bytes, value: Any) -> bytes:
    return b"event:%b\ndata:%b\n\n" % (event, json_of(value))


ENDLESS: dict[str, Endless] = {
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
}

ASKED = Asked(
    "/eb/chat/conversation/v2",
    {"text": "你好", "model": "m", "sessionId": ""},
    errors_under_200=True,
    said=lambda values: "".join(
        value["data"]["content"]
        for value in values
        if isinstance((value.get("data") or {}).get("content"), str)
    ),
)
