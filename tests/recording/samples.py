"""A recording to play with."""

from typing import Any

from proxy.recording.tape import Asked, Read, Recording

REQUEST = {"model": "m-1", "stream": True, "messages": [{"role": "user", "content": "hi"}]}


def chat(text: str, finish: str | None = None) -> bytes:
    """One frame of openai_chat."""
    delta = f'{{"content":"{text}"}}' if text else "{}"
    reason = f'"{finish}"' if finish else "null"
    return (
        f'data: {{"choices":[{{"index":0,"delta":{delta},"finish_reason":{reason}}}]}}\n\n'.encode()
    )


READS = (
    Read(30, chat("Hel")),
    Read(31, chat("lo 你")[:-20]),
    Read(80.5, chat("lo 你")[-20:] + chat("", "stop")),
    Read(81, b"data: [DONE]\n\n"),
)


def recording(**other: Any) -> Recording:
    given: dict[str, Any] = {
        "upstream": "up",
        "dialect": "openai_chat",
        "model": "m-1",
        "recorded": "2026-11-30T12:00:00.000Z",
        "request": Asked(path="/chat/completions", body=REQUEST),
        "head_ms": 20,
        "status": 200,
        "headers": {"content-type": "text/event-stream"},
        "reads": READS,
        "end": "complete",
        "end_ms": 90,
    }
    return Recording(**(given | other))
