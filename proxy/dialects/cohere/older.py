"""The stream of API v1, which gateways and older deployments still give, as events of v2.

Source: Cohere's API reference, "Chat with Streaming" of API v1. Its events are named by
`event_type`. A call comes whole, with neither an id nor text for arguments, and perhaps in pieces
before.
"""

from collections.abc import Iterator
from typing import Any


class OlderStream:
    """One answer."""

    def __init__(self) -> None:
        self._texts = self._plans = self._pieces = False  # what has come in pieces

    def events(self, said: dict[str, Any]) -> Iterator[dict[str, Any]] | None:
        """The events of v2 that say what this one does; None: it has no place there."""
        match said.get("event_type"):
            case "stream-start":
                return iter([{"type": "message-start", "id": said.get("generation_id")}])
            case "text-generation":
                return self._text(said)
            case "tool-calls-chunk":
                return self._piece(said)
            case "tool-calls-generation":
                return self._calls(said)
            case "citation-generation":
                return (
                    _event("citation-start", citations=citation)
                    for citation in _listed(said, "citations")
                )
            case "stream-end":
                return self._end(said)
        return None

    def _text(self, said: dict[str, Any]) -> Iterator[dict[str, Any]]:
        self._texts = True
        yield _event("content-delta", content={"text": said.get("text")})

    def _piece(self, said: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if said.get("text"):
            self._plans = True
            yield _event("tool-plan-delta", tool_plan=said["text"])
        piece = said.get("tool_call_delta")
        if isinstance(piece, dict) and (piece.get("name") or piece.get("parameters")):
            self._pieces = True
            kind = "tool-call-start" if piece.get("name") else "tool-call-delta"
            yield _event(kind, piece.get("index"), tool_calls=_call(piece))

    def _calls(self, said: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if said.get("text") and not self._plans:
            self._plans = True
            yield _event("tool-plan-delta", tool_plan=said["text"])
        if not self._pieces:
            self._pieces = True
            for call in _listed(said, "tool_calls"):
                yield _event("tool-call-start", None, tool_calls=_call(call))

    def _end(self, said: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """It repeats the answer; what did not come before is taken from here."""
        response = said.get("response")
        whole = response if isinstance(response, dict) else {}
        if whole.get("tool_calls"):
            yield from self._calls(whole)
        elif whole.get("text") and not self._texts:
            yield from self._text(whole)
        meta = whole.get("meta")
        yield {
            "type": "message-end",
            "delta": {
                "finish_reason": said.get("finish_reason"),
                "error": said.get("error"),
                "usage": meta if isinstance(meta, dict) else None,
            },
        }


def older_answer(said: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A whole answer of v1 as the events of its stream."""
    yield {"event_type": "stream-start", "generation_id": said.get("generation_id")}
    yield {**said, "event_type": "stream-end", "response": said}


def _event(kind: str, index: int | None = 0, **news: Any) -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": news}}


def _call(said: Any) -> dict[str, Any]:
    call = said if isinstance(said, dict) else {}
    return {"function": {"name": call.get("name"), "arguments": call.get("parameters")}}


def _listed(said: dict[str, Any], name: str) -> list[Any]:
    found = said.get(name)
    return found if isinstance(found, list) else []
