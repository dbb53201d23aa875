"""A whole answer as one chat response, for clients that asked without `stream`. Of several choices
the first is given.
"""

from typing import Any

import msgspec

from proxy.codec.base import Parsed, Reply
from proxy.codec.fold import WholeAnswer
from proxy.codec.reasoning_details import details_of_answer
from proxy.dialects.cohere.shapes import (
    citation_object,
    finish_word,
    is_plan,
    own_citation,
    own_frame,
    own_usage,
)
from proxy.dialects.cohere.usage import usage_object


def whole(_parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`."""
    extras: dict[str, Any] = {}
    logprobs: list[Any] = []
    for event in answer.vendor:
        extras = own_usage(event) or extras
        logprobs += [(own_frame(event) or {}).get("logprobs")]
    logprobs = [each for each in logprobs if each is not None]
    document = {
        "id": answer.start.stream if answer.start else "",
        "finish_reason": finish_word(answer.finish),
        "message": _message(answer),
    }
    document |= {"usage": usage_object(answer.usage, extras)}
    document |= {"logprobs": logprobs} if logprobs else {}
    return Reply(200, msgspec.json.encode(document))


def _message(answer: WholeAnswer) -> dict[str, Any]:
    planned = {
        at - 1 for at, event in zip(answer.vendor_at, answer.vendor, strict=True) if is_plan(event)
    }
    cited = [said for event in answer.vendor if (said := own_citation(event)) is not None]
    own_citations = bool(cited)
    content: list[dict[str, Any]] = []
    plan = ""
    for number, block in enumerate(answer.blocks.values()):
        if block.choice or block.kind == "tool_call":
            continue
        if number in planned:
            plan += block.text
        elif block.kind == "text":
            if not own_citations:
                cited += [citation_object(citation, len(content)) for citation in block.citations]
            content.append({"type": "text", "text": block.text})
        elif block.text:
            content.append({"type": "thinking", "thinking": block.text})
    calls = [
        {
            "id": call.tool.id,
            "type": "function",
            "function": {"name": call.tool.name, "arguments": call.text or "{}"},
        }
        for call in answer.tool_calls()
        if call.tool is not None
    ]
    message: dict[str, Any] = {"role": "assistant", "content": content}
    details = details_of_answer(block for block in answer.blocks.values() if not block.choice)
    more = {
        "tool_plan": plan,
        "tool_calls": calls,
        "citations": cited,
        "reasoning_details": details,
    }
    return {**message, **{name: said for name, said in more.items() if said}}
