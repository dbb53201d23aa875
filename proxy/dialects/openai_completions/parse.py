"""A client's request to a `ChatRequest`: the prompt is one turn of the user's.

Source: OpenAI's API reference, "Create completion" (legacy). Wrong types are refused. Prompts that
others would answer wrongly (several at once, or tokens, which mean another text with every model)
go to upstreams of this dialect alone. What the API has and ours cannot carry is a note, and so is a
key that we do not know.
"""

from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object, key_notes
from proxy.dialects.openai_completions.wire import NAME
from proxy.errors import bad_request
from proxy.request import ChatRequest, Message, OnlyRelayed, Original

_Count = Annotated[int, Meta(ge=1)]
# What the API has and a ChatRequest has not -> values that ask for nothing.
_DROPPED: dict[str, tuple[Any, ...]] = {
    "best_of": (1,),
    "echo": (False,),
    "logprobs": (),
    "suffix": ("",),
}


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Body(msgspec.Struct):
    model: str
    prompt: Any = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: _Count | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: _Count | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    user: str | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: dict[str, float] | None = None


_KEPT = OnlyRelayed(
    "prompt",
    "send one text, as tokens mean another text with every model, and it takes one at once",
)
_KNOWN = frozenset(_Body.__struct_fields__)


class Options(NamedTuple):
    """What only the encoder needs to know."""

    include_usage: bool = False


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    value = json_object(incoming.body)
    body = fitted(value, _Body)
    text = _prompt(body.prompt)
    request = ChatRequest(
        model=body.model,
        messages=[Message("user", text or "")],
        original=Original(NAME, value),
        only_relayed=_KEPT if text is None else None,
        frequency_penalty=body.frequency_penalty or None,
        presence_penalty=body.presence_penalty or None,
        logit_bias=body.logit_bias or None,
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        stop=[body.stop] if isinstance(body.stop, str) else body.stop or [],
        seed=body.seed,
        user=body.user,
        stream=bool(body.stream),
        n=body.n,
    )
    wants_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
    return Parsed(request, Options(wants_usage), tuple(key_notes(value, _KNOWN, _DROPPED)))


def _prompt(said: Any) -> str | None:
    """A text, or a list of one; None for several texts, and for tokens."""
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    if isinstance(said, str) and said:
        return said
    if isinstance(said, int | list) and said and not isinstance(said, bool):
        return None
    raise bad_request("prompt is required: send a text that is not empty.", param="prompt")
