"""Why an answer ended: the vendors' words, compared without case, hyphens and underscores. Google's
endpoint for OpenAI's clients puts Gemini's word behind one of its own
(`content_filter: PROHIBITED_CONTENT`).
"""

from collections.abc import Iterator

from proxy.codec.finishes import plain
from proxy.events import FinishReason

# Lower case. Beside OpenAI's own: Together, Mistral, Zhipu, Qianfan, llama.cpp, and what gateways
# let through of Anthropic, Cohere and Gemini.
FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "complete": "stop",
    "completed": "stop",
    "normal": "stop",
    "done": "stop",
    "word": "stop",
    "length": "length",
    "limit": "length",
    "max_tokens": "length",
    "model_length": "length",
    "max_output_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "content_filtered": "content_filter",
    "sensitive": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "spii": "content_filter",
    "guardrail_intervened": "content_filter",
    "refusal": "refusal",
}
# Lower case. The answer is broken, whatever came before (DeepSeek, Zhipu, Mistral, vLLM,
# OpenRouter).
ERRORS = frozenset(
    {
        "error",
        "failed",
        "abort",
        "timeout",
        "network_error",
        "insufficient_system_resource",
        "function_call_filter",
        "malformed_function_call",
        "malformed_model_output",
        "malformed_tool_use",
    }
)
# Snowflake and DashScope write these where null is meant.
NOT_FINISHED = frozenset({"", "null"})
_PLAIN = {plain(word): reason for word, reason in FINISH_REASONS.items()}
_PLAIN_ERRORS = frozenset(map(plain, ERRORS))


def is_error(raw: str) -> bool:
    """Whether the vendor's word says that the answer is broken."""
    return any(word in _PLAIN_ERRORS or word.endswith("error") for word in _words(raw))


def finish_reason(raw: str | None, *, called: bool, refused: bool) -> FinishReason:
    """Our word. `called`: a tool call was seen, which many vendors end with `stop`; `refused`: the
    text came as a refusal.
    """
    words = _words("stop" if raw is None else raw)
    reason: FinishReason = next((_PLAIN[word] for word in words if word in _PLAIN), "other")
    if reason == "stop" and called:
        return "tool_calls"
    if reason == "stop" and refused:
        return "refusal"
    return reason


def _words(raw: str) -> Iterator[str]:
    """A word as it is compared, and the two that it may consist of."""
    yield plain(raw)
    own, colon, behind = raw.partition(":")
    if colon:
        yield plain(behind)
        yield plain(own)
