"""A whole answer as one document, for `stream: false`. Of several choices the first is given."""

from typing import Any

import msgspec

from proxy.codec.base import Parsed, Reply
from proxy.codec.fold import WholeAnswer
from proxy.codec.reasoning_details import details_of_answer
from proxy.dialects.ollama.images import bare
from proxy.dialects.ollama.shapes import call_object, head, last_line
from proxy.dialects.ollama.wire import NAME


def whole(parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`."""
    assert answer.start is not None
    assert answer.end is not None
    generate: bool = parsed.options.generate
    logprobs: list[Any] = []
    extras: dict[str, Any] = {}
    for event in answer.vendor:
        if event.dialect == NAME and isinstance(event.data, dict):
            said = dict(event.data)
            logprobs += said.pop("logprobs", None) or []
            extras |= said
    pictures = (bare(image.url) for image in answer.images if not image.choice)
    images = [data for data in pictures if data is not None]
    thinking = answer.reasoning()
    text: dict[str, Any] = {
        "response" if generate else "content": answer.text(),
        **({"thinking": thinking} if thinking else {}),
    }
    if not generate:
        calls = [
            call_object(call.tool, call.text, at)
            for at, call in enumerate(answer.tool_calls())
            if call.tool is not None
        ]
        details = details_of_answer(block for block in answer.blocks.values() if not block.choice)
        more = {"tool_calls": calls, "images": images, "reasoning_details": details}
        text = {
            "message": {
                "role": "assistant",
                **text,
                **{name: said for name, said in more.items() if said},
            }
        }
    beside: dict[str, Any] = {"logprobs": logprobs} if logprobs else {}
    if generate and images:
        beside["image"] = images[-1]
    document = {
        **head(answer.start),
        **text,
        **last_line(answer.end, answer.usage, extras),
        **beside,
    }
    return Reply(200, msgspec.json.encode(document))
