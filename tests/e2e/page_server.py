"""The other origin: a static server for the test's pages, on a port of its own."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.needs import NPM_PACKAGES

PAGES = Path(__file__).parent / "pages"
_ESBUILD = NPM_PACKAGES / "esbuild" / "bin" / "esbuild"
_LIBRARY = NPM_PACKAGES / "@microsoft" / "fetch-event-source" / "lib" / "esm"


@cache
def _built(name: str) -> bytes:
    """`pages/<name>.jsx` and all that it imports, as one module."""
    options = ("--bundle", "--format=esm", '--define:process.env.NODE_ENV="production"')
    page = str(PAGES / f"{name}.jsx")
    return subprocess.run(
        [_ESBUILD, page, *options, "--jsx=automatic"], capture_output=True, check=True
    ).stdout


class _Handler(SimpleHTTPRequestHandler):
    """`/<page>` from the pages, `/fetch-event-source/<file>` from the installed package (whose
    imports leave out the `.js`), `/built/<name>.js` from what is made of a page in JSX."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if not path.startswith("/built/"):
            super().do_GET()
            return
        module = _built(path.removeprefix("/built/").removesuffix(".js"))
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript")
        self.send_header("Content-Length", str(len(module)))
        self.end_headers()
        self.wfile.write(module)

    def translate_path(self, path: str) -> str:
        folder, _, name = urlsplit(path).path.lstrip("/").rpartition("/")
        if folder == "fetch-event-source":
            return str(_LIBRARY / (name if name.endswith(".js") else f"{name}.js"))
        return str(PAGES / name)

    def log_message(self, *_: object) -> None:
        """Silent: what a test needs to know it asks the page."""


@contextmanager
def serving_pages() -> Iterator[str]:
    """The base URL of the pages."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
