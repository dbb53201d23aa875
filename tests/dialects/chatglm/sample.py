"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from tests.dialects.sample import PAD, WORDS, Asked, Endless, Sample, dumped, json_of

# Each object has the whole text so far, and nothing stands between two.
SAMPLE = Sample(
    say=lambda before, text: dumped(
        {"id": 1, "time": "2026-01-01 00:00:00", "body": {"content": before + text}}
    ),
    ending=b"",
    error=dumped({"error": WORDS}),
    error_body={"error": WORDS},
    over=False,
)

SEEDS = ("c-chatglm2-report.body.bin",)

ENDLESS: dict[str, Endless] = {
    "longer": lambda n: json_of({"body": {"content": PAD * n}}),
    "the same": lambda n: json_of({"body": {"content": PAD}}),
    "another": lambda n: json_of({"body": {"content": f"x{n}"}}),
}

ASKED = Asked(
    "/data",
    {"query": "你好", "history": [["a", "b"]], "data": [1]},
    form="values",
    said=lambda values: values[-1]["body"]["content"],
)
