"""Listening, with TLS or without."""

import asyncio
import socket
import ssl
from typing import Any

from aiohttp import web

from proxy.net.ports import ListenError, authority
from proxy.server.listener import Listener
from proxy.settings.model import Settings
from proxy.settings.sections import Tls

_BACKLOG = 1024


class _Site(web.BaseSite):
    """Where a runner listens: at a `host` and `port`, or on a socket that listens already (`sock`).
    A TLS handshake may take `handshake_s`.
    """

    def __init__(
        self, runner: web.AppRunner, tls: ssl.SSLContext | None, handshake_s: float, **place: Any
    ) -> None:
        super().__init__(runner, ssl_context=tls, backlog=_BACKLOG)
        handshake = {} if tls is None else {"ssl_handshake_timeout": handshake_s}
        self._options: dict[str, Any] = {**place, **handshake, "ssl": tls, "backlog": _BACKLOG}

    @property
    def name(self) -> str:
        return "Mainstem"

    async def start(self) -> None:
        await super().start()
        door: Any = self._runner.server
        self._server = await asyncio.get_running_loop().create_server(door, **self._options)


def tls_context(tls: Tls) -> ssl.SSLContext:
    """What a server needs to speak TLS. Raises OSError for files that do not hold it."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # from 1.2, with OpenSSL's choice of ciphers
    made.set_alpn_protocols(["http/1.1"])
    renew(made, tls)
    return made


def renew(context: ssl.SSLContext, tls: Tls) -> None:
    """Have new connections get what the files hold now. Raises OSError, and then nothing has
    changed.
    """
    # a key that does not fit would leave half of them in place
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.cert_file, tls.key_file)
    context.load_cert_chain(tls.cert_file, tls.key_file)


async def prepared(app: web.Application, settings: Settings) -> Listener:
    """What serves the application, once `listen` has given it a port. `cleanup` must follow."""
    runner = Listener(app, settings.server, settings.limits, settings.streams)
    await runner.setup()
    return runner


async def listen(
    runner: web.AppRunner,
    host: str,
    port: int,
    section: str,
    *,
    taken: socket.socket | None = None,
    tls: ssl.SSLContext | None = None,
    handshake_s: float = 10,
) -> str:
    """Listen where `section` of the settings says, or on the socket that listens there already;
    answers the URL. Raises ListenError.
    """
    place = {"host": host, "port": port} if taken is None else {"sock": taken}
    try:
        await _Site(runner, tls, handshake_s, **place).start()
    except OSError as error:
        raise ListenError(host, port, error, f"{section}.host, {section}.port") from error
    bound: int = runner.addresses[0][1]
    return f"{'http' if tls is None else 'https'}://{authority(host)}:{bound}"
