"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from tests.dialects.sample import PAD, WORDS, Asked, Endless, Sample, data

SAMPLE = Sample(
    say=lambda _, text: data(text),
    ending=data("[done]"),
    error=data(f"[error] {WORDS}") + data("[done]"),
    error_body={"error": WORDS},
    raw=True,
)

SEEDS = ("a-minimal.body.sse",)

ENDLESS: dict[str, Endless] = {
    "text": lambda n: b"data: %b\n\n" % PAD.encode(),
    "suspicions": lambda n: b"data: [error] %d\n\n" % n,
    "nothing": lambda n: b"data:\n\n",
}

ASKED = Asked(
    "/data",
    {"prompt": "你好", "system": "s"},
    form="text",
    said=lambda values: "".join(values).removesuffix("[done]"),
)
