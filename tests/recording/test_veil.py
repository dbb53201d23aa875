"""Values of chosen fields are hidden; nothing else changes, and no length."""

import json

import pytest

from proxy.recording.veil import MASK, masked, veiled


@pytest.mark.parametrize(
    ("data", "hidden"),
    [
        (b'{"user":"ann","n":1}', b'{"user":"***","n":1}'),
        (b'{"user" : "a\\"b","n":1}', b'{"user" : "****","n":1}'),
        (b'{"user":-12.5e3}', b'{"user":-11.1e1}'),
        (b'{"user":null,"n":2}', b'{"user":null,"n":2}'),
        (b'{"user":{"a":["x",2]},"n":2}', b'{"user":{"*":["*",1]},"n":2}'),
        (
            b'data: {"user":"ann"}\n\ndata: {"user":"bo"}\n\n',
            b'data: {"user":"***"}\n\ndata: {"user":"**"}\n\n',
        ),
        (b'{"user":"cut off', b'{"user":"*******'),
        (b'{"user":"open\ndata: next', b'{"user":"****\ndata: next'),
        ('{"user":"你"}'.encode(), b'{"user":"***"}'),
        (b'{"users":"ann"}', b'{"users":"ann"}'),
        (b'{"user":', b'{"user":'),
        (b'{"user":,"n":2}', b'{"user":,"n":2}'),
        (b'{"user":{"a":1', b'{"user":{"*":1'),
    ],
)
def test_a_value_keeps_its_size_and_kind(data: bytes, hidden: bytes):
    assert hidden == veiled(data, ["user"])
    assert len(hidden) == len(data)


def test_without_names_nothing_changes():
    assert b'{"user":"ann"}' == veiled(b'{"user":"ann"}', [])


def test_a_name_is_taken_as_it_stands():
    """It is no pattern."""
    assert b'{"axb":"1","a.b":"*"}' == veiled(b'{"axb":"1","a.b":"2"}', ["a.b"])


def test_a_request_has_masks_at_any_depth():
    body = json.loads('{"a":[{"user":"ann","b":1}],"user":{"id":2}}')
    assert {"a": [{"user": MASK, "b": 1}], "user": MASK} == masked(body, "user".__eq__)


def test_the_work_is_linear():
    data = b'{"user":"' * 100_000
    assert len(data) == len(veiled(data, ["user"]))
