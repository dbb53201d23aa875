"""Names that are spelt with underscores, as Google's Python SDKs have them, in the API's own
spelling.
"""

import re
from typing import Any

import msgspec

from proxy.codec.lenient_json import loads

# What is said in every answer, a call, or a refusal; within a text the quotes would be escaped.
_TELLING = (
    b'"finish_reason"',
    b'"usage_metadata"',
    b'"function_call"',
    b'"prompt_feedback"',
    b'"thought_signature"',
    b'"inline_data"',
    b'"safety_ratings"',
    b'"model_version"',
)
_OWN_NAMES = "args"  # what stands in these is named by the tool
_UNDERSCORE = re.compile("_([a-z0-9])")


def has_underscores(chunk: bytes) -> bool:
    """Whether the names of a chunk are spelt so."""
    return b"_" in chunk and any(name in chunk for name in _TELLING)


def in_camel_case(chunk: bytes) -> bytes:
    """The same chunk in the API's spelling. Raises NotJSONError and RecursionError."""
    return msgspec.json.encode(_respelt(loads(chunk)))


def _respelt(said: Any) -> Any:
    if isinstance(said, list):
        return [_respelt(each) for each in said]
    if not isinstance(said, dict):
        return said
    return {
        _UNDERSCORE.sub(lambda found: found[1].upper(), name): value
        if name == _OWN_NAMES
        else _respelt(value)
        for name, value in said.items()
    }
