"""A client's request to a `ChatRequest`: the prompt is one turn of the user's.

Source: OpenAI's API reference, "Create completion" (legacy). Refused: wrong types, and prompts that
would be answered wrongly (several at once, or tokens, which mean another text with every model).
What the API has and ours cannot carry is a note, and so is a key that we do not know.
"""

from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object, key_notes
from proxy.errors import bad_request
from proxy.request import ChatRequest, Message

_Count = Annotated[int, Meta(ge=1)]
# What the API has and a ChatRequest has not -> values that ask for nothing.
_DROPPED: dict[str, tuple[Any, ...]] = {
    "best_of": (1,),
    "echo": (False,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (),
    "presence_penalty": (0,),
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


_KNOWN = frozenset(_Body.__struct_fields__)


class Options(NamedTuple):
    """What only the encoder needs to know."""

    include_usage: bool = False


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    value = json_object(incoming.body)
    body = fitted(value, _Body)
    request = ChatRequest(
        model=body.model,
        messages=[Message("user", _prompt(body.prompt))],
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


def _prompt(said: Any) -> str:
    """A text, or a list of one."""
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    if isinstance(said, str) and said:
        return said
    if isinstance(said, list) and said and all(isinstance(text, str) for text in said):
        raise bad_request(
            "prompt must be one text: send a request for each of several.", param="prompt"
        )
    if isinstance(said, int | list) and said:
        raise bad_request(
            "prompt must be text: tokens mean another text with every model.", param="prompt"
        )
    raise bad_request("prompt is required: send a text that is not empty.", param="prompt")
