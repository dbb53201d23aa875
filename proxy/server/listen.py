"""Listening."""

import socket

from aiohttp import web

from proxy.net.ports import ListenError, authority
from proxy.server.listener import Listener
from proxy.settings.model import Settings

_BACKLOG = 1024


async def prepared(app: web.Application, settings: Settings) -> Listener:
    """What serves the application, once `listen` has given it a port. `cleanup` must follow."""
    runner = Listener(app, settings.server, settings.limits, settings.streams)
    await runner.setup()
    return runner


async def listen(
    runner: web.AppRunner, host: str, port: int, section: str, taken: socket.socket | None = None
) -> str:
    """Listen where `section` of the settings says, or on the socket that listens there already;
    answers the URL. Raises ListenError.
    """
    try:
        if taken is not None:
            await web.SockSite(runner, taken, backlog=_BACKLOG).start()
        else:
            await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
    except OSError as error:
        raise ListenError(host, port, error, f"{section}.host, {section}.port") from error
    bound: int = runner.addresses[0][1]
    return f"http://{authority(host)}:{bound}"
