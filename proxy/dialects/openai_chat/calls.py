"""Tool calls, put together from a vendor's pieces.

OpenAI tells pieces apart by `index`; `id` and `name` come with the first. Others leave the index
out, and the place in the list stands for it (Mistral); send `id: ""`, or the same id again, and a
`name` of null or "" with later pieces (Qwen, Hunyuan, TGI); or send whole calls that all have index
0 and are told apart by their ids (Gemini's OpenAI endpoint), or not even by them. Cloudflare's
Workers AI says name and arguments without `function` around them.
"""

from typing import Any

import msgspec

from proxy.codec.blocks import Blocks
from proxy.codec.call_pieces import CallPieces
from proxy.codec.proofs import GEMINI
from proxy.dialects.openai_chat.wire import NAME, CallPiece
from proxy.events import Event, Vendor


class Calls(CallPieces):
    """The tool calls of every choice of one answer. At most `max_held_chars` wait for a name."""

    def __init__(self, blocks: Blocks, max_held_chars: int) -> None:
        super().__init__(blocks, NAME, max_held_chars)

    def take(self, out: list[Event], choice: int, position: int, piece: CallPiece) -> None:
        """`position` is the piece's place in its list. Raises FramingError for a call too many."""
        index = position if piece.index is None else piece.index
        call_id = "" if piece.id is None else str(piece.id)
        custom, function = piece.custom, piece.function
        if custom is not None:
            name, arguments = custom.name or "", custom.input or ""
        elif function is not None:
            name, arguments = function.name or "", _text(function.arguments)
        else:
            name, arguments = piece.name or "", _text(piece.arguments)
        self.piece(
            out, index, name, arguments, call_id=call_id, choice=choice, custom=custom is not None
        )
        if piece.extra_content is not None:
            self._extra(out, choice, index, piece.extra_content)

    def _extra(self, out: list[Event], choice: int, index: int, extra: Any) -> None:
        """Gemini's signature of a call; what else a vendor says there is kept."""
        match extra:
            case {"google": {"thought_signature": str(signature)}} if signature:
                if self.proof(index, signature, GEMINI, choice=choice):
                    return
        said = {"tool_calls": [{"index": index, "extra_content": extra}]}
        out.append(Vendor(NAME, {"choices": [{"index": choice, "delta": said}]}))

    def _late(self, out: list[Event], choice: int, key: int | str, arguments: str) -> None:
        late = {"tool_calls": [{"index": key, "function": {"arguments": arguments}}]}
        out.append(Vendor(NAME, {"choices": [{"index": choice, "delta": late}]}))


def _text(arguments: str | dict[str, Any] | None) -> str:
    if isinstance(arguments, dict):
        return msgspec.json.encode(arguments).decode()
    return arguments or ""
