"""What a streamed and a whole answer say alike: the finish, the usage, a citation."""

from typing import Any, NamedTuple

from proxy.codec.openai.finish_reasons import finish_reason
from proxy.dialects.openai_chat.wire import NAME
from proxy.events import Citation, Finish, Vendor


def finish_word(finish: Finish) -> str:
    """One of the words that OpenAI's clients know.

    A refusal of OpenAI's own ends with `stop`, one of Anthropic's is nearest to `content_filter`.
    What is neither ours nor theirs is `stop`: the answer is complete, or it would be an error.
    """
    if finish.reason == "refusal":
        return "stop" if finish.raw == "stop" else "content_filter"
    return "stop" if finish.reason == "other" else finish.reason


def other_finish(raw: str, *, called: bool) -> str:
    """The finish of a choice that has a word of its own. `called`: it called a tool."""
    return finish_word(Finish(finish_reason(raw, called=called, refused=False), raw))


class Extras(NamedTuple):
    """A `vendor` event of this dialect taken apart: keys of the chunk, its choices, and keys of the
    usage.
    """

    chunk: dict[str, Any]
    choices: list[dict[str, Any]]
    usage: dict[str, Any]


def extras(event: Vendor) -> Extras:
    """What of a `vendor` event this form has a place for: nothing, if it is another dialect's. The
    model stays the one asked for.
    """
    if event.dialect != NAME or not isinstance(event.data, dict):
        return Extras({}, [], {})
    chunk = {
        name: value
        for name, value in event.data.items()
        if name not in ("model", "choices", "usage")
    }
    choices, usage = event.data.get("choices"), event.data.get("usage")
    listed = choices if isinstance(choices, list) else []
    known = [
        choice
        for choice in listed
        if isinstance(choice, dict) and isinstance(choice.get("index"), int)
    ]
    return Extras(chunk, known, usage if isinstance(usage, dict) else {})


def annotation(citation: Citation) -> dict[str, Any] | None:
    """A citation as `url_citation`. It must have all four fields: unknown places are 0, an unknown
    title is the address. Without an address there is none.
    """
    if citation.url is None:
        return None
    said = {
        "url": citation.url,
        "title": citation.title or citation.url,
        "start_index": citation.start or 0,
        "end_index": citation.end or 0,
    }
    return {"type": "url_citation", "url_citation": said}
