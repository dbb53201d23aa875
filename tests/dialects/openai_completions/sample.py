"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.openai_chat.sample import OPENAI_ERROR, OPENAI_USAGE
from tests.dialects.sample import PAD, Asked, Endless, Sample, data


def text_chunk(text: str, finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "a1",
        "object": "text_completion",
        "choices": [{"index": 0, "text": text, "finish_reason": finish}],
    }


SAMPLE = Sample(
    say=lambda _, text: data(text_chunk(text)),
    ending=data(text_chunk("", "stop"))
    + data({"id": "a1", "choices": [], "usage": OPENAI_USAGE})
    + data("[DONE]"),
    error=data(OPENAI_ERROR),
    error_body=OPENAI_ERROR,
)

ENDLESS: dict[str, Endless] = {
    "text": lambda n: data({"choices": [{"index": 0, "text": PAD}]}),
    "choices": lambda n: data({"choices": [{"index": n, "text": "a"}]}),
    "models": lambda n: data({"model": f"m{n}", "choices": []}),
    "log-probs": lambda n: data({"choices": [{"text": "a", "logprobs": {"tokens": [f"{n}"]}}]}),
    "finishes": lambda n: data(
        {"choices": [{"index": n % 100, "text": "", "finish_reason": f"s{n}"}]}
    ),
}

ASKED = Asked(
    "/v1/completions",
    {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "max_tokens": 5,
        "user": "u",
        "echo": False,
        "model": "m",
        "prompt": ["你好"],
        "suffix": "x",
        "stop": ["x"],
        "n": 2,
        "logprobs": 1,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
)
