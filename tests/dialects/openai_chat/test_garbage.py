"""Whatever arrives, a decoder gives events that keep the grammar, one end, and never an exception;
and an encoder takes them."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.openai_chat.decode import ChatDecoder
from proxy.events import Event
from tests.dialects.openai_chat import emit
from tests.dialects.openai_chat.test_decode import CASES, DONE, HI, STOP, frame
from tests.properties import examples
from tests.support import decode, facts, needs_recordings, recording_bytes

MAX = 1 << 14
_CASES = [case.body for case in CASES if len(case.body) < MAX]
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 2**70)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "a", "null", "stop", "error", "\ud800", "text"])
)
_KEYS = st.sampled_from(
    ["choices", "delta", "message", "content", "index", "finish_reason", "tool_calls", "function", "name", "arguments", "id", "usage", "error", "code", "type", "text", "thinking", "prompt_tokens", "completion_tokens", "reasoning", "reasoning_details", "signature", "data", "annotations", "url_citation", "refusal", "x_groq", "logprobs", "object"]
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


def _mutated(data: bytes, seed: int) -> bytes:
    """A few bytes changed, cut out, doubled or put elsewhere."""
    rng = random.Random(seed)
    out = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(out) + 1)
        to = min(len(out), at + rng.choice((1, 1, 8, 60)))
        match rng.randrange(5):
            case 0:
                out[at:to] = rng.randbytes(to - at)
            case 1:
                del out[at:to]
            case 2:
                out[at:at] = out[at:to]
            case 3:
                out[at:at] = rng.choice(
                    (
                        b'"',
                        b"{",
                        b"}",
                        b"null",
                        b"\n\n",
                        b"\xff",
                        b"\\ud800",
                        b"data: [DONE]\n\n",
                        b"\0",
                        b"-1",
                        b'"error":',
                    )
                )
            case _:
                del out[at:]
    return bytes(out)


def _cut(data: bytes, seed: int) -> list[bytes]:
    rng = random.Random(seed)
    marks = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(0, 8)))
    return [data[a:b] for a, b in zip([0, *marks], [*marks, len(data)], strict=True)]


def _holds(chunks: list[bytes]) -> None:
    events: list[Event] = decode(ChatDecoder(MAX), chunks)
    assert emit.encoded(events, include_usage=True)


@given(st.sampled_from(_CASES), st.integers(0, 2**32), st.integers(0, 2**32))
@examples(200)
def test_a_mutated_case_never_raises(data: bytes, seed: int, cut: int) -> None:
    _holds(_cut(_mutated(data, seed), cut))


@needs_recordings
@given(st.data())
@examples(100)
def test_a_mutated_recording_never_raises(data: Any) -> None:
    row = data.draw(st.sampled_from(facts("openai_chat")))
    seed = data.draw(st.integers(0, 2**32))
    _holds(_cut(_mutated(recording_bytes(row)[:40_000], seed), seed + 1))


@given(st.binary(max_size=300), st.integers(0, 2**32))
@examples(100)
def test_any_bytes_never_raise(data: bytes, cut: int) -> None:
    _holds(_cut(data, cut))


@given(st.lists(_VALUES, min_size=1, max_size=4))
@examples(200)
def test_any_json_in_frames_never_raises(values: list[Any]) -> None:
    _holds([HI, *map(frame, values), STOP, DONE])


@given(
    st.lists(
        st.fixed_dictionaries(
            {"choices": st.lists(st.dictionaries(_KEYS, _VALUES, max_size=4), max_size=3)}
        ),
        min_size=1,
        max_size=4,
    )
)
@examples(200)
def test_any_choices_never_raise(values: list[Any]) -> None:
    _holds([*map(frame, values), DONE])


def test_nothing_is_held_beyond_the_bound() -> None:
    """A frame without an end, and a document without one: the decoder fails instead of growing."""
    for endless in (b"data: " + b"x" * 100, b'{"a":"' + b"x" * 100):
        decoder = ChatDecoder(1000)
        fed = 0
        while not decoder.done:
            decoder.feed(endless if fed == 0 else b"x" * 100)
            fed += 100
            assert fed < 3000
