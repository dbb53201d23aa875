"""A whole answer as one document, for `response_mode: blocking`."""

from typing import Any

import msgspec

from proxy.codec.base import Parsed, Reply
from proxy.codec.fold import WholeAnswer
from proxy.dialects.dify import shapes


def whole(parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`. Of several choices the first is given."""
    ids = shapes.ids(answer.start, parsed.options)
    own: dict[str, Any] = {}
    for event in answer.vendor:
        ids |= shapes.told_ids(event)
        said = shapes.told_event(event)
        if (
            said is not None
            and said["event"] == "message_end"
            and isinstance(said.get("metadata"), dict)
        ):
            own = said["metadata"]
    cited = [
        citation
        for block in answer.blocks.values()
        if block.choice == 0
        for citation in block.citations
    ]
    document = {
        "event": "message",
        **ids,
        "id": ids["message_id"],
        "mode": "chat",
        "answer": answer.text(),
        "metadata": shapes.metadata(answer.usage, cited, own, insist=True),
        "created_at": answer.start.created if answer.start is not None else 0,
    }
    return Reply(200, msgspec.json.encode(document))
