"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from tests.dialects.sample import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    PAD,
    TEXT,
    WORDS,
    Endless,
    Sample,
    choice,
    data,
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

SAMPLE = Sample(
    opening=minimax_chunk(""),
    say=lambda _, text: minimax_chunk(text),
    ending=data(MINIMAX_WHOLE),
    error=data(MINIMAX_ERROR),
    error_body=MINIMAX_ERROR,
)

MORE: tuple[bytes, ...] = (
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
)

ENDLESS: dict[str, Endless] = {
    "text": lambda n: choice({"content": PAD}),
    "choices": lambda n: choice({"content": "a"}, n),
    "calls": lambda n: choice(
        {"tool_calls": [{"index": n, "id": f"c{n}", "function": {"name": "f", "arguments": "{"}}]}
    ),
    "arguments without a name": lambda n: choice(
        {"tool_calls": [{"index": 0, "function": {"arguments": PAD}}]}
    ),
    "pages": lambda n: choice({"role": "tool", "content": f'[{{"link":"l{n}"}}]'}),
    "speech": lambda n: choice({"audio_content": f"{n}{PAD}"}),
    "turns": lambda n: choice({"content" if n % 2 else "reasoning_content": "a"}),
}
