"""The options of an upstream that speaks this dialect: what its vendor does otherwise than OpenAI.
All have defaults:

    include_usage       false for servers that refuse `stream_options`; their usage is then unknown
                        unless they send it unasked
    organization, project   OpenAI's headers of that name
    api_key_header      the header that takes the bare key, for example `api-key` for Azure; by
                        default `Authorization: Bearer`
    send_reasoning      the field in which a vendor wants earlier reasoning back:
                        `reasoning_details` (OpenRouter), `thinking_blocks` (LiteLLM), or one for
                        plain text, for example `reasoning_content`; by default it is left out
    ask_reasoning       how a vendor is told how much to think: `effort` (`reasoning_effort`, the
                        default), `object` (`reasoning` of OpenRouter), `switch` (`thinking`),
                        `budget` (`enable_thinking` and `thinking_budget` of Qwen) or `template`
                        (`chat_template_kwargs` of servers of open models)
    takes_also          parameters that it takes and OpenAI does not, of `top_k`, `min_p` and
                        `repetition_penalty`
    rename              fields that this vendor calls otherwise, for example {seed: random_seed} for
                        Mistral
    omit                fields that this vendor refuses, for example [user, metadata]
    no_finish_reason    true for a vendor that never says why its answer ends (see `decode`)

`max_tokens_field`, a rule (proxy/codec/rules.py), says whether the limit stands in `max_tokens` or
in `max_completion_tokens`.
"""

from typing import Literal

import msgspec

from proxy.codec.base import TargetConfig
from proxy.codec.chat_turns import options_of

AskReasoning = Literal["effort", "object", "switch", "budget", "template"]


class UpstreamOptions(msgspec.Struct, forbid_unknown_fields=True):
    """See above."""

    include_usage: bool = True
    organization: str | None = None
    project: str | None = None
    api_key_header: str | None = None
    send_reasoning: str | None = None
    ask_reasoning: AskReasoning = "effort"
    takes_also: list[str] = []
    rename: dict[str, str] = {}
    omit: list[str] = []
    no_finish_reason: bool = False


def upstream_options(target: TargetConfig) -> UpstreamOptions:
    """Options that are none raise Refused (`internal`): the operator's fault."""
    return options_of(target, UpstreamOptions)
