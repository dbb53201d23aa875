"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from tests.dialects.sample import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    PAD,
    WORDS,
    Asked,
    Endless,
    Sample,
    data,
)

DIFY_IDS = {"task_id": "t1", "message_id": "a1", "conversation_id": "c1"}

DIFY_USAGE = {"usage": {"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS}}

DIFY_ERROR = {"code": "internal_server_error", "message": WORDS, "status": 500}

SAMPLE = Sample(
    opening=data({"event": "workflow_started", **DIFY_IDS, "data": {"id": "w1"}}),
    say=lambda _, text: data({"event": "message", **DIFY_IDS, "answer": text}),
    ending=data({"event": "message_end", **DIFY_IDS, "metadata": DIFY_USAGE}),
    error=data({"event": "error", **DIFY_IDS, **DIFY_ERROR}),
    error_body=DIFY_ERROR,
    comment=b"event: ping\n\n",
    begins=True,
    over=False,
)

ENDLESS: dict[str, Endless] = {
    "text": lambda n: data({"event": "message", "answer": PAD}),
    "the same again": lambda n: data({"event": "message_replace", "answer": PAD}),
    "text and repetitions": lambda n: data(
        {"event": "agent_message" if n % 9 else "message", "answer": PAD}
    ),
    "ids": lambda n: data(
        {
            "event": "message",
            "task_id": f"t{n}",
            "message_id": PAD * n,
            "conversation_id": f"c{n}",
        }
    ),
    "thoughts": lambda n: data({"event": "agent_thought", "id": f"t{n}", "thought": PAD}),
    "reasoning": lambda n: data(
        {"event": "reasoning_chunk", "data": {"reasoning": PAD, "is_final": n % 2 == 0}}
    ),
    "nodes": lambda n: data(
        {"event": "node_finished", "data": {"id": f"n{n}", "outputs": {f"k{n}": PAD}}}
    ),
    "ends": lambda n: data(
        {
            "event": "message_end",
            "metadata": {"retriever_resources": [{"url": f"u{n}", "document_name": PAD}]},
        }
    ),
    "flapping": lambda n: data({"event": "message_replace", "answer": PAD * 20 if n % 2 else "y"}),
}

ASKED = Asked(
    "/v1/chat-messages",
    {
        "query": "你好",
        "inputs": {"a": "b"},
        "user": "u",
        "response_mode": "streaming",
        "conversation_id": "",
        "files": [],
    },
)
