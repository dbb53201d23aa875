"""The events of a Converse answer to ours. AWS sends them as messages of an event stream, and Nova,
asked in its own form, as JSON.

    messageStart (contentBlockStart? contentBlockDelta* contentBlockStop)* messageStop metadata

`metadata`, with the usage, is the last event, but some have been recorded that come before
messageStop, and some answers without it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.bedrock import wire
from proxy.codec.bedrock.content_blocks import ContentBlocks
from proxy.codec.counts import count
from proxy.codec.failures import Told, in_band
from proxy.codec.framed import decoded
from proxy.codec.json_depth import shallow
from proxy.events import NO_USAGE, Event, Finish, StreamEnd, StreamError, Usage, UsageEvent, Vendor

_DELTA = msgspec.json.Decoder(wire.BlockDelta)
_START = msgspec.json.Decoder(wire.BlockStart)
_STOP = msgspec.json.Decoder(wire.BlockStop)
_MESSAGE_STOP = msgspec.json.Decoder(wire.MessageStop)
_object = msgspec.json.Decoder(dict[str, Any]).decode

_PADDING = "p"  # blunts the analysis of encrypted traffic; says nothing
# What `Usage` says already, some of it twice; the rest of a count goes to the client as the
# vendor's own.
_NORMALISED = frozenset(
    {
        "inputTokens",
        "outputTokens",
        "totalTokens",
        "cacheReadInputTokens",
        "cacheReadInputTokenCount",
        "cacheWriteInputTokens",
        "cacheWriteInputTokenCount",
    }
)


class Conversation:
    """One answer. `take` may raise ValueError for an event that cannot be read, and FramingError.
    `stop` is the vendor's word for its end, None while there is none; `whole` says that the last
    event has come.
    """

    def __init__(self, name: str, max_event_bytes: int, *, joins: bool = False) -> None:
        self._name = name
        self._blocks = ContentBlocks(name, max_event_bytes, joins=joins)
        self._extras: dict[str, Any] = {}
        self._usage_came = False
        self.usage: Usage = NO_USAGE
        self.stop: str | None = None

    @property
    def whole(self) -> bool:
        return self._usage_came and self.stop is not None

    def take(self, kind: str, payload: bytes, out: list[Event]) -> None:
        """One event, by its name."""
        if kind == "contentBlockDelta":
            said = decoded(_DELTA, payload)
            if not self._blocks.delta(said.content_block_index, said.delta, out):
                delta = _object(payload).get("delta")
                if isinstance(delta, dict):
                    self._blocks.unknown(said.content_block_index, delta, out)
        elif kind == "contentBlockStop":
            self._blocks.stop(decoded(_STOP, payload).content_block_index, out)
        elif kind == "contentBlockStart":
            began = decoded(_START, payload)
            self._blocks.start(began.content_block_index, began.start, out)
        elif kind == "messageStop":
            self._message_stop(decoded(_MESSAGE_STOP, payload))
        elif kind == "metadata":
            self._metadata(_object(payload), out)
        elif kind != "messageStart" and payload:
            out.append(Vendor(self._name, {kind: shallow(_without(_object(payload), _PADDING))}))

    def end(self, out: list[Event]) -> None:
        """The stop has come, and nothing more will: close what is open, tell what is left to be
        told, and give the terminal event.
        """
        raw = self.stop or ""
        self._blocks.stop_all(out)
        if self._extras:
            out.append(Vendor(self._name, shallow(self._extras)))
        reason = wire.finish_word(raw)
        if reason is None:
            out.append(
                StreamError(
                    in_band(Told(f"The model's answer cannot be used: {raw}.", raw)), self.usage
                )
            )
            return
        called = reason == "stop" and self._blocks.called
        out.append(StreamEnd(Finish("tool_calls" if called else reason, raw or None), self.usage))

    def _message_stop(self, said: wire.MessageStop) -> None:
        self.stop = said.stop_reason or ""
        if said.additional_model_response_fields:
            self._extras["messageStop"] = {
                "additionalModelResponseFields": said.additional_model_response_fields
            }

    def _metadata(self, said: dict[str, Any], out: list[Event]) -> None:
        counts = said.get("usage")
        if isinstance(counts, dict):
            usage = normalised(counts)
            if usage != self.usage:
                self.usage = usage
                out.append(UsageEvent(*msgspec.structs.astuple(usage)))
            said["usage"] = {
                key: value for key, value in counts.items() if key not in _NORMALISED and value
            }
        told = {key: value for key, value in said.items() if value and key != _PADDING}
        if told:
            self._extras["metadata"] = told
        self._usage_came = True


def normalised(counts: Mapping[str, Any]) -> Usage:
    """The vendor's counts in ours: `inputTokens` leaves out what was read from or written to the
    cache, ours includes both.
    """
    fresh, read, written, output = (
        count(counts.get(key))
        for key in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "outputTokens")
    )
    if read is None:
        read = count(counts.get("cacheReadInputTokenCount"))
    if written is None:
        written = count(counts.get("cacheWriteInputTokenCount"))
    return Usage(
        None if fresh is None else fresh + (read or 0) + (written or 0),
        output,
        read,
        cache_write_tokens=written,
    )


def _without(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}
