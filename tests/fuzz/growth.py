"""Requests of which one thing has become long: every list, item, object and text of the good ones
(`bodies.py`), and calls with as many results. And what such a request costs, as counted steps.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from proxy.dialects import registry
from tests.fuzz import searches
from tests.fuzz.bodies import incoming
from tests.fuzz.mutate import at, places
from tests.fuzz.searches import telling
from tests.fuzz.work import work
from tests.samples import ASKED

# Each twice as long as the one before. The first is long enough that what is made once is small.
SIZES = (60, 120, 240)
# Work that goes with the square grows by 4 from one step to the next, linear work by 2.
_MOST_TIMES = 3
# Short inputs are tried first, and those that grow by more than this are tried at `SIZES`. All is
# tried that would be found there: with a * n + b * n * n steps, that is where 60 * b > a / 2; here
# those grow by more than 2.5 where 24 * b > a / 9.
_FIRST_SIZES = (24, 48, 96)
_SUSPECT_TIMES = 2.5
# What measures coverage allocates too, now and then: what is dear is so each time.
_TIMES = 3
_FIXED = frozenset({"type", "role", "state", "url", "data", "mimeType", "mediaType", "media_type"})
Make = Callable[[int], Any]  # the body, of so many items


class Counted(NamedTuple):
    """Of the proxy's copy whose searches are counted."""

    base: Any
    registry: Any
    built: Callable[..., Any]
    refused: type[Exception]


@cache
def counted() -> Counted:
    """Loads the copy when the first test needs it: it takes a second and a half."""
    # A dialect is loaded when a half of it is first taken: all of them here, and before that those
    # whose names msgspec resolves for both copies.
    _all(registry)
    with telling():
        base, relaying, second, errors = (
            import_module(f"proxy.{name}")
            for name in ("codec.base", "codec.relaying", "dialects.registry", "errors")
        )
        _all(second)
    return Counted(base, second, relaying.built, errors.Refused)


def _all(halves: Any) -> list[Any]:
    return [*halves.CLIENTS.values(), *halves.UPSTREAMS.values()]


class Cost(NamedTuple):
    """Of one request: steps of the interpreter and of searches, and bytes copied."""

    steps: int
    copied: int


class Task(NamedTuple):
    """Something to be measured, and how many bytes it is given."""

    do: Callable[[], Any]
    size: int


def dear(task: Callable[[int], Task]) -> bool:
    """Whether a task costs more than its length. `task` makes the one of so many items."""
    return _suspect(_costs(task, _FIRST_SIZES)) and all(
        not_linear(_costs(task, SIZES)) for _ in range(_TIMES)
    )


def not_linear(costs: Iterable[Cost]) -> bool:
    """Whether one of the two measures grows faster than the input, from each of three sizes to the
    next."""
    return any(
        large - middle > _MOST_TIMES * (middle - small) and large > _MOST_TIMES * middle
        for small, middle, large in zip(*costs, strict=True)
    )


def _suspect(costs: Iterable[Cost]) -> bool:
    return any(
        large - middle > _SUSPECT_TIMES * (middle - small)
        for small, middle, large in zip(*costs, strict=True)
    )


def _costs(task: Callable[[int], Task], sizes: Iterable[int]) -> list[Cost]:
    """To copy the input four times is no work to speak of."""
    tasks = [task(size) for size in sizes]
    tasks[0].do()  # what is made at the first time only
    costs = [cost(each.do) for each in tasks]
    return [
        Cost(steps, copied + 4 * each.size)
        for (steps, copied), each in zip(costs, tasks, strict=True)
    ]


def cost(do: Callable[[], Any]) -> Cost:
    """What it costs. Do it once before."""
    searches.steps = 0
    spent = work(do)
    return Cost(spent.calls + searches.steps, spent.copied)


def grown(name: str) -> Iterator[tuple[str, Make]]:
    """The good request of a client dialect, with one thing in it that is long; no request twice: in
    a list of one item, the item again and again is the list again and again."""
    seen = set()
    for label, make in _grown(name):
        body = json.dumps(make(_FIRST_SIZES[0]))
        if body not in seen:
            seen.add(body)
            yield label, make


def _grown(name: str) -> Iterator[tuple[str, Make]]:
    good = ASKED[name].body
    for way in [(), *places(good)]:
        value = at(good, way)
        where = ".".join(map(str, way)) or "the body"
        if isinstance(value, dict):
            yield f"{where}: many keys", _at(good, way, _with_keys)
        elif isinstance(value, str) and way[-1] not in _FIXED:
            yield f"{where}: a long text", _at(good, way, _long)
        elif isinstance(value, list) and value:
            yield f"{where}: all again and again", _at(good, way, lambda old, n: old * n)
            yield f"{where}: others each time", _at(good, way, _others)
        if way and isinstance(way[-1], int):
            yield f"{where}: the same again and again", _again(good, way, lambda old, _: old)
            yield f"{where}: another each time", _again(good, way, _other)
    yield from _PAIRS.get(name, {}).items()


def parsing(name: str, body: Any) -> Callable[[], Any]:
    """Reads a body as a client's of this dialect; a refusal is an answer too."""
    asked, copy = incoming(json.dumps(body).encode()), counted()

    def read() -> Any:
        try:
            return copy.registry.CLIENTS[name].parse_request(asked)
        except copy.refused:
            return None

    return read


def building(client: str, name: str, body: Any) -> Callable[[], Any]:
    """Makes an upstream's request of what a client's says; None for what the client may not say."""
    parsed, copy = parsing(client, body)(), counted()
    options = {"bot_id": "1"} if name == "coze" else {}
    target = copy.base.TargetConfig("far", "theirs", "key", options)

    def build() -> Any:
        try:
            return parsed and copy.built(copy.registry.UPSTREAMS[name], parsed.request, target)
        except copy.refused:
            return None

    return build


def _at(good: Any, way: tuple[Any, ...], change: Callable[[Any, int], Any]) -> Make:
    def make(count: int) -> Any:
        body = json.loads(json.dumps(good))
        if not way:
            return change(body, count)
        at(body, way[:-1])[way[-1]] = change(at(body, way), count)
        return body

    return make


def _again(good: Any, way: tuple[Any, ...], change: Callable[[Any, int], Any]) -> Make:
    def make(count: int) -> Any:
        body = json.loads(json.dumps(good))
        items, place = at(body, way[:-1]), way[-1]
        items[place : place + 1] = [change(items[place], number) for number in range(count)]
        return body

    return make


def _with_keys(old: Any, count: int) -> Any:
    return {**old, **{f"k{number}": number for number in range(count)}}


def _long(old: str, count: int) -> str:
    return old + '"\\,{}[]\n模' * count


def _others(old: Any, count: int) -> Any:
    return [_other(item, number) for number in range(count) for item in old]


def _other(old: Any, number: int) -> Any:
    """The same with other texts, where they are free."""
    match old:
        case str():
            return f"{old}{number:020}"  # long enough to be seen where it is copied
        case list():
            return [_other(item, number) for item in old]
        case dict():
            return {
                key: item if key in _FIXED else _other(item, number) for key, item in old.items()
            }
    return old


def _messages(first: Any, calls: Callable[[int], Any], result: Callable[[str], Any]) -> Make:
    """Messages: a first one, one with all the calls, and then one for each result, the last first."""
    return lambda n: {
        "model": "m",
        "max_tokens": 9,
        "messages": [first, calls(n), *(result(str(number)) for number in reversed(range(n)))],
    }


def _openai_calls(count: int) -> Any:
    return {
        "role": "assistant",
        "tool_calls": [
            {"id": f"{n}", "type": "function", "function": {"name": f"f{n}", "arguments": "{}"}}
            for n in range(count)
        ],
    }


_ASKED = {"role": "user", "content": "x"}
_OPENAI = _messages(
    _ASKED, _openai_calls, lambda n: {"role": "tool", "tool_call_id": n, "content": "r"}
)
_ORPHANS = _messages(
    _ASKED, _openai_calls, lambda n: {"role": "tool", "tool_call_id": f"u{n}", "content": "r"}
)


def _ollama(result: Callable[[str], Any]) -> Make:
    def calls(count: int) -> Any:
        said = [{"function": {"name": f"f{n}", "arguments": {}}} for n in range(count)]
        return {"role": "assistant", "content": "", "tool_calls": said}

    return _messages(_ASKED, calls, result)


def _gemini(call: Callable[[int], Any], result: Callable[[int], Any]) -> Make:
    return lambda count: {
        "contents": [
            {"role": "user", "parts": [{"text": "x"}]},
            {"role": "model", "parts": [{"functionCall": call(n)} for n in range(count)]},
            {
                "role": "user",
                "parts": [{"functionResponse": result(n)} for n in reversed(range(count))],
            },
        ]
    }


def _gemini_allowed(count: int) -> Any:
    names = [f"f{number}" for number in range(count)]
    return {
        "contents": [{"parts": [{"text": "x"}]}],
        "tools": [{"functionDeclarations": [{"name": name} for name in names]}],
        "toolConfig": {
            "functionCallingConfig": {
                "mode": "ANY",
                "allowedFunctionNames": [f"{n}x" for n in names],
            }
        },
    }


def _native(result: str) -> Make:
    def calls(count: int) -> Any:
        said = [
            {"type": "tool_call", "id": f"c{n}", "name": f"f{n}", "arguments": "{}"}
            for n in range(count)
        ]
        return {"role": "assistant", "content": said}

    return _messages(
        _ASKED,
        calls,
        lambda n: {
            "role": "tool",
            "content": [{"type": "tool_result", "id": result + n, "content": "r"}],
        },
    )


def _anthropic(count: int) -> Any:
    calls = [{"type": "tool_use", "id": f"c{n}", "name": "f", "input": {}} for n in range(count)]
    results = [
        block
        for n in reversed(range(count))
        for block in (
            {"type": "tool_result", "tool_use_id": f"c{n}", "content": "r"},
            {"type": "text", "text": "x"},
        )
    ]
    messages = [
        _ASKED,
        {"role": "assistant", "content": calls},
        {"role": "user", "content": results},
    ]
    return {"model": "m", "max_tokens": 9, "messages": messages}


def _responses(count: int) -> Any:
    calls = [
        {"type": "function_call", "call_id": f"c{n}", "name": "f", "arguments": "{}"}
        for n in range(count)
    ]
    results = [
        {"type": "function_call_output", "call_id": f"c{n}", "output": "r"}
        for n in reversed(range(count))
    ]
    return {"model": "m", "input": [_ASKED, *calls, *results]}


def _talk(count: int) -> Any:
    return {
        "model": "m",
        "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
        * count
        + [_ASKED],
    }


def _pictures(count: int) -> Any:
    said = [{"type": "image_url", "url": "data:image/png;base64,AA=="}]
    return {"model": "m", "messages": [{"role": "user", "content": said}] * count}


_PAIRS: dict[str, dict[str, Make]] = {
    "native": {
        "calls, results the other way round": _native("c"),
        "calls, results of others": _native("u"),
        "turns": _talk,
        "users with an image each": _pictures,
    },
    "openai_chat": {
        "calls, results the other way round": _OPENAI,
        "calls, results of others": _ORPHANS,
    },
    "cohere": {
        "calls, results the other way round": _OPENAI,
        "calls, results of others": _ORPHANS,
    },
    "ollama": {
        "calls, results by name": _ollama(
            lambda n: {"role": "tool", "tool_name": f"f{n}", "content": "r"}
        ),
        "calls, results in order": _ollama(lambda _: {"role": "tool", "content": "r"}),
        "calls, results of others": _ollama(
            lambda _: {"role": "tool", "tool_name": "g", "content": "r"}
        ),
    },
    "gemini": {
        "calls, results by id": _gemini(
            lambda n: {"id": f"c{n}", "name": "f"}, lambda n: {"id": f"c{n}", "name": "f"}
        ),
        "calls, results by name": _gemini(lambda n: {"name": f"f{n}"}, lambda n: {"name": f"f{n}"}),
        "calls, results of others": _gemini(
            lambda _: {"name": "f"}, lambda _: {"id": "u", "name": "g"}
        ),
        "tools, of which others are allowed": _gemini_allowed,
    },
    "anthropic": {"calls, results between texts": _anthropic},
    "openai_responses": {"calls, results the other way round": _responses},
}
