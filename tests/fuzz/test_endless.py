"""Upstreams without an end: what a decoder holds has a bound, whatever comes and however long."""

import itertools
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from proxy.codec import sse_json
from proxy.dialects.gemini import candidates, partial
from proxy.dialects.registry import UPSTREAMS
from proxy.framing import sse_lines
from tests.fuzz.endless import COMMON
from tests.fuzz.held import held
from tests.fuzz.pieces import frames_of
from tests.fuzz.samples import bodies
from tests.samples import ENDLESS
from tests.support import check_grammar

_MOST = 8192
_FED = 400_000
ANSWERS = [
    pytest.param(name, endless, id=f"{name}: {kind}")
    for name in UPSTREAMS
    for kind, endless in {**COMMON, **ENDLESS[name]}.items()
]
_NUMBERED = re.compile(
    rb'("(?:index|output_index|content_index|seq|id|item_id|cid|url|name)": ?"?)(\w+)'
)


@pytest.fixture(autouse=True)
def _small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what has a bound is full before the middle."""
    monkeypatch.setattr(sse_lines, "STRAY_BYTES", _MOST)
    for module in (sse_json, candidates):
        monkeypatch.setattr(module, "_MAX_SOURCES", 512)
    monkeypatch.setattr(partial, "_MAX_KEYS", 512)


def hold_no_more(
    name: str, endless: Callable[[int], bytes], options: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """What it holds late is what it held in the middle, and a few times the largest event at most;
    or it has given up."""
    decoder = UPSTREAMS[name].decoder(_MOST, options)
    fed, numbers, events = 0, itertools.count(), []
    middle = None
    while fed < _FED and not decoder.done:
        data = endless(next(numbers))
        while len(data) < 2000:
            data += endless(next(numbers))
        fed += len(data)
        events += decoder.feed(data)
        if middle is None and fed > _FED // 2:
            middle = held(decoder)
    late = held(decoder)  # which looks at each splitter too
    events += decoder.close()
    check_grammar(events)
    assert late <= 20 * _MOST
    assert middle is None or late <= middle * 1.1 + _MOST, (
        f"held {middle} bytes in the middle and {late} late"
    )


@pytest.mark.parametrize(("name", "endless"), ANSWERS)
def test_an_endless_upstream_makes_a_decoder_hold_no_more(
    name: str, endless: Callable[[int], bytes]
) -> None:
    hold_no_more(name, endless)


@pytest.mark.parametrize("kind", ENDLESS["dashscope"])
def test_whole_texts_that_come_again_and_again_make_a_decoder_hold_no_more(kind: str) -> None:
    hold_no_more("dashscope", ENDLESS["dashscope"][kind], {"incremental_output": False})


@pytest.mark.parametrize("name", UPSTREAMS)
def test_an_answer_that_begins_again_and_again_makes_a_decoder_hold_no_more(name: str) -> None:
    """The first part of a real stream, without its end, and with other ids and numbers every other
    time."""
    known = sorted(bodies(name), key=len)
    for body in known[:: max(len(known) // 6, 1)]:
        frames = frames_of(name, body)
        part = b"".join(frames[: max(len(frames) * 2 // 3, 1)])
        hold_no_more(
            name, lambda n, part=part: _NUMBERED.sub(rb"\g<1>\g<2>%d" % n, part) if n % 2 else part
        )
