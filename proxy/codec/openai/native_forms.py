"""Chunks of a server's own API, met where its OpenAI-compatible one was asked for: a path was
configured that leads to it, or a relay passes it on.

Cloudflare Workers AI: `{"response": "...", "p": "..."}`, where `p` pads; calls without `function`;
usage in the last chunk; `[DONE]`, and no finish reason. llama.cpp's `/completion`: `{"content":
"...", "stop": false}`; the last has `stop: true`, why it stopped, and its counts. Sources: their
pages, "Text generation" of Workers AI and llama.cpp's `tools/server/README.md`.
"""

from collections.abc import Mapping
from typing import Any

_FLAGS = {"stopped_eos": "eos", "stopped_word": "word", "stopped_limit": "limit"}  # of old versions


def in_openais_form(said: Any) -> dict[str, Any] | None:
    """The chunk as one of chat completions and of legacy ones at once; None: it is neither of
    these.
    """
    match said:
        case {"content": str(text), "stop": bool(stopped)}:
            return _llama_cpp(said, text, stopped=stopped)
        case {"response": str() | int() | float() | None as response, **rest} if (
            response is not None or "tool_calls" in rest or "usage" in rest
        ):
            # a token that is a number is not always quoted
            text = "" if response is None else str(response)
            return _chunk(text, None, tool_calls=rest.get("tool_calls"))
    return None


def _llama_cpp(said: Mapping[str, Any], text: str, *, stopped: bool) -> dict[str, Any]:
    if not stopped:
        return _chunk(text, None)
    flags = [word for flag, word in _FLAGS.items() if said.get(flag) is True]
    why = said.get("stop_type") or next(iter(flags), "eos")
    counts = {
        "prompt_tokens": said.get("tokens_evaluated"),
        "completion_tokens": said.get("tokens_predicted"),
    }
    return {**_chunk(text, why), "usage": counts}


def _chunk(text: str, finish: Any, **more: Any) -> dict[str, Any]:
    delta = {"content": text, **more}
    return {"choices": [{"index": 0, "delta": delta, "text": text, "finish_reason": finish}]}
