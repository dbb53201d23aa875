"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.sample import INPUT_TOKENS, OUTPUT_TOKENS, PAD, WORDS, Endless, Sample, data


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

SAMPLE = Sample(
    say=lambda _, text: dashscope_event(text),
    ending=dashscope_event("", "stop"),
    error=data(DASHSCOPE_ERROR, "error", "1"),
    error_body=DASHSCOPE_ERROR,
    over=False,
)


def _output(**more: Any) -> bytes:
    return data({"output": {"choices": [{"finish_reason": "null", **more}]}, "request_id": "r"})


ENDLESS: dict[str, Endless] = {
    "text": lambda n: _output(message={"content": PAD}),
    "choices": lambda n: _output(index=n, message={"content": PAD}),
    "choices to and fro": lambda n: _output(index=n % 100, message={"content": PAD * 3}),
    "long texts": lambda n: _output(index=n % 100, message={"content": PAD * 60}),
    "calls": lambda n: _output(
        message={
            "tool_calls": [{"index": n, "id": f"c{n}", "function": {"name": "f", "arguments": "{"}}]
        }
    ),
    "arguments without a name": lambda n: _output(
        message={"tool_calls": [{"index": 0, "function": {"arguments": PAD}}]}
    ),
    "turns": lambda n: _output(message={"content" if n % 2 else "reasoning_content": "a"}),
    "sources": lambda n: data(
        {"output": {"search_info": {"search_results": [{"url": f"u{n}{PAD}", "title": PAD}]}}}
    ),
    "log-probs": lambda n: _output(message={"content": "a"}, logprobs={"content": [n]}),
    "ids": lambda n: data({"output": {"text": "a"}, "request_id": PAD * n}),
}
