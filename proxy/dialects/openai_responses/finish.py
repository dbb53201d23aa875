"""How an answer ended: the response object of a terminal event, or of a document, to ours."""

from collections.abc import Mapping
from typing import Any

from proxy.codec.finishes import Finishes, plain
from proxy.codec.openai.errors import VendorError, vendor_error
from proxy.codec.openai.usage import usage_extras
from proxy.events import FinishReason

# Terminal event -> the status that it says. OpenRouter has named its last event `response.done`.
TERMINAL = {
    "response.completed": "completed",
    "response.done": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}
STATUSES = {plain(word): word for word in ("completed", "incomplete", "failed", "cancelled")}
FAILED = frozenset({"failed", "cancelled"})
_INCOMPLETE = Finishes(
    {
        "max_output_tokens": "length",
        "max_tokens": "length",
        "length": "length",
        "content_filter": "content_filter",
    }
)
_MAX_WORD_CHARS = 100
# Of a response object: what the events have said, and the request's own settings, which the vendor
# repeats; some of them it tells as they were in force.
_SAID = frozenset(
    {
        "id",
        "object",
        "created_at",
        "status",
        "error",
        "incomplete_details",
        "output",
        "usage",
        "output_text",
    }
)
_REPEATED = frozenset(
    {
        "frequency_penalty",
        "include",
        "instructions",
        "max_output_tokens",
        "metadata",
        "parallel_tool_calls",
        "presence_penalty",
        "previous_response_id",
        "stream_options",
        "text",
        "tool_choice",
        "tools",
        "user",
    }
)


def status_of(kind: str, response: Mapping[str, Any]) -> str:
    """The response's own status; where it has none that ends an answer, the one that the event's
    name says.
    """
    return known(response.get("status")) or TERMINAL.get(kind, "completed")


def known(status: Any) -> str | None:
    """A status that ends an answer; None for any other. A word that ends in `error` is one."""
    if not isinstance(status, str):
        return None
    word = plain(status)
    return "failed" if word.endswith("error") else STATUSES.get(word)


def finish_of(
    status: str, response: Mapping[str, Any], *, called: bool, refused: bool
) -> tuple[FinishReason, str]:
    """Our reason and the vendor's word. An incomplete answer says why in `incomplete_details`,
    which goes behind a colon.
    """
    if status == "incomplete":
        details = response.get("incomplete_details")
        why = details.get("reason") if isinstance(details, dict) else None
        if not isinstance(why, str):
            return "other", status
        return _INCOMPLETE.reason(why), f"{status}:{why[:_MAX_WORD_CHARS]}"
    return "tool_calls" if called else "refusal" if refused else "stop", status


def error_of(status: str, response: Mapping[str, Any]) -> VendorError:
    """Why a response failed."""
    found = vendor_error({"error": response.get("error")})
    if found is not None and found.message:
        return found
    said = (
        "cancelled its answer" if status == "cancelled" else "gave up its answer without saying why"
    )
    return VendorError(f"The upstream {said}.")


def extras_of(response: Mapping[str, Any]) -> dict[str, Any]:
    """What a response says beside its output: the model, the tier, filters and moderation, and what
    its usage counts beyond ours.
    """
    extras = {
        key: value
        for key, value in response.items()
        if key not in _SAID and key not in _REPEATED and value not in (None, "", [], {})
    }
    usage = response.get("usage")
    more = usage_extras(usage) if isinstance(usage, dict) else {}
    return {**extras, "usage": more} if more else extras
