"""Certificate authorities are loaded only where they are looked at.

aiohttp makes two TLS contexts when it is imported, one that verifies and one that does not, and has
OpenSSL read all authorities of the system into each: a tenth of a start, for each.
"""

import contextlib
import ssl
import threading
from collections.abc import Iterator
from typing import Any

_load = ssl.SSLContext.set_default_verify_paths
_loading = threading.Lock()
_waiting: list["_Late"] = []


class _Late(ssl.SSLContext):
    """A context that has no authorities yet. It loads them before the first connection that it
    stands for, so that nobody is refused for want of them.
    """

    def load(self) -> None:
        """Load them, once. Whoever comes meanwhile, in another thread, waits."""
        with _loading:
            if type(self) is _Late:
                _load(self)
                self.__class__ = ssl.SSLContext  # type: ignore[assignment]

    def wrap_bio(self, *args: Any, **more: Any) -> ssl.SSLObject:
        self.load()
        return ssl.SSLContext.wrap_bio(self, *args, **more)

    def wrap_socket(self, *args: Any, **more: Any) -> ssl.SSLSocket:
        self.load()
        return ssl.SSLContext.wrap_socket(self, *args, **more)


@contextlib.contextmanager
def only_where_verified() -> Iterator[None]:
    """A context that verifies nobody gets no authorities in this block, in which modules are
    imported; one that verifies gets them by `load_waiting`, or else when it first connects.
    """

    def loads(context: ssl.SSLContext) -> None:
        if context.verify_mode is not ssl.CERT_NONE:
            context.__class__ = _Late
            _waiting.append(context)  # type: ignore[arg-type]  # it is one now

    ssl.SSLContext.set_default_verify_paths = loads  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        ssl.SSLContext.set_default_verify_paths = _load  # type: ignore[method-assign]


def load_waiting() -> None:
    """Load the authorities that the block put off. May be called in a thread: while OpenSSL reads
    them, the event loop runs.
    """
    while _waiting:
        _waiting.pop().load()
