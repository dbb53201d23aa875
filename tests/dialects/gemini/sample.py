"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.sample import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    PAD,
    WORDS,
    Asked,
    Endless,
    Sample,
    data,
    once,
)


def gemini_chunk(text: str, **more: Any) -> bytes:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **more}
    usage = {"promptTokenCount": INPUT_TOKENS, "totalTokenCount": INPUT_TOKENS}
    if more:
        usage |= {"candidatesTokenCount": OUTPUT_TOKENS, "totalTokenCount": 18}
    return data({"candidates": [candidate], "usageMetadata": usage, "responseId": "a1"})


GEMINI_ERROR = {"error": {"code": 500, "message": WORDS, "status": "INTERNAL"}}

SAMPLE = Sample(
    say=lambda _, text: gemini_chunk(text),
    ending=gemini_chunk("", finishReason="STOP"),
    error=data(GEMINI_ERROR),
    error_body=GEMINI_ERROR,
    over=False,
    path_names="slashes",
)


def _parts(*parts: Any, index: int = 0, **more: Any) -> bytes:
    return data({"candidates": [{"index": index, "content": {"parts": list(parts)}, **more}]})


def _partial(n: int, path: str, **more: Any) -> bytes:
    name = {"name": "f"} if n == 0 else {}
    return _parts(
        {
            "functionCall": {
                **name,
                "partialArgs": [{"jsonPath": path, **more}],
                "willContinue": True,
            }
        }
    )


ENDLESS: dict[str, Endless] = {
    "text": lambda n: _parts({"text": PAD}),
    "candidates": lambda n: _parts({"text": "a"}, index=n),
    "thoughts": lambda n: _parts({"text": PAD, "thought": True}, {"text": "a"}),
    "signatures": lambda n: _parts({"text": "", "thoughtSignature": f"{n}{PAD}"}),
    "calls": lambda n: _parts({"functionCall": {"name": f"f{n}", "args": {"a": n}}}),
    "calls that go on": lambda n: _parts({"functionCall": {"name": f"f{n}", "willContinue": True}}),
    "arguments by key": lambda n: _partial(n, f"$.k{n}", numberValue=n),
    "arguments by number": lambda n: _partial(n, f"$.a[{n}]", stringValue=PAD),
    "one argument": lambda n: _partial(n, "$.a", stringValue=PAD),
    "arguments in depth": lambda n: _partial(n, "$" + ".a" * 40 + f".b{n}", numberValue=n),
    "images": lambda n: _parts({"inlineData": {"mimeType": "image/png", "data": PAD}, "n": n}),
    "sources": lambda n: _parts(
        {"text": "a"},
        groundingMetadata={"groundingChunks": [{"web": {"uri": f"u{n}{PAD}", "title": "t"}}]},
    ),
    "citations": lambda n: _parts(
        {"text": "a"},
        citationMetadata={"citations": [{"startIndex": 0, "endIndex": 1, "uri": f"u{n}"}]},
    ),
    "usage": lambda n: data({"usageMetadata": {"promptTokenCount": n, f"k{n}": n}}),
    "feedback": lambda n: data({"promptFeedback": {"n": n, "blockReason": f"b{n}"}}),
    "finishes": lambda n: _parts({"text": "a"}, index=n % 100, finishReason=f"F{n}"),
    "an array": once(b"[", lambda n: b'{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},\n'),
}

ASKED = Asked(
    "/v1beta/models/m:streamGenerateContent",
    {
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [
            {
                "role": "user",
                "parts": [{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "t", "thought": True},
                    {
                        "functionCall": {"id": "c1", "name": "f", "args": {}},
                        "thoughtSignature": "c2ln",
                    },
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "c1", "name": "f", "response": {"output": "r"}}}
                ],
            },
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "f",
                        "parameters": {"type": "OBJECT", "properties": {"p": {"type": "STRING"}}},
                    }
                ]
            }
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "generationConfig": {
            "maxOutputTokens": 5,
            "stopSequences": ["x"],
            "seed": 1,
            "responseMimeType": "application/json",
            "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 100},
        },
    },
)
