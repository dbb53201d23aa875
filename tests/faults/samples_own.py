"""Good answers in forms of one vendor or server alone; and how each says that it failed."""

from typing import Any

from tests.faults.sample import INPUT_TOKENS, OUTPUT_TOKENS, TEXT, WORDS, Sample, data, dumped

NO_USAGE = {
    "input_tokens": None,
    "output_tokens": None,
    "cached_input_tokens": None,
    "reasoning_tokens": None,
}
NATIVE_START = {
    "type": "stream.start",
    "stream": "far",
    "model": "m",
    "upstream": "u",
    "upstream_model": "m",
    "created": 1,
    "notes": [],
}
NATIVE_END = {
    "type": "stream.end",
    "finish": {"reason": "stop", "raw": "stop"},
    "timing": {"first_event_ms": 1.0, "total_ms": 2.0},
    "usage": NO_USAGE | {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
}
NATIVE_ERROR = {
    "kind": "upstream_error",
    "message": WORDS,
    "retryable": True,
    "status": 502,
    "upstream": "theirs",
}
NATIVE = Sample(
    opening=data(NATIVE_START),
    starts=data({"type": "block.start", "block": 0, "kind": "text"}),
    say=lambda _, text: data({"type": "text.delta", "block": 0, "text": text}),
    ending=data({"type": "block.end", "block": 0}) + data(NATIVE_END),
    error=data({"type": "stream.error", "error": NATIVE_ERROR, "usage": NO_USAGE}),
    error_body={"error": {"kind": "upstream_error", "message": WORDS}},
)

PLAIN = Sample(
    say=lambda _, text: data(text),
    ending=data("[done]"),
    error=data(f"[error] {WORDS}") + data("[done]"),
    error_body={"error": WORDS},
)


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
SIDER = Sample(
    opening=sider_chunk(""),
    say=lambda _, text: sider_chunk(text),
    ending=data("[DONE]"),
    error=data(SIDER_ERROR),
    error_body=SIDER_ERROR,
    begins=True,
)
# Each object has the whole text so far, and nothing stands between two.
CHATGLM = Sample(
    say=lambda before, text: dumped(
        {"id": 1, "time": "2026-01-01 00:00:00", "body": {"content": before + text}}
    ),
    ending=b"",
    error=dumped({"error": WORDS}),
    error_body={"error": WORDS},
    over=False,
)


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


BAIDU_CHAT = Sample(
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
YIYAN_IDS = {
    "createSessionResponseVoCommonResult": {"data": {"sessionId": "s1"}},
    "createChatResponseVoCommonResult": {"data": {"botChat": {"id": "a1"}}},
}
YIYAN_ERROR = {"code": 1999, "msg": WORDS, "data": None}
YIYAN = Sample(
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

DIFY_IDS = {"task_id": "t1", "message_id": "a1", "conversation_id": "c1"}
DIFY_USAGE = {"usage": {"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS}}
DIFY_ERROR = {"code": "internal_server_error", "message": WORDS, "status": 500}
DIFY = Sample(
    opening=data({"event": "workflow_started", **DIFY_IDS, "data": {"id": "w1"}}),
    say=lambda _, text: data({"event": "message", **DIFY_IDS, "answer": text}),
    ending=data({"event": "message_end", **DIFY_IDS, "metadata": DIFY_USAGE}),
    error=data({"event": "error", **DIFY_IDS, **DIFY_ERROR}),
    error_body=DIFY_ERROR,
    comment=b"event: ping\n\n",
    begins=True,
    over=False,
)


def coze_message(text: str, state: str) -> bytes:
    message = {
        "id": "m1",
        "conversation_id": "c1",
        "role": "assistant",
        "type": "answer",
        "content": text,
        "content_type": "text",
    }
    return data(message, f"conversation.message.{state}")


def coze_chat(state: str, **more: Any) -> bytes:
    return data(
        {
            "id": "a1",
            "conversation_id": "c1",
            "status": state,
            "last_error": {"code": 0, "msg": ""},
            **more,
        },
        f"conversation.chat.{state}",
    )


COZE_ERROR = {"code": 5000, "msg": WORDS}
COZE = Sample(
    opening=coze_chat("created") + coze_chat("in_progress"),
    say=lambda _, text: coze_message(text, "delta"),
    ending=coze_message(TEXT, "completed")
    + coze_chat(
        "completed",
        usage={"input_count": INPUT_TOKENS, "output_count": OUTPUT_TOKENS, "token_count": 18},
    )
    + data('"[DONE]"', "done"),
    error=coze_chat("failed", last_error=COZE_ERROR),
    error_body=COZE_ERROR,
    begins=True,
)


def dashscope_event(text: str, finish: str = "null") -> bytes:
    output = {
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}]
    }
    usage = {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}
    return data(
        {"output": output, "request_id": "r1"} | ({} if finish == "null" else {"usage": usage}),
        "result",
        "1",
    )


DASHSCOPE_ERROR = {"code": "InternalError.Algo", "message": WORDS, "request_id": "r1"}
DASHSCOPE = Sample(
    say=lambda _, text: dashscope_event(text),
    ending=dashscope_event("", "stop"),
    error=data(DASHSCOPE_ERROR, "error", "1"),
    error_body=DASHSCOPE_ERROR,
    over=False,
)


def hunyuan_event(text: str, finish: str = "") -> bytes:
    usage = {"PromptTokens": INPUT_TOKENS, "CompletionTokens": OUTPUT_TOKENS, "TotalTokens": 18}
    choice = {"Index": 0, "Delta": {"Role": "assistant", "Content": text}, "FinishReason": finish}
    return data(
        {"Id": "a1", "Created": 1, "Choices": [choice]} | ({"Usage": usage} if finish else {})
    )


HUNYUAN = Sample(
    say=lambda _, text: hunyuan_event(text),
    ending=hunyuan_event("", "stop"),
    error=data({"Id": "a1", "ErrorMsg": {"Code": 4001, "Msg": WORDS}}),
    error_body={
        "Response": {"Error": {"Code": "InternalError", "Message": WORDS}, "RequestId": "r1"}
    },
    over=False,
)


def qianfan_event(text: str, **more: Any) -> bytes:
    return data(
        {
            "id": "a1",
            "object": "chat.completion",
            "created": 1,
            "is_end": False,
            "is_truncated": False,
            "result": text,
            **more,
        }
    )


QIANFAN_ERROR = {"error_code": 336000, "error_msg": WORDS}
QIANFAN = Sample(
    say=lambda _, text: qianfan_event(text),
    ending=qianfan_event(
        "", is_end=True, usage={"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS}
    ),
    error=data(QIANFAN_ERROR),
    error_body=QIANFAN_ERROR,
)

ZHIPU_ERROR = {"code": 1234, "msg": WORDS, "success": False}
ZHIPU_META = {
    "task_status": "SUCCESS",
    "usage": {"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS},
}
ZHIPU = Sample(
    say=lambda _, text: data(text, "add", "1"),
    ending=b"event: finish\nid: 1\ndata: \nmeta:" + dumped(ZHIPU_META) + b"\n\n",
    error=data(ZHIPU_ERROR, "error", "1"),
    error_body=ZHIPU_ERROR,
)


def minimax_chunk(text: str) -> bytes:
    return data(
        {
            "id": "a1",
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}],
        }
    )


MINIMAX_WHOLE = {
    "id": "a1",
    "object": "chat.completion",
    "base_resp": {"status_code": 0, "status_msg": ""},
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
    ],
    "usage": {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": 18,
    },
}
MINIMAX_ERROR = {"base_resp": {"status_code": 1013, "status_msg": WORDS}}
MINIMAX = Sample(
    opening=minimax_chunk(""),
    say=lambda _, text: minimax_chunk(text),
    ending=data(MINIMAX_WHOLE),
    error=data(MINIMAX_ERROR),
    error_body=MINIMAX_ERROR,
)


def tgi_token(text: str, **more: Any) -> bytes:
    return data(
        {
            "index": 1,
            "token": {"id": 1, "text": text, "logprob": -0.1, "special": bool(more)},
            "generated_text": None,
            **more,
        }
    )


TGI_ERROR = {"error": WORDS, "error_type": "incomplete_generation"}
TGI = Sample(
    say=lambda _, text: tgi_token(text),
    ending=tgi_token(
        "</s>",
        generated_text=TEXT,
        details={
            "finish_reason": "eos_token",
            "generated_tokens": OUTPUT_TOKENS,
            "input_length": INPUT_TOKENS,
        },
    ),
    error=data(TGI_ERROR),
    error_body=TGI_ERROR,
)

REPLICATE = Sample(
    say=lambda _, text: data(text, "output", "1:0"),
    ending=data({}, "done", "2:0"),
    error=data({"detail": WORDS}, "error", "2:0") + data({"reason": "error"}, "done", "2:0"),
    error_body={"title": "Internal error", "detail": WORDS, "status": 500},
    follows=True,
    model="who/what",
)
