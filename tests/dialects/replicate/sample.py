"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.sample import PAD, WORDS, Endless, Sample, data, json_of

SAMPLE = Sample(
    say=lambda _, text: data(text, "output", "1:0"),
    ending=data({}, "done", "2:0"),
    error=data({"detail": WORDS}, "error", "2:0") + data({"reason": "error"}, "done", "2:0"),
    error_body={"title": "Internal error", "detail": WORDS, "status": 500},
    follows=True,
    model="who/what",
    path_names="slashes",
    raw=True,
)

MORE: tuple[bytes, ...] = (
    b": hi\n\nevent: logs\nid: 1:0\ndata: Loading.\n\nevent: output\nid: 1:0\ndata: H\ndata: \n\nevent: done\nid: 1:0\ndata: {}\n\n",
    b'event: output\nid: 1:0\ndata: a\n\nevent: error\nid: 2:0\ndata: {"detail":"no"}\n\nevent: done\nid: 2:0\ndata: {"reason":"error"}\n\n',
)


def _event(event: str, value: Any) -> bytes:
    return b"event:%b\ndata:%b\n\n" % (
        event.encode(),
        value if isinstance(value, bytes) else json_of(value),
    )


ENDLESS: dict[str, Endless] = {
    "text": lambda n: b"event: output\nid: %d:0\ndata: %b\n\n" % (n, PAD.encode()),
    "logs": lambda n: _event("logs", PAD.encode()),
    "unknown events": lambda n: _event(f"new{n}", b"{}"),
}
