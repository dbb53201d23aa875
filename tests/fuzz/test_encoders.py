"""Answers with every odd text in them, for every dialect's encoder.

Everything is drawn from fixed seeds, so a run is the same as the last one.
"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.codec.fold import WholeAnswer
from proxy.codec.settle import Settler
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    TextDelta,
    TextRewrite,
    Tool,
    ToolCallDelta,
    Usage,
    UsageEvent,
    Vendor,
)
from tests.fuzz.bodies import parsed_by
from tests.fuzz.readers import START, encoder_of, readable
from tests.fuzz.strategies import steady
from tests.properties import scaled
from tests.samples import ASKED
from tests.support import check_grammar

pytestmark = pytest.mark.timeout(300)  # seconds of work at most, but a machine may be loaded

TEXT = st.lists(
    st.sampled_from(
        [
            *(
                "a",
                "你好",
                "😀",
                " ",
                "\n",
                "\r",
                "\r\n\r\n",
                "\0",
                "\u2028",
                "\u2029",
                "\x85",
                "\ufeff",
                "\ufffe",
                "\x1b[0m",
                '"',
                "\\",
                ":",
            ),
            *(
                "[DONE]",
                "[done]",
                "data: x",
                "\n\ndata: {}\n\n",
                "event: error\n",
                "\nid: 7\n",
                "</script>",
                "[error] ",
                "<br>",
                "x" * 300,
            ),
            *("[[", "]]", ",", "{", "}"),
        ]
    ),
    min_size=1,
    max_size=4,
).map("".join)
LEAF = st.none() | st.booleans() | st.sampled_from([0, -1, 2**70, 1.5]) | TEXT
KEYS = st.sampled_from(
    [
        "type",
        "choices",
        "index",
        "delta",
        "usage",
        "finish_reason",
        "message_delta",
        "cid",
        "data",
        "content",
        "error",
        "text",
        "logprobs",
        "input",
    ]
)
JSON = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
DATA = (
    JSON
    | st.dictionaries(KEYS, JSON, max_size=4)
    | st.sampled_from(["server_tool_use", "message_delta", "text"]).map(lambda kind: {"type": kind})
)
STEP = st.tuples(
    st.sampled_from(
        [
            "text",
            "reasoning",
            "call",
            "say",
            "say",
            "say",
            "rewrite",
            "cite",
            "usage",
            "vendor",
            "close",
        ]
    ),
    st.integers(0, 9),
    TEXT,
    DATA,
)
DEEP: Any = 1
for _ in range(98):
    DEEP = [DEEP]


def story(steps: list[Any], ending: int, last: str) -> list[Event]:
    """A grammatical stream: blocks overlap, but one choice has one open text block at most."""
    events: list[Event] = [START]
    opened: dict[int, tuple[str, int, int]] = {}  # block -> kind, choice, length
    for number, (what, pick, text, data) in enumerate(steps):
        chosen = list(opened)[pick % len(opened)] if opened else -1
        kind, choice, length = opened.get(chosen, ("", 0, 0))
        if what in ("text", "reasoning", "call"):
            choice = int(pick == 9)
            if what != "text" or not any(row[:2] == ("text", choice) for row in opened.values()):
                tool = {"tool": Tool(text, text)} if what == "call" else {}
                events.append(
                    BlockStart(
                        number,
                        "tool_call" if what == "call" else what,
                        **tool,
                        **({"choice": choice} if choice else {}),
                    )
                )
                opened[number] = (what, choice, 0)
        elif what == "say" and kind:
            events.append(
                {"text": TextDelta, "reasoning": ReasoningDelta, "call": ToolCallDelta}[kind](
                    chosen, text
                )
            )
            opened[chosen] = (kind, choice, length + len(text))
        elif what == "rewrite" and kind == "text":
            keep = length * pick // 10
            events.append(TextRewrite(chosen, keep, text))
            opened[chosen] = (kind, choice, keep + len(text))
        elif what == "cite" and kind == "text":
            events.append(Citation(chosen, text if pick % 2 else None, text, None, pick, None))
        elif what == "usage":
            events.append(UsageEvent(pick, None if pick % 2 else 3, pick or None))
        elif what == "vendor":
            events.append(Vendor([*UPSTREAMS][pick % len(UPSTREAMS)], DEEP if pick == 9 else data))
        elif what == "close" and kind:
            del opened[chosen]
            events.append(BlockEnd(chosen, **({"signature": text} if kind == "reasoning" else {})))
    if ending == 5:
        return [
            *events,
            StreamError(failure("upstream_error", f"Why: {last}", code=last, param=last)),
        ]
    reason = ("stop", "length", "tool_calls", "refusal", "other")[ending]
    return [
        *events,
        *map(BlockEnd, opened),
        StreamEnd(Finish(reason, last), Usage(1, None, 2, None)),
    ]  # type: ignore[arg-type]


def unbroken(text: str) -> str:
    """Without line ends: an event stream has but one of the three."""
    return text.replace("\r", "").replace("\n", "")


@pytest.mark.parametrize("name", CLIENTS)
def test_an_encoder_says_any_text_and_nothing_else(name: str) -> None:
    """It never raises, an independent reader finds whole JSON values in whole frames, and the text
    is that of the events."""

    @settings(steady, max_examples=scaled(80))
    @given(st.lists(STEP, max_size=14), st.integers(0, 5), TEXT)
    def check(steps: list[Any], ending: int, last: str) -> None:
        events = story(steps, ending, last)
        check_grammar(events)
        encoder = encoder_of(name)
        data = b"".join([encoder.encode(event) for event in events])
        values = readable(name, encoder, data)
        answer = WholeAnswer()
        for event in events:
            answer.add(event)
        if answer.error is None:
            reply = CLIENTS[name].whole(parsed_by(name), answer)
            assert isinstance(reply.body, bytes)
            if reply.content_type == "application/json":
                json.loads(reply.body)
            lost = isinstance(encoder, Settler) and encoder.failed
            said = ASKED[name].said
            if said is not None and not lost:
                assert unbroken(answer.text()) == unbroken(said(values))

    check()
