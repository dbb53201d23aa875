"""Notes that several dialects give, in the same words."""

from proxy.events import Note

ALLOWED_TOOLS = Note("changed", "tool_choice", "Only the allowed tools are named to the upstream.")
CHOICE_ALONE = Note("dropped", "tool_choice", "A tool choice without tools is left out.")
IS_ERROR = Note(
    "dropped",
    "tool_result.is_error",
    "That a tool failed cannot be said in this dialect, only what it answered.",
)
NO_TOOLS = Note("dropped", "tool_choice", "There are no tools to choose from.")
PARALLEL = Note(
    "dropped", "tool_choice.parallel", "That at most one call may be made cannot be said here."
)
RENAMED_TOOLS = Note(
    "changed",
    "tools.name",
    "Names of tools that the upstream refuses were changed; the answer has the client's.",
)
SIGNATURE = Note(
    "dropped",
    "messages.reasoning",
    "The signature of earlier reasoning cannot be sent back to this upstream.",
)
UNKNOWN_KEY = Note("dropped", "unknown_key", "A key of the request that is not known was left out.")
UNKNOWN_PART = Note("dropped", "unknown_part", "A part of a kind that is not known was left out.")
WRAPPED_ARGUMENTS = Note(
    "changed",
    "messages.tool_call",
    "Arguments of an earlier tool call that are no JSON object were wrapped in one.",
)
