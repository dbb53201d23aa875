"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.sample import INPUT_TOKENS, OUTPUT_TOKENS, PAD, WORDS, Endless, Sample, data


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

SAMPLE = Sample(
    say=lambda _, text: qianfan_event(text),
    ending=qianfan_event(
        "", is_end=True, usage={"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS}
    ),
    error=data(QIANFAN_ERROR),
    error_body=QIANFAN_ERROR,
    path_names="segment",
)

ENDLESS: dict[str, Endless] = {
    "text": lambda n: data({"id": "a", "result": PAD, "is_end": False}),
    "ids": lambda n: data({"id": PAD * n, "result": "a"}),
    "calls": lambda n: data({"function_call": {"name": f"f{n}", "arguments": "{"}}),
    "arguments": lambda n: data({"function_call": {"arguments": PAD}}),
    "thoughts": lambda n: data({"function_call": {"name": "f", "thoughts": f"t{n}{PAD}"}}),
    "plugins": lambda n: data(
        {"plugin_info": [{"n": n}], "usage": {"prompt_tokens": n, "plugins": [n]}}
    ),
    "sources": lambda n: data(
        {"search_info": {"search_results": [{"url": f"u{n}{PAD}", "title": PAD}]}}
    ),
}
