"""Where a process listens: the address as a URL has it, and one sentence for a port that cannot be
had.
"""

import errno
import os
import socket

_REMEDIES = {
    errno.EADDRINUSE: "stop what uses the port, or choose another",
    errno.EACCES: "a port below 1024 takes privileges: choose another",
    errno.EADDRNOTAVAIL: "this machine has no such address: choose another host",
}


class ListenError(Exception):
    """A port that cannot be had, as one sentence. `where` says what sets host and port, for example
    "server.host, server.port".
    """

    def __init__(self, host: str, port: int, error: OSError, where: str) -> None:
        named = isinstance(error, socket.gaierror) or not error.errno
        why = (error.strerror or str(error)) if named else os.strerror(error.errno or 0)
        remedy = _REMEDIES.get(error.errno or 0, "choose another host or port")
        super().__init__(f"Cannot listen on {_bracketed(host)}:{port} ({where}): {why}; {remedy}.")


def authority(host: str) -> str:
    """The host as a URL has it; for a listener on every address, one that can be called from
    here.
    """
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  said, not bound
        return "127.0.0.1"
    return _bracketed(host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
