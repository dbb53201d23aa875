"""Peers that vanish: a machine without power, a cable pulled, a phone in a tunnel, a NAT that
forgot. Neither FIN nor RST ever comes.

What is written to one stays in the kernel, which takes it off our hands: a transport's own buffer
is empty, and all looks well, while the kernel sends the same bytes again and again, for 13 to 30
minutes (tcp_retries2 in Linux's tcp(7)). TCP_USER_TIMEOUT (RFC 5482; tcp(7)) bounds that: bytes
that stay unacknowledged for so long, or cannot be sent as the peer's window stays shut, end the
connection with ETIMEDOUT. Where there is nothing to write, keep-alive probes (RFC 9293, 3.8.4) find
out; with a user timeout set it decides for them too. They also keep alive what NATs and firewalls
on the way remember of a connection on which a model thinks for minutes.
"""

import asyncio
import math
import socket

_MOST_S = 32_767  # of Linux's TCP_KEEPIDLE and TCP_KEEPINTVL


def watch(transport: asyncio.BaseTransport | None, lost_s: float) -> None:
    """End this connection, as if reset, when its peer's kernel has given no sign for `lost_s`
    seconds, though it was asked for one.

    Only Linux has all of the options; elsewhere the system's own patience holds. A connection that
    has ended already stays so.
    """
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None or not hasattr(socket, "TCP_USER_TIMEOUT"):
        return
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _whole(lost_s / 2))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _whole(lost_s / 8))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _whole(lost_s) * 1000)
    except OSError:
        return


def _whole(seconds: float) -> int:
    return min(_MOST_S, max(1, math.ceil(seconds)))
