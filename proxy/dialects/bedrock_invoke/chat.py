"""A chat completion's document as OpenAI writes it, of one that models of this service write
otherwise.

Mistral's and DeepSeek's have neither `delta` nor `finish_reason`: a piece is `message` or `text`,
and `stop_reason` says why it ends. What the service counted stands for the model's own count where
that is missing. Sources: "Mistral AI chat completion" and "DeepSeek models" of the Bedrock user
guide.
"""

from typing import Any

from proxy.dialects.bedrock_invoke.wire import METRICS


def in_openais_form(document: dict[str, Any]) -> dict[str, Any]:
    """The document, or what it says in that form."""
    choices, counted = document.get("choices"), document.get(METRICS)
    changes: dict[str, Any] = {}
    if isinstance(choices, list):
        changes["choices"] = [_choice(choice) for choice in choices]
    if isinstance(counted, dict) and not document.get("usage"):
        changes["usage"] = {
            "prompt_tokens": counted.get("inputTokenCount"),
            "completion_tokens": counted.get("outputTokenCount"),
        }
    return {**document, **changes}


def _choice(choice: Any) -> Any:
    if not isinstance(choice, dict) or "delta" in choice:
        return choice
    said = {key: value for key, value in choice.items() if key not in ("message", "stop_reason")}
    delta = choice.get("message") or {"content": choice.get("text")}
    finish = choice.get("finish_reason") or choice.get("stop_reason")
    return {**said, "delta": delta, "finish_reason": finish}
