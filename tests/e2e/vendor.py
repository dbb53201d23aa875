"""A vendor that is somebody's enemy: openai_chat over plain HTTP, with what its answer holds chosen by
the model's name."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

SCRIPTS = """\
<script>window.ran = 1</script><img src=x onerror="window.ran = 2">

# <svg onload="window.ran = 3"></svg>

[a link](javascript:window.ran=4) ![a picture](https://evil.example/seen.png "x")
<a href="javascript:window.ran=5">b</a> <iframe srcdoc="<script>parent.ran = 6</script>"></iframe>
[data](data:text/html,<script>opener.ran=7</script>) <style>body { display: none }</style>
"""
CONTROLS = "begin \x00\x07\x1b[31mred\x1b[0m \u202egnp.exe\u202c \u2066x\u2069 \x85 end"
EVENTS = 100_000
LARGE = 1 << 20


def _delta(**delta: Any) -> bytes:
    return b"data: %b\n\n" % json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode()


def _scripts() -> Iterator[bytes]:
    yield _delta(content=SCRIPTS)
    call = {"index": 0, "id": SCRIPTS, "function": {"name": SCRIPTS, "arguments": SCRIPTS}}
    yield _delta(reasoning_content=SCRIPTS)
    yield _delta(tool_calls=[call])
    yield b"data: %b\n\n" % json.dumps({"choices": [], "x": SCRIPTS}).encode()


def _controls() -> Iterator[bytes]:
    yield _delta(content=CONTROLS)
    yield _delta(reasoning_content=CONTROLS)


def _large() -> Iterator[bytes]:
    yield _delta(content="x" * (LARGE - 1000))


def _words() -> Iterator[bytes]:
    yield _delta(content="word *and* `code` " * (LARGE // 19))


def _slow() -> Iterator[bytes]:
    """What takes readers of Markdown long."""
    yield _delta(content="[" * 7000 + "*a **a " * 1200)


def _many() -> Iterator[bytes]:
    one = _delta(content="a piece, ")
    for _ in range(EVENTS // 100):
        yield one * 100


ANSWERS: dict[str, Callable[[], Iterator[bytes]]] = {
    "scripts": _scripts,
    "controls": _controls,
    "large": _large,
    "words": _words,
    "slow": _slow,
    "many": _many,
}
_STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


class _Vendor(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for piece in ANSWERS[json.loads(body)["model"]]():
            self.wfile.write(piece)
        self.wfile.write(_STOP)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def hostile_vendor() -> Iterator[str]:
    """Its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Vendor)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
