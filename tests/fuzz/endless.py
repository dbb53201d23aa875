"""Answers that never end, for any decoder; each dialect has more of its own in its sample.py."""

from tests.dialects.sample import PAD, Endless, data, once

COMMON: dict[str, Endless] = {
    "a line": lambda n: b"x" * 100,
    "a data line": once(b"data: ", lambda n: b"x" * 100),
    "data lines": lambda n: b"data: " + b"x" * 90 + b"\n",
    "a JSON text": once(b'data: {"a":"', lambda n: b"x" * 100),
    "a bare JSON text": once(b'{"a":"', lambda n: b"x" * 100),
    "braces": lambda n: b'{"a":' * 20,
    "comments": lambda n: b": " + b"c" * 97 + b"\n",
    "a comment": lambda n: b": " + b"c" * 98,
    "blank lines": lambda n: b"\n" * 100,
    "events without data": lambda n: b"event: message\n\n" * 6,
    "ids": lambda n: b"id: %d%b\n\n" % (n, PAD.encode()),
    "an id": once(b"id: ", lambda n: b"7" * 100),
    "retries": lambda n: b"retry: %d\n" % n,
    "lines that are no fields": lambda n: b"hello %d, said the line\n\n" % n,
    "empty objects": lambda n: data({}),
    "arrays": lambda n: data([]),
    "unknown types": lambda n: data({"type": f"new{n}"}),
    "carriage returns": lambda n: b"data: 1\r",
    "noughts": lambda n: b"\0" * 100,
    "open lists": lambda n: b"[" * 100,
}
