"""Good answers in forms that many speak or know: OpenAI's, Anthropic's, Cohere's, Ollama's,
Google's, AWS's; and how each says that it failed."""

from typing import Any

from tests import aws_frames
from tests.faults.sample import (
    AWS,
    BEGUN_TOKENS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    TEXT,
    WORDS,
    Sample,
    data,
    dumped,
    named,
)

IDS = {"id": "a1", "created": 1, "model": "m"}
OPENAI_USAGE = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": OUTPUT_TOKENS,
    "total_tokens": 18,
}
OPENAI_ERROR = {"error": {"message": WORDS, "type": "server_error", "param": None, "code": None}}


def chat_chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        **IDS,
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


OPENAI_CHAT = Sample(
    opening=data(chat_chunk({"role": "assistant", "content": ""})),
    say=lambda _, text: data(chat_chunk({"content": text})),
    ending=data(chat_chunk({}, "stop"))
    + data({**IDS, "choices": [], "usage": OPENAI_USAGE})
    + data("[DONE]"),
    error=data(OPENAI_ERROR),
    error_body=OPENAI_ERROR,
    begins=True,
)


def text_chunk(text: str, finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "a1",
        "object": "text_completion",
        "choices": [{"index": 0, "text": text, "finish_reason": finish}],
    }


OPENAI_COMPLETIONS = Sample(
    say=lambda _, text: data(text_chunk(text)),
    ending=data(text_chunk("", "stop"))
    + data({"id": "a1", "choices": [], "usage": OPENAI_USAGE})
    + data("[DONE]"),
    error=data(OPENAI_ERROR),
    error_body=OPENAI_ERROR,
)

RESPONSE = {
    "id": "r1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "in_progress",
    "output": [],
}
MESSAGE = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "status": "in_progress",
    "content": [],
}
PART = {"output_index": 0, "content_index": 0, "item_id": "m1"}
OPENAI_RESPONSES = Sample(
    opening=named({"type": "response.created", "response": RESPONSE})
    + named({"type": "response.in_progress", "response": RESPONSE}),
    starts=named({"type": "response.output_item.added", "output_index": 0, "item": MESSAGE})
    + named(
        {
            "type": "response.content_part.added",
            **PART,
            "part": {"type": "output_text", "text": "", "annotations": []},
        }
    ),
    say=lambda _, text: named({"type": "response.output_text.delta", **PART, "delta": text}),
    ending=named({"type": "response.output_text.done", **PART, "text": TEXT})
    + named(
        {
            "type": "response.completed",
            "response": {
                **RESPONSE,
                "status": "completed",
                "usage": {
                    "input_tokens": INPUT_TOKENS,
                    "output_tokens": OUTPUT_TOKENS,
                    "total_tokens": 18,
                },
            },
        }
    ),
    error=named(
        {
            "type": "response.failed",
            "response": {
                **RESPONSE,
                "status": "failed",
                "error": {"code": "server_error", "message": WORDS},
            },
        }
    ),
    error_body=OPENAI_ERROR,
)

ANTHROPIC_ERROR = {"type": "error", "error": {"type": "api_error", "message": WORDS}}
ANTHROPIC_START = {
    "type": "message_start",
    "message": {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": BEGUN_TOKENS},
    },
}
ANTHROPIC_BLOCK = {
    "type": "content_block_start",
    "index": 0,
    "content_block": {"type": "text", "text": ""},
}
ANTHROPIC_ENDING: tuple[dict[str, Any], ...] = (
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": OUTPUT_TOKENS},
    },
    {"type": "message_stop"},
)


def anthropic_delta(text: str) -> dict[str, Any]:
    return {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": text},
    }


ANTHROPIC = Sample(
    opening=named(ANTHROPIC_START),
    starts=named(ANTHROPIC_BLOCK) + named({"type": "ping"}),
    say=lambda _, text: named(anthropic_delta(text)),
    ending=b"".join(map(named, ANTHROPIC_ENDING)),
    error=named(ANTHROPIC_ERROR),
    error_body=ANTHROPIC_ERROR,
    begins=True,
)

COHERE_TEXT = {
    "type": "content-start",
    "index": 0,
    "delta": {"message": {"content": {"type": "text", "text": ""}}},
}


def cohere_end(**delta: Any) -> bytes:
    tokens = {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}
    return named(
        {
            "type": "message-end",
            "delta": {"usage": {"billed_units": tokens, "tokens": tokens}, **delta},
        }
    )


COHERE = Sample(
    opening=named(
        {
            "type": "message-start",
            "id": "a1",
            "delta": {"message": {"role": "assistant", "content": []}},
        }
    ),
    starts=named(COHERE_TEXT),
    say=lambda _, text: named(
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}}
    ),
    ending=named({"type": "content-end", "index": 0}) + cohere_end(finish_reason="COMPLETE"),
    error=named({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": WORDS}}),
    error_body={"id": "e1", "message": WORDS},
)


def ollama_line(text: str, **more: Any) -> bytes:
    line = {
        "model": "m",
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": text},
        "done": False,
    }
    return dumped(line | more) + b"\n"


OLLAMA = Sample(
    say=lambda _, text: ollama_line(text),
    ending=ollama_line(
        "", done=True, done_reason="stop", prompt_eval_count=INPUT_TOKENS, eval_count=OUTPUT_TOKENS
    ),
    error=dumped({"error": WORDS}) + b"\n",
    error_body={"error": WORDS},
    content_type="application/x-ndjson",
    comment=b"\n",
)


def gemini_chunk(text: str, **more: Any) -> bytes:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **more}
    usage = {"promptTokenCount": INPUT_TOKENS, "totalTokenCount": INPUT_TOKENS}
    if more:
        usage |= {"candidatesTokenCount": OUTPUT_TOKENS, "totalTokenCount": 18}
    return data({"candidates": [candidate], "usageMetadata": usage, "responseId": "a1"})


GEMINI_ERROR = {"error": {"code": 500, "message": WORDS, "status": "INTERNAL"}}
GEMINI = Sample(
    say=lambda _, text: gemini_chunk(text),
    ending=gemini_chunk("", finishReason="STOP"),
    error=data(GEMINI_ERROR),
    error_body=GEMINI_ERROR,
    over=False,
)

CONVERSE_USAGE = {"inputTokens": INPUT_TOKENS, "outputTokens": OUTPUT_TOKENS, "totalTokens": 18}
BEDROCK_ERROR = aws_frames.exception("internalServerException", {"message": WORDS})
BEDROCK_ERROR_BODY = {"__type": "com.amazonaws.bedrock#InternalServerException", "message": WORDS}
BEDROCK_CONVERSE = Sample(
    opening=aws_frames.event("messageStart", {"role": "assistant"}),
    say=lambda _, text: aws_frames.event(
        "contentBlockDelta", dumped({"contentBlockIndex": 0, "delta": {"text": text}})
    ),
    ending=aws_frames.event("contentBlockStop", {"contentBlockIndex": 0})
    + aws_frames.event("messageStop", {"stopReason": "end_turn"})
    + aws_frames.event("metadata", {"usage": CONVERSE_USAGE, "metrics": {"latencyMs": 5}}),
    error=BEDROCK_ERROR,
    error_body=BEDROCK_ERROR_BODY,
    content_type=AWS,
    comment=b"",
    binary=True,
)
BEDROCK_INVOKE = Sample(
    opening=aws_frames.chunk(dumped(ANTHROPIC_START)),
    starts=aws_frames.chunk(dumped(ANTHROPIC_BLOCK)),
    say=lambda _, text: aws_frames.chunk(dumped(anthropic_delta(text))),
    ending=b"".join(aws_frames.chunk(dumped(each)) for each in ANTHROPIC_ENDING),
    error=BEDROCK_ERROR,
    error_body=BEDROCK_ERROR_BODY,
    content_type=AWS,
    comment=b"",
    begins=True,
    binary=True,
    options={"inner": "anthropic"},
)
