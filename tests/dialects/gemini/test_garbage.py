"""Whatever arrives, the decoder gives events that keep the grammar, one end, and never an
exception; and the encoder takes them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.codec.proofs import ANTHROPIC, GEMINI, OPENAI
from proxy.dialects.gemini.decode import GeminiDecoder
from proxy.dialects.gemini.partial import Arguments
from proxy.dialects.gemini.signatures import Signed, from_wire, to_wire
from proxy.dialects.gemini.wire import PartialArg
from proxy.framing import BadFrame
from tests.dialects.answers import spoiled
from tests.dialects.gemini import emit
from tests.dialects.gemini.test_decode import ERROR, array, chunk, sse, text
from tests.properties import examples
from tests.support import decode, facts, needs_recordings, recording_bytes

LIMIT = 1 << 15
unhurried = examples(60)
CALL = chunk(
    {"functionCall": {"name": "f", "args": {"a": [1, {"b": "c"}]}}, "thoughtSignature": "c2ln"}
)
PIECES = chunk(
    {"functionCall": {"name": "g", "willContinue": True}},
    {
        "functionCall": {
            "partialArgs": [
                {"jsonPath": "$.a[0].b", "stringValue": "x"},
                {"jsonPath": "$.c", "nullValue": "NULL_VALUE"},
            ]
        }
    },
)
LAST = {
    **text("b", finish="STOP", safetyRatings=[{"a": 1}]),
    "usageMetadata": {"promptTokenCount": 3},
}
BODIES = [
    form(chunk({"text": "hm", "thought": True}), CALL, PIECES, LAST) for form in (sse, array)
] + [sse(text("a")) + json.dumps(ERROR).encode()]
_KEYS = st.sampled_from(
    ["candidates", "content", "parts", "text", "thought", "thoughtSignature", "functionCall", "name", "id", "args", "partialArgs", "jsonPath", "stringValue", "numberValue", "willContinue", "finishReason", "index", "usageMetadata", "promptTokenCount", "promptFeedback", "blockReason", "groundingMetadata", "groundingChunks", "groundingSupports", "citationMetadata", "citations", "startIndex", "endIndex", "uri", "error", "code", "message", "inlineData", "responseId"]
)  # fmt: skip
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 2**70)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "a", "$.a", "$.b[0]", "STOP", "1s"])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


def holds(chunks: list[bytes]) -> None:
    events = decode(GeminiDecoder(LIMIT), chunks)
    for form in (True, False):
        assert emit.encoded(events, sse=form)


def halves(body: bytes, at: int) -> list[bytes]:
    cut = at % (len(body) + 1)
    return [body[:cut], body[cut:]]


@given(spoiled(BODIES), st.integers(0, 1 << 16))
@unhurried
def test_a_spoiled_case_never_raises(body: bytes, at: int):
    holds(halves(body, at))


@needs_recordings
@given(st.data())
@examples(30)
def test_a_spoiled_recording_never_raises(data: Any):
    row = data.draw(st.sampled_from(facts("gemini")))
    holds([data.draw(spoiled([recording_bytes(row)[:20_000]]))])


@given(st.binary(max_size=200), st.integers(0, 1 << 16))
@unhurried
def test_any_bytes_never_raise(body: bytes, at: int):
    holds(halves(body, at))


@given(st.lists(st.dictionaries(_KEYS, _VALUES, max_size=4), min_size=1, max_size=4), st.booleans())
@unhurried
def test_any_json_in_chunks_never_raises(values: list[dict[str, Any]], framed: bool):
    holds([(sse if framed else array)(*values, LAST)])


@given(
    st.lists(st.dictionaries(_KEYS, _VALUES, max_size=3), max_size=3),
    st.lists(st.dictionaries(_KEYS, _VALUES, max_size=3), max_size=2),
)
@unhurried
def test_any_parts_and_candidates_never_raise(
    parts: list[dict[str, Any]], candidates: list[dict[str, Any]]
):
    holds([sse(chunk(*parts), {"candidates": candidates}, LAST)])


_NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=".[]"), min_size=1, max_size=6
)
_JSON = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.booleans()
    | st.none()
    | st.integers(-99, 99),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(_NAMES, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def pieces(value: Any, path: str) -> list[dict[str, Any]]:
    """A value as the vendor would send it, its strings a character at a time."""
    match value:
        case dict():
            return [
                piece for key, inner in value.items() for piece in pieces(inner, f"{path}.{key}")
            ]
        case list():
            return [
                piece for at, inner in enumerate(value) for piece in pieces(inner, f"{path}[{at}]")
            ]
        case str():
            return [
                {"jsonPath": path, "stringValue": "", "willContinue": True},
                *({"jsonPath": path, "stringValue": c} for c in value),
            ]
        case bool():
            return [{"jsonPath": path, "boolValue": value}]
        case None:
            return [{"jsonPath": path, "nullValue": "NULL_VALUE"}]
        case _:
            return [{"jsonPath": path, "numberValue": value}]


@given(st.dictionaries(_NAMES, _JSON, max_size=3))
@unhurried
def test_streamed_arguments_are_what_was_streamed(value: dict[str, Any]):
    """Any object, put together from its pieces."""
    body = sse(
        chunk(
            *(
                {"functionCall": more}
                for more in [
                    {"name": "f", "willContinue": True},
                    {"partialArgs": pieces(value, "$")},
                ]
            ),
            finish="STOP",
        )
    )
    call = next(event for event in [decode(GeminiDecoder(LIMIT), [body])] if event)
    text_ = "".join(event.arguments for event in call if hasattr(event, "arguments"))
    assert value == json.loads(text_)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "$.a",
                    "$.a.b",
                    "$.a[0]",
                    "$.a[1].c",
                    "$['q\\'r']",
                    '$["s"]',
                    "$",
                    "",
                    "$[0]",
                    "$.x[99]",
                ]
            ),
            st.integers(0, 1),
        ),
        max_size=6,
    )
)
@unhurried
def test_paths_in_any_order_are_json_or_a_fault(paths: list[tuple[str, int]]):
    """Never anything else."""
    arguments, text_ = Arguments(), ""
    try:
        for path, kind in paths:
            text_ += arguments.add(
                PartialArg(path, string_value="s") if kind else PartialArg(path, bool_value=True)
            )
    except BadFrame:
        return
    assert isinstance(json.loads(text_ + arguments.close()), dict)


@given(
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary().map(lambda raw: raw.hex())
    | st.from_regex(r"[A-Za-z0-9+/]{0,12}={0,2}", fullmatch=True)
)
@unhurried
def test_signatures_survive_the_sdk(signature: str):
    """Which decodes them, and writes base64's other alphabet."""
    import base64

    for of, redacted, call in ((GEMINI, False, ""), (ANTHROPIC, False, "c 1"), (OPENAI, True, "")):
        signed = Signed(signature, of, redacted, "rs_1" if redacted else None)
        wire = to_wire(signed, call)
        again = base64.urlsafe_b64encode(base64.b64decode(wire, validate=True)).decode()
        expected = signed._replace(of_call=of == GEMINI or bool(call))
        assert expected == from_wire(again) == from_wire(wire)
