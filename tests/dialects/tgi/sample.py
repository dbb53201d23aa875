"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.sample import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    PAD,
    TEXT,
    WORDS,
    Endless,
    Sample,
    data,
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

SAMPLE = Sample(
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

MORE: tuple[bytes, ...] = (
    (
        b'data:{"index":1,"token":{"id":1,"text":"a","logprob":-1.0,"special":false},"generated_text":null,"details":null}\n\n'
        b'data:{"index":2,"token":{"id":2,"text":"</s>","logprob":-1.0,"special":true},"top_tokens":[{"id":3,"text":"b"}],"generated_text":"a",'
        b'"details":{"finish_reason":"eos_token","generated_tokens":2,"input_length":3,"seed":7}}\n\n'
    ),
    b'data:{"error":"no room","error_type":"overloaded"}\n\n',
)

ENDLESS: dict[str, Endless] = {
    "tokens": lambda n: data({"token": {"text": PAD, "special": False}}),
    "special tokens": lambda n: data({"token": {"text": PAD, "special": True}}),
    "top tokens": lambda n: data({"token": {"text": "a"}, "top_tokens": [{"id": n}]}),
}
