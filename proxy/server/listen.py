"""Listening, and one sentence for a port that cannot be had."""

import errno
import os
import socket

from aiohttp import web

from proxy.server.listener import Listener
from proxy.settings.model import Settings

_BACKLOG = 1024
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


async def prepared(app: web.Application, settings: Settings) -> Listener:
    """What serves the application, once `listen` has given it a port. `cleanup` must follow."""
    runner = Listener(app, settings.server, settings.limits, settings.streams)
    await runner.setup()
    return runner


async def listen(
    runner: web.AppRunner, host: str, port: int, section: str, *, reuse_port: bool
) -> str:
    """Listen where `section` of the settings says; answers the URL. Raises ListenError."""
    try:
        await web.TCPSite(
            runner, host, port, reuse_port=reuse_port or None, backlog=_BACKLOG
        ).start()
    except OSError as error:
        raise ListenError(host, port, error, f"{section}.host, {section}.port") from error
    bound: int = runner.addresses[0][1]
    return f"http://{authority(host)}:{bound}"


def authority(host: str) -> str:
    """The host as a URL has it; for a listener on every address, one that can be called from
    here.
    """
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  said, not bound
        return "127.0.0.1"
    return _bracketed(host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
