"""What a target takes, as data: facts of its vendor and of its model, which config/vendors.yaml
holds and an operator may override. Upstream halves read them; none has a model's name in its code.

A fact that is not given (None, or empty) is not known: then the dialect's own habit holds.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

Thinking = Literal["adaptive", "budget", "both", "level", "none"]
AnswerForm = Literal["text", "json_object", "json_schema"]
MediaKind = Literal["image", "document", "audio"]
MediaForm = Literal["url", "bytes"]
SchemaFeature = Literal[
    "root_any_of",
    "ref",
    "const",
    "additional_properties",
    "any_of",
    "type_list",
    "format",
    "open_objects",
    "bounds",
]
_DIGEST_CHARS = 8
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a name may hold: `chars` as inside a regular expression's brackets, `first` those that
    it may begin with (null: any), and from `least` to `most` of them.
    """

    chars: str
    most: int
    least: int = 1
    first: str | None = None

    def fit(self, name: str) -> bool:
        """Whether a name can stand as it is."""
        return _pattern(self).fullmatch(name) is not None

    def fitted(self, name: str) -> str:
        """The name, or one made from it that fits: the same for the same name, and different for
        different ones but for a chance of 1 in 2**32.
        """
        if self.fit(name):
            return name
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
        code = "".join(_BASE62[byte % len(_BASE62)] for byte in digest)
        if self.least == self.most:  # the vendor's ids are all code
            return code[: self.most]
        kept = re.sub(f"[^{self.chars}]", "", name)[: self.most - _DIGEST_CHARS - 1]
        made = kept + code[:_DIGEST_CHARS]
        return made if self.fit(made) else f"f{made}"


def renamed(rule: Names | None, said: Any) -> str | None:
    """What fits in place of a client's word; None where it can stand, or is none."""
    if rule is None or not isinstance(said, str) or rule.fit(said):
        return None
    return rule.fitted(said)


def kept_name(rule: Names | None, said: Any, names: dict[str, str]) -> Any:
    """A client's word as the target takes it. `names` gains the one that stands for another."""
    short = renamed(rule, said)
    if short is None:
        return said
    names[short] = said
    return short


@lru_cache(maxsize=64)
def _pattern(names: Names) -> re.Pattern[str]:
    first = names.first or names.chars
    return re.compile(f"[{first}][{names.chars}]{{{names.least - 1},{names.most - 1}}}")


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The facts of one target."""

    # How thinking is asked for: the model decides within an effort (adaptive), a budget in tokens,
    # either of the two (both), a level, or not at all.
    thinking: Thinking | None = None
    # Words for an effort that it takes; another one becomes the nearest of them.
    efforts: tuple[str, ...] = ()
    # Whether the model thinks unless it is told not to.
    thinks_by_default: bool | None = None
    # The vendor's word that tells such a model not to think; "": it cannot be told.
    thinking_off: str | None = None
    forces_tools: bool | None = None  # whether it can be told that it must call a tool
    forces_tools_thinking: bool | None = None  # whether it can while it thinks
    choice_alone: bool | None = None  # whether a choice among tools may stand without tools
    # The forms of the answer that it can be asked for; empty: not known. `text`: it knows no JSON.
    answer_forms: tuple[AnswerForm, ...] = ()
    json_with_tools: bool | None = None  # whether JSON can be asked for where there are tools
    # Whether it reads the arguments of earlier calls, and refuses those that are no JSON object.
    reads_arguments: bool | None = None
    # Whether it takes earlier reasoning back that has no proof.
    unsigned_reasoning: bool | None = None
    # Tags between which its reasoning stands in its text: the name of one (think), or both of them
    # with a blank between ("[THINK] [/THINK]"); see proxy/codec/reasoning_tags.py.
    reasoning_tags: tuple[str, ...] = ()
    # Whether an answer begins in the reasoning, so that only the closing tag comes.
    reasoning_begun: bool | None = None
    # The least and the largest budget for thinking, in tokens.
    least_thinking: int | None = None
    largest_thinking: int | None = None
    # Keys of the request's top level that it refuses: they are left out, with a note.
    refused: tuple[str, ...] = ()
    # Likewise keys that only other servers of its dialect know; a model's own facts leave them be.
    refused_beyond: tuple[str, ...] = ()
    takes_beyond: tuple[str, ...] = ()  # those of them that it knows all the same
    # Likewise keys that it refuses while it thinks.
    refused_thinking: tuple[str, ...] = ()
    # Likewise keys of a message.
    refused_in_messages: tuple[str, ...] = ()
    # All keys that it takes, of a vendor that refuses any other; empty: not known.
    only: tuple[str, ...] = ()
    only_in_messages: tuple[str, ...] = ()
    # Groups of keys of which it takes one: the first that the client gave is kept.
    at_most_one: tuple[tuple[str, ...], ...] = ()
    max_tokens: int | None = None  # for a client that gives none, where the vendor insists on one
    largest_max_tokens: int | None = None
    least_max_tokens: int | None = None
    # The key for the longest answer, where the vendor's dialect has two of them.
    max_tokens_field: str | None = None
    context_tokens: int | None = None
    largest_temperature: float | None = None
    greedy_alone: bool | None = None  # whether a temperature of 0 may stand beside no top_p
    tool_name: Names | None = None
    # Whether a tool may take free text instead of JSON arguments; null: as the dialect has it.
    custom_tools: bool | None = None
    call_id: Names | None = None
    checks_item_ids: bool | None = None  # whether ids of earlier items must look like its own
    # Features of JSON Schema that it refuses in a tool's parameters and in the form of the answer.
    schema_lacks: tuple[SchemaFeature, ...] = ()
    # By kind of media, the forms that it takes in a user's turn; a kind with no form is not taken.
    media: Mapping[MediaKind, tuple[MediaForm, ...]] = {}
    # The kinds of picture that it takes as bytes, such as png; empty: not known.
    pictures: tuple[str, ...] = ()
    sounds: tuple[str, ...] = ()  # the kinds of sound that it takes, such as wav; empty: not known
    # Likewise media in a tool's result.
    result_media: Mapping[MediaKind, tuple[MediaForm, ...]] = {}
    cache_marks: bool | None = None  # whether marks for its prompt cache may stand in the request
    prefill: bool | None = None  # whether the last turn may be the assistant's
    prefill_key: str | None = None  # what such a turn must have, as true
    user_after_tool: bool | None = None  # whether a user's turn may stand behind tools' results
    # Whether a turn with calls must bring its reasoning back; where it is lost, a blank will do.
    insists_on_reasoning: bool | None = None
    roles: Mapping[str, str] = {}  # its own words for roles, for example {developer: system}
    user_chars: int | None = None  # the longest name of a user, or of what shares a cache
    stored_metadata: bool | None = None  # whether it takes metadata of an answer only to store both
    stop_most: int | None = None  # how many stop sequences
    largest_n: int | None = None  # how many answers to one request
    # Whose proofs (proxy/codec/proofs.py) it takes back; null: all.
    proofs: str | None = None
    # Whether it refuses tool calls that come back without the proof that they had.
    proves_calls: bool | None = None
    # The operator's own: keys, and kinds of tools, that are not let through to this upstream.
    refuse: tuple[str, ...] = ()

    @property
    def holds_to_schemas(self) -> bool:
        """Whether the model can be held to a schema, as far as it is known."""
        return not self.answer_forms or "json_schema" in self.answer_forms

    def is_beyond(self, name: str) -> bool:
        """Whether a key is known to other servers alone, and refused."""
        return name in self.refused_beyond and name not in self.takes_beyond


NO_RULES = Rules()
