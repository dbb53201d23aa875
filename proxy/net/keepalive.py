"""Peers that vanish: a machine without power, a cable pulled, a phone in a tunnel, a NAT that
forgot. Neither FIN nor RST ever comes.

What is written to one stays in the kernel, which takes it off our hands: a transport's own buffer
is empty, and all looks well, while the kernel sends the same bytes again and again, for 13 to 30
minutes (tcp_retries2 in Linux's tcp(7)). Two things tell of it sooner.

TCP_USER_TIMEOUT (RFC 5482; tcp(7)) ends the connection with ETIMEDOUT when bytes stay
unacknowledged for so long, or cannot be sent as the peer's window stays shut. It is for upstreams.
A client that reads slowly it may cut off: Linux forgets the time since when a window is shut only
when all of its next segment, of up to 64 KB, fits in, and so cuts one that takes less at a time,
however steadily. For clients `heard` says what the peer's kernel has acknowledged so far, and
whoever looks at it now and then knows who takes nothing.

Where there is nothing to write, keep-alive probes (RFC 9293, 3.8.4) find out. They also keep alive
what NATs and firewalls on the way remember of a connection on which a model thinks for minutes.
"""

import asyncio
import fcntl
import math
import socket
import struct
import sys
import termios
from typing import NamedTuple

_MOST_S = 32_767  # of Linux's TCP_KEEPIDLE and TCP_KEEPINTVL
_PROBES = 4  # unanswered, after half of the time
_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None)
# Of struct tcp_info in Linux's include/uapi/linux/tcp.h: tcpi_unacked, tcpi_bytes_acked and
# tcpi_notsent_bytes, which is the last of these.
_INFO = struct.Struct("24xI92xQ16xI")
# SIOCOUTQ in Linux's tcp(7), of the same number: the bytes that are not acknowledged.
_NOT_ACKNOWLEDGED: int | None = termios.TIOCOUTQ if sys.platform == "linux" else None
_COUNT = bytearray(4)  # an int, written in place: what is no such array Python copies, after errors
_NO_BYTES = bytes(4)


class Heard(NamedTuple):
    """What a peer's kernel has acknowledged so far, in bytes, and whether there is more for it."""

    acknowledged: int
    owes: bool


def heard(transport: asyncio.BaseTransport) -> Heard | None:
    """None where the system does not say, and for what is no TCP."""
    sock = transport.get_extra_info("socket")
    if sock is None or _TCP_INFO is None:
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _INFO.size)
    except (OSError, ValueError):  # it is closed; ValueError is uvloop's
        return None
    if len(info) < _INFO.size:  # another system's, or an old one's
        return None
    unacknowledged, acknowledged, unsent = _INFO.unpack(info)
    return Heard(acknowledged, bool(unacknowledged or unsent))


def all_acknowledged(transport: asyncio.WriteTransport) -> bool:
    """Whether the peer's kernel has acknowledged all that the system was given. It takes a third of
    the time of `heard`. False where the system does not say, and of a connection that is being
    closed.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or _NOT_ACKNOWLEDGED is None or transport.is_closing():
        return False
    try:
        fcntl.ioctl(sock.fileno(), _NOT_ACKNOWLEDGED, _COUNT)
    except (OSError, ValueError):  # it is closed
        return False
    return _COUNT == _NO_BYTES


def probe(transport: asyncio.BaseTransport | None, lost_s: float) -> None:
    """Have the kernel ask a peer that is silent, while there is nothing to write to it, and end the
    connection when it has given no sign for `lost_s` seconds.

    Only Linux has all of the options; elsewhere the system's own patience holds. A connection that
    has ended already stays so.
    """
    _set(transport, lost_s, ("TCP_KEEPCNT", _PROBES))


def watch(transport: asyncio.BaseTransport | None, lost_s: float) -> None:
    """The same, and while there is something to write too."""
    _set(transport, lost_s, ("TCP_USER_TIMEOUT", _whole(lost_s) * 1000))


def _set(transport: asyncio.BaseTransport | None, lost_s: float, last: tuple[str, int]) -> None:
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None or not hasattr(socket, "TCP_USER_TIMEOUT"):
        return
    name, value = last
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _whole(lost_s / 2))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _whole(lost_s / 8))
        sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    except OSError:
        return


def _whole(seconds: float) -> int:
    return min(_MOST_S, max(1, math.ceil(seconds)))
