"""Scripts written by hand: what each form means, and what is said about each mistake."""

from pathlib import Path

import pytest

from proxy.mock.load import is_path, load
from proxy.mock.script import CLOSE, CUT, END, STALL, Manner, MockError, Pause, Send, Status, Step

MANNER = Manner("plain", "text/event-stream; charset=utf-8")
HEAD = Status(200, {"content-type": "text/event-stream; charset=utf-8"})


def script(tmp_path: Path, text: str) -> list[Step]:
    path = tmp_path / "script.yaml"
    path.write_text(text, "utf-8")
    return load(path, MANNER)


def test_every_form(tmp_path: Path):
    """Pauses, statuses, the four forms of bytes, and a last step."""
    steps = script(
        tmp_path,
        r"""
        - pause: 0.5
        - status: {code: 429, headers: {Retry-After: 7}}
        - send: "data: 你\n\n"
        - send: {text: plain}
        - send: {base64: "gICA"}
        - send: {json: {a: [1, null, "é"]}}
        - send: {sse: {n: 1}, event: tick}
        - send: {sse: "two\nlines"}
        - cut
        """,
    )
    assert [
        Pause(0.5),
        Status(429, {**HEAD.headers, "retry-after": "7"}),
        Send("data: 你\n\n".encode()),
        Send(b"plain"),
        Send(b"\x80\x80\x80"),
        Send('{"a":[1,null,"é"]}'.encode()),
        Send(b'event: tick\ndata: {"n":1}\n\n'),
        Send(b"data: two\ndata: lines\n\n"),
        CUT,
    ] == steps


@pytest.mark.parametrize(
    ("word", "step"), [("close", CLOSE), ("stall", STALL), ("end", END), ("cut:", CUT)]
)
def test_last_steps(tmp_path: Path, word: str, step: Step):
    """A bare word, or a key without a value."""
    assert [HEAD, step] == script(tmp_path, f"- {word}")


def test_what_is_left_out(tmp_path: Path):
    """Without a status: 200 in the dialect's content type. Without a last step: end."""
    assert [HEAD, Send(b"x"), END] == script(tmp_path, "- send: x")
    assert [HEAD, END] == script(tmp_path, "[]")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- send: [", "is not YAML: while parsing"),
        ("send: x", "a script is a list of steps such as `- send: hello`, not a map"),
        ("", "a script is a list of steps such as `- send: hello`, not nothing"),
        (
            "- send: x\n- sned: y",
            "step 2: there is no step 'sned' (did you mean \"send\"?); the steps are status, send, pause, cut,",
        ),
        ("- stal", "step 1: there is no step 'stal' (did you mean \"stall\"?)"),
        (
            "- {send: x, pause: 1}",
            "step 1: a step is a map of one key such as `send: hello`, not a map of 2 keys",
        ),
        ("- 7", "step 1: a step is a map of one key such as `send: hello`, not the number 7"),
        ("- cut: 3", "step 1: cut takes no argument; write `- cut`"),
        ("- pause: soon", "step 1: pause takes seconds from 0 to 3600, not 'soon'"),
        ("- pause: -1", "pause takes seconds from 0 to 3600, not -1"),
        ("- pause: .nan", "pause takes seconds"),
        ("- status: 99", "status must be a number from 200 to 599, not 99"),
        ("- status: true", "status must be a number from 200 to 599, not True"),
        (
            "- status: {cod: 200}",
            "status has no key 'cod' (did you mean \"code\"?); its keys are code, headers",
        ),
        ("- status: {headers: []}", "status.headers must be a map of names and values, not a list"),
        ('- status: {headers: {a: "b\\r\\nc: d"}}', "status.headers.a: a header holds no line end"),
        (
            "- send: {txt: a}",
            "send has no key 'txt' (did you mean \"text\"?); its keys are text, base64, json, sse, event",
        ),
        ("- send: {text: a, json: b}", "send takes exactly one of text, base64, json, sse"),
        ("- send: {text: a, event: b}", "`event` goes with sse alone"),
        ("- send: {text: 7}", "send.text must be text, not the number 7; put it in quotes"),
        ("- send: {base64: '*'}", "send.base64 is not base64"),
        (
            "- send: 7",
            "send takes text or a map of one form (text, base64, json, sse), not the number 7",
        ),
        ("- send: {sse: a, event: 7}", "send.event must be text, not the number 7"),
        ("- send: x\n- status: 200", "step 2: status must come once, before the first send"),
        (
            "- cut\n- send: x",
            "step 1: nothing can follow cut; move it to the end or take out what follows",
        ),
        ("- cut\n- cut", "step 1: nothing can follow cut"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, says: str):
    """One sentence with the file, the step and the fix."""
    with pytest.raises(MockError) as caught:
        script(tmp_path, text)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/script.yaml: ")


def test_a_file_that_is_not_there(tmp_path: Path):
    """The path and the reason are said; a name that says no kind, too."""
    with pytest.raises(
        MockError, match=r"gone\.yaml: cannot be read \(No such file or directory\)"
    ):
        load(tmp_path / "gone.yaml", MANNER)
    with pytest.raises(MockError, match=r"notes\.txt: its name must end in one of \.yaml, "):
        load(tmp_path / "notes.txt", MANNER)


def test_names_of_files():
    """A slash or a known ending makes a scenario the name of a file."""
    assert [True, True, True, False] == [
        is_path(name) for name in ("a.yaml", "folder/a", "x.chunks.jsonl", "hello")
    ]
