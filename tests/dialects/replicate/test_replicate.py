"""Replicate: the stream's raw text, requests in a model's own words, and where the stream is. The
judge of the text is httpx-sse."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.codec.base import TargetConfig
from proxy.dialects.replicate import DIALECT
from proxy.errors import Refused
from tests.dialects.answers import asked, every_cut_is_an_error, folded, params, spoiled, told
from tests.dialects.answers import target as named
from tests.dialects.upstream_only import (
    EVERYTHING,
    LIMIT,
    PICTURE,
    TALK,
    built,
    events_of,
    failed,
    summed,
    talk,
)
from tests.properties import examples
from tests.support import decode, facts, needs_recordings, recording_bytes

HALF = DIALECT.upstream
assert HALF is not None
DONE = b"event: done\nid: 9:0\ndata: {}\n\n"
MODEL = TargetConfig("up", "meta/llama-2-70b-chat", "r8_k")
ROWS = {row["file"]: row for row in facts("replicate")}
quick = examples(50)


def output(text: str) -> bytes:
    return (
        b"event: output\nid: 1:0\n"
        + "".join(f"data: {line}\n" for line in text.split("\n")).encode()
        + b"\n"
    )


def event(name: str, data: str) -> bytes:
    return f"event: {name}\nid: 2:0\ndata: {data}\n\n".encode()


PLAUSIBLE = (
    b": hi\n\n"
    + event("logs", "Loading.")
    + output("H\u00e9")
    + output("\n\n")
    + output(' "llo"')
    + DONE
)


@needs_recordings
@pytest.mark.parametrize("file", ROWS)
def test_a_recording_gives_its_facts_however_it_is_cut(file: str) -> None:
    """The fact `done` is the name of the last event, which is no reason: the vendor gives none."""
    row = ROWS[file]
    answer = folded(events_of(HALF, recording_bytes(row)))
    assert row["text_sha256"] == hashlib.sha256(answer.text().encode()).hexdigest()
    assert (row["reasoning_chars"], row["tools"]) == (len(answer.reasoning()), answer.tool_calls())
    assert ("done", "stop", None) == (row["finish"], answer.finish.reason, answer.finish.raw)
    assert (row["usage"], None) == (None, answer.usage.output_tokens)


def test_the_answer_is_over_at_done() -> None:
    """What the vendor sends on a connection that is left open is no part of it; logs are extras."""
    events = events_of(HALF, PLAUSIBLE + b":408: 408 Request Timeout\n" + output("late"))
    assert ('H\u00e9\n\n "llo"', "", [], "stop", None) == summed(events)
    assert [{"logs": "Loading."}] == told(events)


def test_an_answer_without_text_and_events_that_nobody_knows() -> None:
    """A whole answer may be empty; a reason that nobody knows is passed on."""
    assert ("", "", [], "stop", None) == summed(events_of(HALF, event("metrics", "{}") + DONE))
    assert ("", "", [], "other", "paused") == summed(
        events_of(HALF, event("done", '{"reason":"paused"}'))
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            output("a") + event("error", "CUDA out of memory"),
            ("upstream_error", 502, None, "CUDA out of memory"),
        ),
        (
            event("error", '{"detail":"Prediction failed."}') + event("done", '{"reason":"error"}'),
            ("upstream_error", 502, None, "Prediction failed."),
        ),
        (
            output("a") + event("done", '{"reason":"canceled"}'),
            (
                "upstream_error",
                502,
                "canceled",
                "Replicate's prediction was canceled before it was complete.",
            ),
        ),
        (
            event("done", '{"reason":"error"}'),
            (
                "upstream_error",
                502,
                "error",
                "Replicate's prediction failed, and it did not say why.",
            ),
        ),
        (
            b'{"title":"Not found","detail":"No such prediction.","status":404}',
            ("upstream_error", 404, None, "No such prediction."),
        ),
    ],
)
def test_errors(body: bytes, expected: tuple[str, int, Any, str]) -> None:
    """In the stream, as its end, and as JSON in place of it."""
    kind, status, code, message = failed(events_of(HALF, body))
    assert expected == (kind, status, code or None, message)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "upstream_truncated"),
        (b": hi\n\n", "upstream_truncated"),
        (b"<html></html>", "upstream_malformed"),
        (b'{"urls":{}}', "upstream_malformed"),
        (event("done", "{"), "upstream_malformed"),
        (event("done", "[]"), "upstream_malformed"),
    ],
)
def test_what_is_no_answer(body: bytes, kind: str) -> None:
    """A cut is told apart from what cannot be read."""
    assert kind == failed(decode(HALF.decoder(LIMIT, {}), [body]))[0]


def test_every_cut_is_an_error() -> None:
    """The end is the event `done`, whole."""
    every_cut_is_an_error(lambda: HALF.decoder(LIMIT, {}), PLAUSIBLE[: -len(b"}\n\n")])


def test_an_event_that_is_too_large_is_refused() -> None:
    """Without being kept."""
    assert "upstream_malformed" == failed(HALF.decoder(1000, {}).feed(b"data: " + b"x" * 2000))[0]


@quick
@given(body=spoiled([PLAUSIBLE]), size=st.integers(1, 300))
def test_spoiled_streams_keep_the_grammar(body: bytes, size: int) -> None:
    """Bytes changed, put in, left out and repeated."""
    decode(HALF.decoder(1 << 14, {}), [body[at : at + size] for at in range(0, len(body), size)])


@quick
@given(body=st.binary(max_size=300))
def test_any_bytes_are_an_error_of_any_status(body: bytes) -> None:
    """And no exception, wherever they stand."""
    assert HALF.parse_error(500, {}, body) is not None
    HALF.parse_error(201, {}, body)
    HALF.follow(MODEL, body)
    decode(HALF.decoder(1 << 12, {}), [event("done", "") + body])


def test_a_problem_is_a_failure() -> None:
    """With the vendor's words and status, and its advice when to come again; a prediction that has
    failed is one under any status."""
    problem = b'{"title":"Throttled","detail":"Request was throttled.","status":429}'
    why = HALF.parse_error(429, {"retry-after": "7"}, problem)
    assert why is not None
    assert ("rate_limited", 429, "Request was throttled.", 7) == (
        why.kind,
        why.status,
        why.message,
        why.retry_after_s,
    )
    why = HALF.parse_error(422, {}, b'{"title":"Input validation failed"}')
    assert why is not None
    assert ("bad_request", "Input validation failed") == (why.kind, why.message)
    for body, said in (
        (b'{"status":"failed","error":"Out of memory"}', "Out of memory"),
        (b'{"status":"canceled"}', "Replicate's prediction is canceled."),
    ):
        why = HALF.parse_error(201, {}, body)
        assert why is not None
        assert ("upstream_error", said) == (why.kind, why.message)
    assert (
        HALF.parse_error(201, {}, b'{"id":"a","status":"starting","error":null,"urls":{}}') is None
    )


def test_a_first_turn() -> None:
    """The model is in the path, and what is asked in its inputs."""
    request = asked(
        "hi", system="Be brief.", max_tokens=9, temperature=0, top_p=0.5, stop=["a", "b"], seed=7
    )
    out = HALF.build_request(request, MODEL)
    assert ("POST", "/v1/models/meta/llama-2-70b-chat/predictions", ()) == (
        out.method,
        out.path,
        out.notes,
    )
    assert ("Bearer r8_k", "application/json") == (
        out.headers["authorization"],
        out.headers["accept"],
    )
    inputs = {
        "prompt": "hi",
        "system_prompt": "Be brief.",
        "max_tokens": 9,
        "temperature": 0,
        "top_p": 0.5,
        "stop_sequences": "a,b",
        "seed": 7,
    }
    assert {"input": inputs, "stream": True} == json.loads(out.body)


def test_a_version_has_a_path_of_its_own() -> None:
    """By the option, behind the model's name, or as the model itself."""
    for target in (
        named(version="abc"),
        TargetConfig("up", "abc"),
        TargetConfig("up", "owner/name:abc"),
        TargetConfig("up", "owner/name:old", None, {"version": "abc"}),
    ):
        out = HALF.build_request(asked("hi", vendor={"version": "mine", "stream": False}), target)
        body = json.loads(out.body)
        assert ("/v1/predictions", "abc", True) == (out.path, body["version"], body["stream"])


@pytest.mark.parametrize("model", ["a/b/c", "../a", "a/..", "a/b?c=d", "/b", "a/", "/"])
def test_a_model_that_could_lead_elsewhere_is_refused(model: str) -> None:
    """With the field named."""
    with pytest.raises(Refused, match=r"^model ") as refused:
        HALF.build_request(asked("hi"), TargetConfig("up", model))
    assert "model" == refused.value.failure.param


def test_a_models_own_words() -> None:
    """Options rename inputs, say that there are none, and add some; the client's own go over
    those."""
    options = {
        "version": "v",
        "input": {"system": None, "max_tokens": "max_new_tokens", "seed": None},
        "extra": {"top_k": 5, "debug": False},
    }
    request = asked(
        "hi",
        system="Be brief.",
        max_tokens=9,
        seed=7,
        vendor={"input": {"top_k": 6}, "webhook": "w"},
    )
    out, body = built(HALF, request, **options)
    inputs = {"prompt": "Be brief.\n\nhi", "max_new_tokens": 9, "top_k": 6, "debug": False}
    assert {"input": inputs, "version": "v", "webhook": "w", "stream": True} == body
    assert {"system", "seed"} == params(out.notes)


def test_what_has_no_word_is_noted() -> None:
    """There are one prompt, no images and no tools; a stop sequence cannot hold a comma."""
    out, body = built(HALF, talk(TALK, **EVERYTHING), version="v")
    said = {"system", "max_tokens", "temperature", "top_p", "stop", "seed"}
    assert set(EVERYTHING) - said | {
        "messages",
        "messages.reasoning",
        "messages.tool_call",
        "tool_result.is_error",
    } == params(out.notes)
    assert (
        "User: Rome?\n\nAssistant: Let me see.\n\nUser: sunny\nnoon\nAnd?"
        == body["input"]["prompt"]
    )
    assert {"messages.image_url"} == params(built(HALF, talk(PICTURE), version="v")[0].notes)
    out, body = built(HALF, asked("hi", stop=[",", "b"]), version="v")
    assert ({"stop"}, "b") == (params(out.notes), body["input"]["stop_sequences"])


@pytest.mark.parametrize(
    "options",
    [{"inputs": {}}, {"input": {"prompt": None}}, {"input": {"top_k": "k"}}, {"stream_hosts": "a"}],
)
def test_wrong_options_are_the_operators_fault(options: dict[str, Any]) -> None:
    """Each is named."""
    with pytest.raises(Refused, match="The options of upstream up are wrong") as refused:
        built(HALF, asked("hi"), **options)
    assert "internal" == refused.value.failure.kind


def test_where_the_stream_is() -> None:
    """A GET with the key; nothing where the prediction does not say."""
    url = "https://stream.replicate.com/v1/files/abc"
    out = HALF.follow(
        MODEL,
        json.dumps({"id": "p", "status": "starting", "urls": {"get": "x", "stream": url}}).encode(),
    )
    assert out is not None
    assert ("GET", url, b"") == (out.method, out.path, out.body)
    assert {
        "accept": "text/event-stream",
        "cache-control": "no-store",
        "authorization": "Bearer r8_k",
    } == dict(out.headers)
    for body in (
        b"",
        b"{}",
        b'{"urls":null}',
        b'{"urls":{"get":"x"}}',
        b'{"urls":{"stream":null}}',
        b'{"urls":{"stream":7}}',
        b"[" * 5000,
    ):
        assert HALF.follow(MODEL, body) is None
