"""Numbers and words of an enumeration as the protobuf JSON mapping lets a client write them: a
number as a text or with a fraction of nought, a word as its number.

Source: "JSON Mapping" of the protobuf guide; the numbers are those of google.ai.generativelanguage.
"""

from typing import Any

import msgspec

_CONFIG = (
    "temperature",
    "topP",
    "topK",
    "maxOutputTokens",
    "seed",
    "presencePenalty",
    "frequencyPenalty",
    "logprobs",
    "candidateCount",
)
_MOST_CHARS = 32  # of a number that is written as a text
_MODES = {0: "MODE_UNSPECIFIED", 1: "AUTO", 2: "ANY", 3: "NONE", 4: "VALIDATED"}
_TYPES = {
    0: "TYPE_UNSPECIFIED",
    1: "STRING",
    2: "NUMBER",
    3: "INTEGER",
    4: "BOOLEAN",
    5: "ARRAY",
    6: "OBJECT",
    7: "NULL",
}


def with_plain_numbers(body: dict[str, Any]) -> dict[str, Any]:
    """The body, its keys in camel case; the client's own is not changed. What is no number stays,
    and is refused where a number must be.
    """
    changes: dict[str, Any] = {}
    config = body.get("generationConfig")
    if isinstance(config, dict):
        thinking = config.get("thinkingConfig")
        made = _numbers(config, _CONFIG)
        if isinstance(thinking, dict):
            made = {**made, "thinkingConfig": _numbers(thinking, ("thinkingBudget",))}
        changes["generationConfig"] = made
    choice = body.get("toolConfig")
    if isinstance(choice, dict) and isinstance(choice.get("functionCallingConfig"), dict):
        calling = choice["functionCallingConfig"]
        mode = calling.get("mode")
        mode = _MODES.get(mode, mode) if type(mode) is int else mode
        changes["toolConfig"] = {**choice, "functionCallingConfig": {**calling, "mode": mode}}
    return {**body, **changes} if changes else body


def type_word(said: Any) -> Any:
    """The word for a schema's type that is given by its number; anything else as it is."""
    return _TYPES.get(said, said) if type(said) is int else said


def _numbers(holder: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {key: _number(said) if key in names else said for key, said in holder.items()}


def _number(said: Any) -> Any:
    number = said
    if isinstance(said, str) and len(said) <= _MOST_CHARS:
        try:
            number = msgspec.json.decode(said, type=int | float)
        except msgspec.DecodeError:
            return said
    return int(number) if isinstance(number, float) and number.is_integer() else number
