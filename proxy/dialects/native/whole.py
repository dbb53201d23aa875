"""A whole answer, and an error before the first byte, as one JSON document."""

import msgspec
from msgspec import UNSET

from proxy.codec.base import Parsed, Reply
from proxy.codec.fold import Block, WholeAnswer
from proxy.dialects.native.wire import Problem, ToolCall, Whole, WholeBlock
from proxy.errors import Failure
from proxy.events import BlockEnd


def whole(_parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`."""
    start, end = answer.start, answer.end
    assert start is not None
    assert end is not None
    document = Whole(
        stream=start.stream,
        model=start.model,
        upstream=start.upstream,
        upstream_model=start.upstream_model,
        created=start.created,
        notes=start.notes,
        text=answer.text(),
        reasoning=answer.reasoning(),
        tool_calls=[
            ToolCall(call.tool.id, call.tool.name, call.text, call.tool.custom)
            for call in answer.tool_calls()
            if call.tool is not None
        ],
        blocks=[_block(block) for block in answer.blocks.values()],
        images=answer.images,
        vendor=answer.vendor,
        finish=end.finish,
        usage=end.usage,
        timing=end.timing,
    )
    return Reply(200, msgspec.json.encode(document))


def render_error(failure: Failure) -> Reply:
    """See `ClientHalf.render_error`."""
    headers = (
        {} if failure.retry_after_s is UNSET else {"retry-after": f"{failure.retry_after_s:g}"}
    )
    return Reply(failure.status, msgspec.json.encode(Problem(failure)), headers)


def _block(block: Block) -> WholeBlock:
    end = block.proof or BlockEnd(0)
    return WholeBlock(
        block.kind,
        block.text,
        tool=block.tool or UNSET,
        signature=end.signature,
        citations=block.citations or UNSET,
        choice=block.choice or UNSET,
        refusal=block.refusal or UNSET,
        format=end.format,
        redacted=end.redacted,
        id=end.id,
    )
