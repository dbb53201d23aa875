"""TGI's own endpoint. The cases are of the documented shape; the recording is read in
tests/dialects/test_upstream_only.py."""

from typing import Any

import pytest

from proxy.dialects.tgi import DIALECT
from proxy.events import Usage
from tests.dialects.answers import asked, every_cut_is_an_error, folded, params, told
from tests.dialects.upstream_only import EVERYTHING, LIMIT, built, data, events_of, failed, summed

HALF = DIALECT.upstream
assert HALF is not None


def token(
    text: str, *, special: bool = False, whole: str | None = None, **more: Any
) -> dict[str, Any]:
    said = {"id": 1, "text": text, "logprob": -0.1, "special": special}
    return {"index": 1, "token": said, "generated_text": whole, "details": None, **more}


def last(finish: str = "eos_token", **more: Any) -> dict[str, Any]:
    details = {"finish_reason": finish, "generated_tokens": 2, "input_length": 3, "seed": None}
    return token("</s>", special=True, whole="Hi", details=details, **more)


@pytest.mark.parametrize(
    ("raw", "ours"),
    [("eos_token", "stop"), ("stop_sequence", "stop"), ("length", "length"), ("odd", "other")],
)
def test_tokens_and_details(raw: str, ours: str):
    """A special token is no text; the whole text at the end is not said again."""
    events = events_of(HALF, b":\n\n" + data(token("H"), token("i"), last(raw)))
    assert ("Hi", "", [], ours, raw) == summed(events)
    assert (Usage(3, 2), []) == (folded(events).usage, told(events))


def test_framing_of_the_first_servers():
    """No blank after the colon; a terminator that some clients expect is not needed and not
    missed."""
    body = data(token("H"), last()).replace(b"data: ", b"data:") + b"data:[DONE]\n\n"
    assert "H" == summed(events_of(HALF, body))[0]


def test_seed_and_alternatives_are_told():
    """The latter where the client asked for them."""
    details = {"finish_reason": "length", "generated_tokens": 1, "seed": 42}
    events = events_of(
        HALF,
        data(
            token("H", top_tokens=[{"id": 2, "text": "J"}]), token("", whole="H", details=details)
        ),
    )
    assert [{"top_tokens": [{"id": 2, "text": "J"}]}, {"seed": 42}] == told(events)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("validation", 422), ("generation", 424), ("overloaded", 429), ("incomplete_generation", 502)],
)
def test_errors(kind: str, status: int):
    """In the stream, and as JSON in place of it."""
    wrong = {"error": "No.", "error_type": kind}
    expected = ("upstream_error", status, kind, "No.")
    assert expected == failed(events_of(HALF, data(token("H"), wrong)))
    assert expected == failed(events_of(HALF, data(wrong).removeprefix(b"data: ").strip()))


def test_an_error_of_blanks_has_no_reason():
    """A failure says something, if only that nothing was said."""
    kind, _, _, message = failed(events_of(HALF, data({"error": " ", "error_type": "generation"})))
    assert ("upstream_error", "No reason was given.") == (kind, message)


def test_an_http_error():
    """With the server's own status."""
    why = HALF.parse_error(422, {}, b'{"error":"Input too long","error_type":"validation"}')
    assert why is not None
    assert ("bad_request", 422, "validation", "Input too long") == (
        why.kind,
        why.status,
        why.code,
        why.message,
    )


def test_every_cut_is_an_error():
    """Up to the brace that closes the last event."""
    every_cut_is_an_error(lambda: HALF.decoder(LIMIT, {}), data(token("Hé"), last()).rstrip())


def test_a_first_turn():
    """The prompt alone, and that its count is wanted."""
    out, body = built(HALF, asked("hi"), api_key="hf_1")
    assert ("/generate_stream", "Bearer hf_1") == (out.path, out.headers["authorization"])
    assert {"inputs": "hi", "parameters": {"details": True, "return_full_text": False}} == body


def test_a_talk_is_written_into_the_prompt():
    """With a note."""
    out, body = built(HALF, asked("a", "b", "c", system="S"))
    assert "S\n\nUser: a\n\nAssistant: b\n\nUser: c" == body["inputs"]
    assert {("changed", "messages"), ("changed", "system")} == {
        (note.note, note.param) for note in out.notes
    }


def test_every_setting():
    """The client's own parameters go over ours, one by one."""
    out, body = built(
        HALF, asked("hi", vendor={"parameters": {"top_k": 5, "seed": 8}}, **EVERYTHING)
    )
    assert {
        "details": True,
        "return_full_text": False,
        "max_new_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "do_sample": True,
        "stop": ["END"],
        "seed": 8,
        "top_k": 5,
        "grammar": {"type": "json", "value": {"type": "object"}},
    } == body["parameters"]
    assert {"system", "tools", "tool_choice", "user", "metadata", "n", "reasoning"} == params(
        out.notes
    )


@pytest.mark.parametrize(
    ("asking", "said", "lost"),
    [
        ({"temperature": 0.0, "top_p": 0.5}, {"do_sample": False}, {"top_p"}),
        ({"temperature": 0.0}, {"do_sample": False}, set()),
        ({"top_p": 1.0}, {}, set()),
        ({"top_p": 0.5}, {"top_p": 0.5, "do_sample": True}, set()),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": {"type": "array"}},
                }
            },
            {"grammar": {"type": "json", "value": {"type": "array"}}},
            {"response_format.name"},
        ),
        ({"response_format": {"type": "text"}}, {}, set()),
        ({"response_format": {"type": "odd"}}, {}, {"response_format"}),
    ],
)
def test_values_that_the_server_refuses(
    asking: dict[str, Any], said: dict[str, Any], lost: set[str]
):
    """What they mean is said in another way."""
    out, body = built(HALF, asked("hi", **asking))
    assert {"details": True, "return_full_text": False, **said} == body["parameters"]
    assert lost == params(out.notes)
