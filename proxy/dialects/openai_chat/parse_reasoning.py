"""How much the model shall think, in the ways that vendors of this dialect have for it.

OpenAI says an effort; OpenRouter an object with an effort or a budget; DeepSeek, Zhipu, Moonshot
and Doubao `thinking: {type}`; Qwen `enable_thinking` and a budget, which servers of open models
take within `chat_template_kwargs`.
"""

from typing import Any

from proxy.codec.efforts import EFFORTS
from proxy.dialects.openai_chat.parse_parts import Noting
from proxy.dialects.openai_chat.wire_request import Body
from proxy.request import Effort, Reasoning

_SWITCHES = ("enable_thinking", "thinking")  # in a chat template: Qwen's, and DeepSeek's


def reasoning(body: Body, template: Any, note: Noting) -> Reasoning | None:
    """What was asked for; None where nothing was. `template` are the `chat_template_kwargs`."""
    asked, thinking = body.reasoning, body.thinking
    said = body.reasoning_effort or (asked.effort if asked is not None else None)
    effort = _effort(said, note)
    budget = asked.max_tokens if asked is not None else None
    on = asked.enabled if asked is not None else None
    adaptive = thinking is not None and thinking.type == "adaptive"
    if thinking is not None:
        budget = thinking.budget_tokens if budget is None else budget
        on = {"enabled": True, "disabled": False}.get(thinking.type or "", on)
        if thinking.type not in (None, "enabled", "disabled", "adaptive"):
            note("thinking", "A kind of thinking that is not known was left out.")
    if body.enable_thinking is not None:
        on = body.enable_thinking
    budget = body.thinking_budget if budget is None else budget
    if template is not None:
        on = _switch(template, on, note)
    if on is False:
        return Reasoning("none")
    if adaptive:
        return Reasoning(effort, adaptive=True)
    if effort is None and budget is None and on is None:
        return None
    return Reasoning("medium" if effort is None and budget is None else effort, budget)


def _effort(said: str | None, note: Noting) -> Effort | None:
    if said is None:
        return None
    found = next((effort for effort in EFFORTS if effort == said), None)
    if found is None:
        note("reasoning_effort", f"Effort {said[:40]} is not known to other vendors.")
    return found


def _switch(template: Any, on: bool | None, note: Noting) -> bool | None:
    rest = template
    if isinstance(template, dict):
        on = next((v for name in _SWITCHES if isinstance(v := template.get(name), bool)), on)
        rest = [name for name in template if name not in _SWITCHES]
    if rest:
        note("chat_template_kwargs", "What a chat template takes is the server's own.")
    return on
