"""The dialects without a client half, all alike: recordings give their facts under every split, and
garbage of any kind keeps the grammar."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.codec.halves import UpstreamHalf
from proxy.dialects.registry import UPSTREAMS
from proxy.errors import Failure
from proxy.events import StreamError
from tests.dialects.answers import LIMIT, folded, same_however_cut, spoiled
from tests.dialects.upstream_only import data
from tests.properties import examples
from tests.support import decode, facts, needs_recordings, recording_bytes, recordings_dir

NAMES = ("dashscope", "hunyuan", "qianfan", "zhipu", "minimax", "tgi")
STREAMS = {row["file"]: row for name in NAMES for row in facts(name)}
ERRORS = {row["file"]: row for name in NAMES for row in facts(name, errors=True)}
# How the vendors name the counts that the facts have.
COUNTS = {"dashscope": ("input_tokens", "output_tokens")}
USUAL = ("prompt_tokens", "completion_tokens")

quick = examples(50)


def half(name: str) -> UpstreamHalf:
    return UPSTREAMS[name]


@needs_recordings
@pytest.mark.parametrize("file", STREAMS)
def test_a_recording_gives_its_facts_however_it_is_cut(file: str) -> None:
    row = STREAMS[file]
    events = same_however_cut(lambda: half(row["dialect"]).decoder(LIMIT, {}), recording_bytes(row))
    answer = folded(events)
    assert row["text_sha256"] == hashlib.sha256(answer.text().encode()).hexdigest()
    assert row["reasoning_chars"] == len(answer.reasoning())
    assert row["tools"] == [
        {"name": call.tool.name, "arguments": call.text}
        for call in answer.tool_calls()
        if call.tool
    ]
    assert row["finish"] == answer.finish.raw
    names = COUNTS.get(row["dialect"], USUAL)
    expected = tuple((row["usage"] or {}).get(name) for name in names)
    assert expected == (answer.usage.input_tokens, answer.usage.output_tokens)


@needs_recordings
def test_whole_texts_are_told_from_pieces_by_the_second_piece() -> None:
    """Asked for whole texts, DashScope's recordings of either kind give their text."""
    for row in facts("dashscope"):
        answer = folded(
            decode(
                half("dashscope").decoder(LIMIT, {"incremental_output": False}),
                [recording_bytes(row)],
            )
        )
        assert row["text_sha256"] == hashlib.sha256(answer.text().encode()).hexdigest()


@needs_recordings
@pytest.mark.parametrize("file", ERRORS)
def test_an_error_body_gives_the_vendors_message(file: str) -> None:
    """By `parse_error`; and, where the vendor sent it under 200, by the decoder as well."""
    folder = recordings_dir()
    assert folder is not None
    body = (folder / file).read_bytes()
    status = int(file.split("/error-")[1][:3])
    upstream = half(ERRORS[file]["dialect"])
    why = upstream.parse_error(status, {}, body)
    assert isinstance(why, Failure)
    assert why.message in body.decode()
    assert str(why.code) in body.decode()
    last = decode(upstream.decoder(LIMIT, {}), [body])[-1]
    assert isinstance(last, StreamError)
    assert (why.message, why.code) == (last.error.message, last.error.code)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_answer(name: str) -> None:
    """A page, nothing, and a document of something else: an error that says so, and no error in a
    good document."""
    for body, kind in (
        (b"<html><body>Sign in</body></html>", "upstream_malformed"),
        (b"", "upstream_truncated"),
        (b'{"x":1}', "upstream_malformed"),
    ):
        last = decode(half(name).decoder(LIMIT, {}), [body])[-1]
        assert isinstance(last, StreamError)
        assert kind == last.error.kind
    assert half(name).parse_error(200, {}, b'{"id":"1"}') is None
    assert half(name).parse_error(200, {}, b"\xff") is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"\xff\xfe", b"{}", b'{"code":"x"}', b'{"error":{}}', b'{"error":[]}'],
)
def test_an_http_error_is_a_failure_whatever_its_body(name: str, body: bytes) -> None:
    """With the vendor's advice when to come again."""
    why = half(name).parse_error(429, {"retry-after": "7"}, body)
    assert why is not None
    assert ("rate_limited", 429, 7) == (why.kind, why.status, why.retry_after_s)


@pytest.mark.parametrize("name", NAMES)
def test_an_event_that_is_too_large_is_refused(name: str) -> None:
    """Without being kept."""
    decoder = half(name).decoder(1000, {})
    assert isinstance(decoder.feed(b"data: " + b"x" * 2000)[-1], StreamError)
    assert decoder.done


@pytest.mark.parametrize("name", [name for name in NAMES if name != "zhipu"])  # whose data is text
def test_what_cannot_be_read_is_an_error(name: str) -> None:
    """No JSON, JSON of another kind, and half of it."""
    for value in (b"{", b"7", b'{"id":[}', b"[" * 5000):
        last = decode(half(name).decoder(LIMIT, {}), [b"data: " + value + b"\n\n"])[-1]
        assert isinstance(last, StreamError)
        assert "upstream_malformed" == last.error.kind


# Each vendor's keys, and all that could stand behind one.
KEYS = {
    "dashscope": "output text choices message content reasoning_content tool_calls index id function name arguments finish_reason usage input_tokens prompt_tokens_details cached_tokens search_info search_results url title code logprobs request_id",
    "hunyuan": "Choices Delta Content ReasoningContent ToolCalls Id Index Function Name Arguments FinishReason Usage PromptTokens ErrorMsg Code Msg SearchInfo SearchResults Url Note Response Error",
    "qianfan": "id result is_end is_truncated finish_reason need_clear_history function_call name arguments thoughts usage prompt_tokens plugins search_info search_results url plugin_info error_code error_msg",
    "minimax": "id object choices index delta message role content reasoning_content reasoning_details text tool_calls function name arguments finish_reason usage total_tokens prompt_tokens base_resp status_code output_sensitive audio_content",
    "tgi": "token text special generated_text details finish_reason generated_tokens input_length seed top_tokens error error_type",
    "zhipu": "code msg error message",
}
WORDS = ["", "a", "null", "stop", "tool_calls", "tool", "chat.completion", "[]", "{", "\ud800"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 2**70)
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
)


def values(name: str) -> st.SearchStrategy[Any]:
    """JSON objects of the vendor's keys."""
    keys = st.sampled_from(KEYS[name].split())
    inner = st.recursive(
        SCALARS,
        lambda less: st.lists(less, max_size=3) | st.dictionaries(keys, less, max_size=5),
        max_leaves=14,
    )
    return st.dictionaries(keys, inner, min_size=1, max_size=6)


def plausible(name: str) -> bytes:
    """A stream of each vendor's with a bit of everything, to be spoiled."""
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a":1}'}}
    said = {"content": "Hé", "reasoning_content": "hm", "tool_calls": [call]}
    usage = {"input_tokens": 1, "output_tokens": 2, "prompt_tokens": 1, "completion_tokens": 2}
    pascal = {
        "Content": "Hé",
        "ReasoningContent": "hm",
        "ToolCalls": [{"Id": "c", "Function": {"Name": "f", "Arguments": "{}"}}],
    }
    bodies = {
        "dashscope": data(
            {"output": {"choices": [{"message": said, "finish_reason": "null"}]}},
            {"output": {"text": "!", "finish_reason": "stop"}, "usage": usage},
        ),
        "hunyuan": data(
            {"Choices": [{"Delta": pascal, "FinishReason": ""}], "Note": "n"},
            {"Choices": [{"Delta": {}, "FinishReason": "stop"}]},
        ),
        "qianfan": data(
            {"result": "Hé", "usage": usage},
            {"is_end": True, "result": "", "function_call": {"name": "f", "arguments": "{}"}},
        ),
        "minimax": data(
            {"choices": [{"delta": said}]},
            {
                "object": "chat.completion",
                "choices": [{"message": said, "finish_reason": "stop"}],
                "usage": usage,
            },
        ),
        "tgi": data(
            {"token": {"text": "Hé", "special": False}},
            {"generated_text": "Hé", "details": {"finish_reason": "length", "generated_tokens": 1}},
        ),
        "zhipu": b'event:add\nid:1\ndata:H\xc3\xa9\n\nevent:finish\nid:1\ndata:\nmeta:{"usage":{"prompt_tokens":3}}\n\n',
    }
    return bodies[name]


def framed(name: str, value: Any) -> bytes:
    text = json.dumps(value)
    return f"event:{'error' if name == 'zhipu' else 'result'}\ndata:{text}\n\n".encode()


@pytest.mark.parametrize("name", NAMES)
@quick
@given(drawn=st.data())
def test_spoiled_streams_keep_the_grammar(name: str, drawn: Any) -> None:
    """Bytes changed, put in, left out and repeated, read in either way."""
    recorded = [recording_bytes(row)[:20_000] for row in STREAMS.values() if row["dialect"] == name]
    body = drawn.draw(spoiled([plausible(name), *recorded]))
    size = drawn.draw(st.integers(1, 300))
    options = drawn.draw(st.sampled_from([{}, {"incremental_output": False, "incremental": False}]))
    decode(
        half(name).decoder(1 << 14, options),
        [body[at : at + size] for at in range(0, len(body), size)],
    )


@pytest.mark.parametrize("name", NAMES)
@quick
@given(drawn=st.data())
def test_events_of_wrong_shapes_keep_the_grammar(name: str, drawn: Any) -> None:
    """The vendor's keys with any value, in any order, between two good streams."""
    middle = b"".join(
        framed(name, value) for value in drawn.draw(st.lists(values(name), min_size=1, max_size=5))
    )
    first, _, rest = plausible(name).partition(b"\n\n")
    options = drawn.draw(st.sampled_from([{}, {"incremental_output": False}]))
    decode(half(name).decoder(1 << 16, options), [first + b"\n\n" + middle + rest])


@pytest.mark.parametrize("name", NAMES)
@quick
@given(
    body=st.binary(max_size=300)
    | st.lists(SCALARS, max_size=3).map(lambda some: repr(some).encode("utf-8", "replace"))
)
def test_any_bytes_are_an_error_of_any_status(name: str, body: bytes) -> None:
    """And no exception."""
    assert half(name).parse_error(500, {}, body) is not None
    half(name).parse_error(200, {}, body)
    decode(half(name).decoder(1 << 12, {}), [body])
