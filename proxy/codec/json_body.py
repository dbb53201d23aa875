"""A client's JSON body to typed data, with refusals that name the field at fault. For client halves
only.

`json_object` reads the body, `fitted` gives it a type. msgspec finds the fault and its place; what
a client also wants to read, the words that it may use there or the nearest known key, is looked up
only once a fault is found.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from proxy.codec.json_depth import MAX_DEPTH, containers, too_deep
from proxy.codec.nearest import nearest
from proxy.errors import Refused, bad_request
from proxy.events import Note

T = TypeVar("T")
_SHOWN_KEYS = 20
# Lists and objects in one body, whatever its size: a conversation of a thousand turns with a
# thousand tools has a tenth of it.
MAX_CONTAINERS = 100_000
# Byte order marks, the longer ones first: UTF-32's begins as UTF-16's does.
_MARKS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_PLACE = re.compile(r" - at `(?:key in )?\$(.*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_TYPES = re.compile(r"`([^`]+)`")
_Trail = list[str | int]
_SHOWN_CHARS = 100  # of a key that nobody knows


def json_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Of a key that stands there twice the last one counts. Raises
    Refused, with the place of the fault where there is one.
    """
    if not body.strip():
        raise bad_request("The body is empty: send a JSON object.")
    if body.startswith(_MARKS):
        raise bad_request("The body begins with a byte order mark: send it as UTF-8, without one.")
    # nearly all bodies have few, and need no closer look
    brackets = body.count(b"{") + body.count(b"[")
    if brackets > MAX_CONTAINERS and containers(body) > MAX_CONTAINERS:
        raise bad_request(f"The body holds more than {MAX_CONTAINERS} lists and objects.")
    value = _decoded(body)
    if not isinstance(value, dict):
        raise bad_request(f"The body must be a JSON object, not {_word(value)}.")
    if brackets > MAX_DEPTH and too_deep(value):
        raise bad_request(f"The body is nested deeper than {MAX_DEPTH} levels.")
    return value


def _decoded(body: bytes) -> Any:
    try:
        body.decode()
        return msgspec.json.decode(body)
    except UnicodeDecodeError as error:
        raise bad_request(
            f"The body is not UTF-8: byte {error.start} cannot stand there."
        ) from None
    except msgspec.DecodeError as error:
        raise bad_request(f"The body is not JSON: {_reason(error, body)}.") from None
    except RecursionError:
        raise bad_request("The body is nested too deeply.") from None


def key_notes(
    document: Mapping[str, Any], known: Collection[str], dropped: Mapping[str, Collection[Any]]
) -> list[Note]:
    """Notes about the keys of a client's body that are not carried. `known` are carried, or seen to
    elsewhere; `dropped` are known to the vendor and have no place here, each with the values that
    ask for nothing and so are no loss; the rest nobody knows.
    """
    if all(map(known.__contains__, document)):
        return []
    notes: list[Note] = []
    unknown: list[str] = []
    for key, said in document.items():
        if said is None or key in known:
            continue
        if key not in dropped:
            unknown.append(repr(key[:_SHOWN_CHARS]))
        elif said not in dropped[key]:
            notes.append(
                Note("dropped", key, f"{key} has no place in the requests of other vendors.")
            )
    if unknown:
        shown = ", ".join(unknown[:_SHOWN_KEYS])
        notes.append(
            Note(
                "dropped",
                "unknown_key",
                f"Keys of the request that are not known were left out: {shown}.",
            )
        )
    return notes


def fitted(value: Any, wanted: type[T], at: str = "") -> T:
    """The value as `wanted`, a struct type. `at` is where the value stands in the body. Raises
    Refused, with the field named.
    """
    try:
        return msgspec.convert(value, wanted)
    except RecursionError:
        raise bad_request("The body is nested too deeply.", param=at or None) from None
    except msgspec.ValidationError as error:
        if (whole := _with_whole_numbers(value)) is not value:
            return fitted(whole, wanted, at)
        raise _refusal(str(error), value, wanted, at) from None


def unknown_key(name: str, known: Sequence[str], where: str = "") -> Refused:
    """The refusal of a key that nobody knows."""
    near = nearest(name, known)
    advice = f"did you mean {near}?" if near else f"known are {', '.join(known)}."
    name = name[:_SHOWN_CHARS]
    full = f"{where}.{name}" if where else name
    return bad_request(f"Unknown key {full or '(empty)'}: {advice}", param=full)


def _with_whole_numbers(value: Any) -> Any:
    """An object in which numbers such as 100.0 are 100, as languages with one kind of number write
    them; the very same one where it has none.
    """
    if not isinstance(value, dict):
        return value
    whole = {
        key: int(said)
        for key, said in value.items()
        if isinstance(said, float) and said.is_integer()
    }
    return {**value, **whole} if whole else value


def _reason(error: Exception, body: bytes) -> str:
    # the place is a guess while nothing is known of the types
    said = _PLACE.sub("", str(error)).removeprefix("JSON is malformed: ")
    if said != "Input data was truncated":
        return said
    half = ", or holds half of a surrogate pair" if b"\\ud" in body.lower() else ""
    return f"it ends too early, after {len(body)} bytes{half}"


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    names: dict[type[Any], str] = {
        str: "text",
        int: "a number",
        float: "a number",
        list: "a list",
        type(None): "null",
    }
    return names.get(type(value), "an object")


def _refusal(message: str, value: Any, wanted: type[Any], at: str) -> Refused:
    place = _PLACE.search(message)
    said = message[: place.start()] if place else message
    trail: _Trail = (
        [name or int(number) for name, number in _STEP.findall(place[1])] if place else []
    )
    where = _join(at, trail)
    types = list(_types(inspect.type_info(wanted), value, trail))
    quoted = _TYPES.findall(said)
    if said.startswith("Object missing required field"):
        full = _join(where, quoted[:1])
        return bad_request(f"{full} is required.", param=full)
    if said.startswith("Object contains unknown field"):
        # "" is a key too, and one may hold a backtick
        strange = said.partition("`")[2].removesuffix("`")
        return unknown_key(
            strange,
            [
                field.encode_name
                for t in types
                if isinstance(t, inspect.StructType)
                for field in t.fields
            ],
            where,
        )
    choices = [
        str(choice) for t in types if isinstance(t, inspect.LiteralType) for choice in t.values
    ]
    if choices:
        return bad_request(
            f"{where} must be one of {', '.join(dict.fromkeys(choices))}.", param=where
        )
    return bad_request(f"{where or 'The body'} {_must(said)}.", param=where or None)


def _must(said: str) -> str:
    """Our words for msgspec's "Expected `int | null`, got `str`"."""
    expected, _, got = said.removeprefix("Expected ").partition(", got ")

    def words(match: re.Match[str]) -> str:
        names = [name for name in match[1].split(" | ") if name != "null"] or ["null"]
        return " or ".join(_WORDS.get(name, name) for name in names)

    must = "must be " + _TYPES.sub(words, expected)
    return f"{must}, not {_TYPES.sub(words, got)}" if got else must


def _join(where: str, trail: Sequence[str | int]) -> str:
    for step in trail:
        where += f"[{step}]" if isinstance(step, int) else f".{step}" if where else step
    return where


def _types(root: inspect.Type, value: Any, trail: Sequence[str | int]) -> Iterator[inspect.Type]:
    """The types that may stand at the end of the trail."""
    if isinstance(root, inspect.UnionType):
        for branch in root.types:
            yield from _types(branch, value, trail)
    elif isinstance(root, inspect.StructType) and isinstance(value, dict):
        if (
            root.tag_field is None
            or value.get(root.tag_field, root.tag) == root.tag
            or trail[:1] == [root.tag_field]
        ):
            if not trail:
                yield root
            elif trail[0] == root.tag_field:
                yield inspect.LiteralType((root.tag,))
            else:
                yield from (
                    t
                    for f in root.fields
                    if f.encode_name == trail[0]
                    for t in _types(f.type, value.get(trail[0]), trail[1:])
                )
    elif not trail:
        yield root
    elif isinstance(root, inspect.ListType) and isinstance(value, list):
        yield from _types(root.item_type, value[int(trail[0])], trail[1:])
