"""Certificate authorities are loaded only where they are looked at.

aiohttp makes two TLS contexts when it is imported, one that verifies and one that does not, and has
OpenSSL read all authorities of the system into each: a tenth of a start, for each.
"""

import contextlib
import ssl
from collections.abc import Iterator


@contextlib.contextmanager
def only_where_verified() -> Iterator[None]:
    """A context that verifies nobody gets no authorities in this block, in which modules are
    imported.
    """
    load = ssl.SSLContext.set_default_verify_paths

    def loads(context: ssl.SSLContext) -> None:
        if context.verify_mode is not ssl.CERT_NONE:
            load(context)

    ssl.SSLContext.set_default_verify_paths = loads  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        ssl.SSLContext.set_default_verify_paths = load  # type: ignore[method-assign]
