"""The form of an answer: OpenAI's, or the one that Mistral's SDKs read. The request's headers say
which (see `mistral`).
"""

from proxy.codec.base import Encoder, Parsed, Reply
from proxy.codec.fold import WholeAnswer
from proxy.dialects.openai_chat import mistral
from proxy.dialects.openai_chat.encode import ChatEncoder
from proxy.dialects.openai_chat.whole import openai_whole


def encoder(parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`."""
    if parsed.options.mistral:
        return mistral.MistralEncoder()
    options = parsed.options
    return ChatEncoder(include_usage=options.include_usage, custom=options.custom)


def whole(parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`."""
    if parsed.options.mistral:
        return mistral.mistral_whole(answer)
    return openai_whole(answer, parsed.options.custom)
