"""The other origin: a static server for the test's pages, on a port of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.needs import NPM_PACKAGES

PAGES = Path(__file__).parent / "pages"
_LIBRARY = NPM_PACKAGES / "@microsoft" / "fetch-event-source" / "lib" / "esm"


class _Handler(SimpleHTTPRequestHandler):
    """`/<page>` from the pages, `/fetch-event-source/<file>` from the installed package (whose
    imports leave out the `.js`)."""

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
