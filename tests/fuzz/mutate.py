"""Bodies made wrong: by their bytes, by their frames, and by the JSON values that these carry. All
by a `random.Random` that is handed in."""

import copy
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from tests.fuzz.pieces import Carried, carried, frames_of
from tests.fuzz.samples import bodies

# Bytes that are put anywhere.
GARBAGE = (
    *(b'"', b"{", b"}", b"[", b"]", b"\\", b":", b"\n", b"\n\n", b"\r", b"\r\n\r\n", b"\0"),
    *(b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xf0\x9f", b"\xe2\x80\xa8", b"\\ud800"),
    *(
        b"null",
        b"-1",
        b"1e999",
        b"9" * 400,
        b"NaN",
        b"true",
        b'""',
        b"[" * 3000,
        b'{"a":' * 3000,
        b"<html>",
        b'"error":{"message":1},',
    ),
)
# Frames that are put between others.
NOISE = (
    *(
        b": ping\n\n",
        b":\n",
        b"\n\n\n",
        b"\r\n",
        b"data:\n\n",
        b"data: [DONE]\n\n",
        b"data: {}\n\n",
        b"data: []\n\n",
        b"data: null\n\n",
    ),
    *(
        b"event: error\n",
        b"event: ping\ndata: {}\n\n",
        b"id: 1\0\n",
        b"retry: 1\n\n",
        b"hello\n\n",
        b"data: {\n\n",
        b"data\n\n",
        b"{}",
        b"{}\n",
    ),
    *(
        b'{"error":"no"}\n',
        b'data: {"error":{"message":"no","code":429}}\n\n',
        b"event: error\ndata: no\n\n",
        b"\xef\xbb\xbf",
        b"\x00" * 12,
    ),
)
# Values that stand where another was meant.
ODD = tuple(
    Raw(text)
    for text in (
        *(
            b"null",
            b"true",
            b"false",
            b"0",
            b"-1",
            b"1",
            b"1.5",
            b"1.0",
            b"-0.0",
            b"1e308",
            b"1e999",
            b"1e-999",
            b"18446744073709551616",
        ),
        *(
            b"-9223372036854775809",
            b"9" * 400,
            b"NaN",
            b'""',
            b'" "',
            b'"x"',
            b'"\\u0000"',
            b'"\\ud800"',
            b'"\\ud83d\\ude00"',
            b'"[DONE]"',
        ),
        *(
            b'"\\r\\n\\r\\ndata: {}\\n\\n"',
            b'"null"',
            b'"error"',
            b'"' + b"x" * 3000 + b'"',
            '"模型 \u2028"'.encode(),
            b"[]",
            b"{}",
            b"[[]]",
            b"[{}]",
        ),
        *(
            b"[null]",
            b'["a",1]',
            b'{"":{}}',
            b'{"type":"text"}',
            b'{"message":"no"}',
            b"[" * 90 + b"]" * 90,
            b"[" * 2000 + b"]" * 2000,
        ),
        *(b'{"a":' * 300 + b"1" + b"}" * 300, b"\xff", b"", b"{"),
    )
)
FEW_ODD = tuple(
    Raw(text) for text in (b"null", b"-1", b"1e999", b'""', b'"x"', b"[]", b"{}", b"[{}]")
)
_SPANS = (1, 2, 9, 60, 700)
_MOST_BYTES = 100_000  # of what is made
_MANY_FRAMES = 40


class Material:
    """What is known of a dialect: its bodies in frames, the values that its keys have, and the
    names of its events."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.bodies = [frames_of(name, body) for body in bodies(name)]
        self.keys: dict[str, list[Any]] = {}
        for body in self.bodies:
            for frame in body[:60]:
                found = carried(name, frame)
                for way in places(found.value) if found is not None else ():
                    if isinstance(way[-1], str):
                        self._learn(way[-1], at(found.value, way))  # type: ignore[union-attr]

    def _learn(self, key: str, value: Any) -> None:
        known = self.keys.setdefault(key, [])
        if len(known) < 40 and value not in known:
            known.append(value)


@cache
def material(name: str) -> Material:
    return Material(name)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value within a value, itself not counted."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [found for key, item in inner for found in ((*way, key), *places(item, (*way, key)))]


def at(value: Any, way: tuple[Any, ...]) -> Any:
    for key in way:
        value = value[key]
    return value


class Spot(NamedTuple):
    """A place in the JSON value of a frame, and the frames around that one."""

    label: str
    before: list[bytes]
    found: Carried
    way: tuple[Any, ...]
    after: list[bytes]


def spots(name: str) -> Iterator[Spot]:
    """Every place that a dialect's frames have, each once: places in a list are one, and what lists
    hold is told apart by the first item's keys."""
    seen = set()
    for body in material(name).bodies:
        for number, frame in enumerate(body[:50]):
            found = carried(name, frame)
            for way in places(found.value) if found is not None else ():
                assert found is not None
                label = _label(found.value, way)
                if label not in seen:
                    seen.add(label)
                    yield Spot(label, body[:number], found, way, body[number + 1 :])


def _label(frame: Any, way: tuple[Any, ...]) -> str:
    value = at(frame, way)
    label = f"{type(value).__name__} at {'.'.join(key if isinstance(key, str) else '*' for key in way)} {kind_of(frame)}".rstrip()
    return (
        f"{label} of {'+'.join(value[0])}"
        if isinstance(value, list) and value and isinstance(value[0], dict)
        else label
    )


def kind_of(frame: Any) -> str:
    """What most vendors call the kind of a frame, for those that have one."""
    said = (
        frame.get("type", frame.get("event", frame.get("event_type")))
        if isinstance(frame, dict)
        else None
    )
    return said if isinstance(said, str) and len(said) < 60 else ""


def wrong_values(name: str, odd: Sequence[Raw] = ODD, deepest: int = 99) -> Iterator[bytes]:
    """Bodies where at one place stands an odd value, for every place and every value; short, as
    there are thousands. With `deepest` only at places of so many keys, of which those count as one
    that are called the same.
    """
    seen = set()
    for spot in spots(name):
        place = str((kind_of(spot.found.value), spot.way[-1])) if deepest < 99 else spot.label
        if place in seen or len(spot.way) > deepest:
            continue
        seen.add(place)
        for value in odd:
            changed = copy.deepcopy(spot.found.value)
            at(changed, spot.way[:-1])[spot.way[-1]] = value
            frame = spot.found.rendered(msgspec.json.encode(changed))
            yield b"".join(
                (
                    *spot.before[:2],
                    *spot.before[2:][-4:],
                    frame,
                    *spot.after[:3],
                    *spot.after[3:][-2:],
                )
            )


# Edits of a JSON value, in place.


def _odd(chance: random.Random, value: Any, way: tuple[Any, ...], known: Material) -> None:
    at(value, way[:-1])[way[-1]] = chance.choice(ODD)


def _drop(chance: random.Random, value: Any, way: tuple[Any, ...], known: Material) -> None:
    del at(value, way[:-1])[way[-1]]


def _wrap(chance: random.Random, value: Any, way: tuple[Any, ...], known: Material) -> None:
    parent = at(value, way[:-1])
    parent[way[-1]] = chance.choice(
        ([parent[way[-1]]], {"type": parent[way[-1]]}, [parent[way[-1]]] * 3)
    )


def _usual(chance: random.Random, value: Any, way: tuple[Any, ...], known: Material) -> None:
    """A value that the same key has elsewhere."""
    if isinstance(way[-1], str):
        at(value, way[:-1])[way[-1]] = copy.deepcopy(chance.choice(known.keys.get(way[-1], [None])))


def _add(chance: random.Random, value: Any, way: tuple[Any, ...], known: Material) -> None:
    """A key that the dialect has elsewhere."""
    parent = at(value, way[:-1])
    if isinstance(parent, dict) and known.keys:
        key = chance.choice(list(known.keys))
        parent[key] = copy.deepcopy(chance.choice(known.keys[key]))


def _swap(chance: random.Random, value: Any, way: tuple[Any, ...], known: Material) -> None:
    """Two values change places, unless one is in the other."""
    other = chance.choice(places(value))
    if other[: len(way)] != way and way[: len(other)] != other:
        one, two = at(value, way[:-1]), at(value, other[:-1])
        one[way[-1]], two[other[-1]] = two[other[-1]], one[way[-1]]


def _nudge(chance: random.Random, value: Any, way: tuple[Any, ...], known: Material) -> None:
    """A number becomes another, a text longer, shorter or empty."""
    parent, last = at(value, way[:-1]), way[-1]
    old = parent[last]
    if isinstance(old, bool):
        parent[last] = not old
    elif isinstance(old, int):
        parent[last] = chance.choice((old + 1, old - 1, -old - 1, old + 10**9, 0, 3))
    elif isinstance(old, str):
        parent[last] = chance.choice(
            (old * 2, old[: len(old) // 2], "", old[::-1], old + "\n", old.upper())
        )


_JSON_EDITS = (_odd, _odd, _odd, _drop, _wrap, _usual, _usual, _add, _swap, _nudge, _nudge)


def _json_edited(chance: random.Random, found: Carried, known: Material) -> bytes:
    value = copy.deepcopy(found.value)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        ways = places(value)
        if ways:
            chance.choice(_JSON_EDITS)(chance, value, chance.choice(ways), known)
    text = msgspec.json.encode(value)
    if chance.random() < 0.1:  # a key twice
        key = chance.choice(list(known.keys) or ["type"])
        text = text.replace(b"{", b'{"%b":%b,' % (key.encode(), bytes(chance.choice(ODD))), 1)
    return found.rendered(text)


# Edits of a list of frames, in place.
Edit = Callable[[random.Random, list[bytes], Material], None]


def _a_value(chance: random.Random, frames: list[bytes], known: Material) -> None:
    place = chance.randrange(len(frames))
    found = carried(known.name, frames[place])
    if found is not None:
        with suppress(RecursionError):  # nested deeper, by now, than can be written again
            frames[place] = _json_edited(chance, found, known)


def _some_bytes(chance: random.Random, frames: list[bytes], known: Material) -> None:
    place = chance.randrange(len(frames))
    data = bytearray(frames[place])
    start = chance.randrange(len(data) + 1)
    end = min(start + chance.choice(_SPANS), len(data))
    match chance.randrange(4):
        case 0:
            data[start:end] = bytes(byte ^ (1 << chance.randrange(8)) for byte in data[start:end])
        case 1:
            del data[start:end]
        case 2:
            data[start:start] = data[start:end]
        case _:
            data[start:start] = chance.choice(GARBAGE)
    frames[place] = bytes(data)


def _dropped(chance: random.Random, frames: list[bytes], known: Material) -> None:
    place = chance.randrange(len(frames))
    del frames[place : place + chance.choice((1, 1, 3))]


def _doubled(chance: random.Random, frames: list[bytes], known: Material) -> None:
    place = chance.randrange(len(frames))
    frames[place:place] = frames[place : place + chance.choice((1, 1, 4))] * chance.choice(
        (1, 1, 1, 2, 2, 20)
    )


def _moved(chance: random.Random, frames: list[bytes], known: Material) -> None:
    frames.insert(chance.randrange(len(frames) + 1), frames.pop(chance.randrange(len(frames))))


def _spliced(chance: random.Random, frames: list[bytes], known: Material) -> None:
    """Frames of another stream of the dialect, or of this one."""
    other = chance.choice(known.bodies)
    start = chance.randrange(len(other))
    place = chance.randrange(len(frames) + 1)
    frames[place : place + chance.choice((0, 0, 2))] = other[
        start : start + chance.choice((1, 3, 40))
    ]


def _foreign(chance: random.Random, frames: list[bytes], known: Material) -> None:
    """Frames of another dialect."""
    other = chance.choice(material(chance.choice(sorted(_NAMES - {known.name}))).bodies)
    start = chance.randrange(len(other))
    frames.insert(chance.randrange(len(frames) + 1), b"".join(other[start : start + 2]))


def _noise(chance: random.Random, frames: list[bytes], known: Material) -> None:
    frames.insert(
        chance.randrange(len(frames) + 1), chance.choice(NOISE) * chance.choice((1, 1, 1, 50))
    )


def _cut(chance: random.Random, frames: list[bytes], known: Material) -> None:
    """The end is missing, mostly in the middle of a frame."""
    place = chance.randrange(len(frames))
    frames[place:] = [frames[place][: chance.randrange(len(frames[place]) + 1)]]


def _line_ends(chance: random.Random, frames: list[bytes], known: Material) -> None:
    if not known.name.startswith("bedrock_"):
        ends = chance.choice((b"\r\n", b"\r"))
        frames[:] = [re.sub(rb"\r?\n", ends, frame) for frame in frames]


_EDITS: tuple[Edit, ...] = (
    *(_a_value,) * 10,
    *(_some_bytes,) * 3,
    *(
        _dropped,
        _doubled,
        _doubled,
        _moved,
        _spliced,
        _spliced,
        _foreign,
        _noise,
        _noise,
        _cut,
        _line_ends,
    ),
)
_NAMES = frozenset(
    (
        "openai_chat",
        "anthropic",
        "native",
        "gemini",
        "ollama",
        "bedrock_converse",
        "baidu_chat",
        "sider",
    )
)


def _short(chance: random.Random, frames: list[bytes]) -> list[bytes]:
    """Mostly without a part of a long stream's middle, so that more different ones go into as many
    bytes."""
    if len(frames) <= _MANY_FRAMES or chance.random() < 0.1:
        return list(frames)
    start = chance.randrange(4, len(frames) - 4)
    return [
        *frames[:4],
        *frames[start : min(start + chance.randrange(_MANY_FRAMES), len(frames) - 4)],
        *frames[-4:],
    ]


def mutated(chance: random.Random, name: str) -> bytes:
    """A body of this dialect, with a few things wrong."""
    known = material(name)
    frames = _short(chance, chance.choice(known.bodies))
    for _ in range(chance.choice((1, 1, 2, 2, 3, 5, 9))):
        if frames:
            chance.choice(_EDITS)(chance, frames, known)
    return b"".join(frames)[:_MOST_BYTES]
