"""What a client does not take: a connection on which nothing written has been taken for some time
is dropped, whatever was written: a stream, a document, a refusal, a page, the metrics.

Taken is what the client's kernel has acknowledged. Where the system does not tell (see
`proxy/net/keepalive.py`) it is what has left the transport's buffer, and what the system holds goes
unseen.
"""

import asyncio
import contextlib
import fcntl
import socket
import struct
import sys
import termios
from array import array
from typing import cast

from proxy.net.keepalive import all_acknowledged, heard
from proxy.server.rounds import Rounds

# Python names it on some systems only; the number is that of include/uapi/linux/tcp.h.
_NOTSENT_LOWAT: int | None = getattr(
    socket, "TCP_NOTSENT_LOWAT", 25 if sys.platform == "linux" else None
)
# In the time after which nothing taken is too little. The system takes a last part when the client
# has already stopped, which a single look at the end would mistake for the client's.
_LOOKS = 8
_NOTHING = -1  # in place of looks: there was nothing to take
_AT_ONCE = struct.pack("ii", 1, 0)  # l_onoff, l_linger: a close resets (socket(7))


class Unsent:
    """One connection's bytes that its client has not taken. It is looked at now and then, from the
    first `watch` to the end of the connection. `most_s` is how long a client may take nothing.
    """

    __slots__ = (
        "_least",
        "_looking",
        "_moved",
        "_rounds",
        "_still",
        "_taken",
        "_transport",
        "most_s",
    )

    def __init__(self, rounds: Rounds, most_s: float) -> None:
        self._rounds = rounds
        self.most_s = most_s
        self._looking = False  # a look is to come
        self._transport: asyncio.WriteTransport | None = None
        self._taken = 0
        self._least = 0  # bytes in the transport's buffer since something was taken
        self._still = _NOTHING  # looks in a row at which nothing more was taken
        self._moved = False

    def watch(self, transport: asyncio.WriteTransport | None) -> None:
        """Something is written that may not be taken. It may be called at any time."""
        if not self._looking and transport is not None:
            self._transport = transport
            self._moved, owed = False, self._seen(transport)[1]
            self._still = 0 if owed else _NOTHING
            self._look_later()

    def moved(self) -> None:
        """The client has taken much of it."""
        self._moved = True

    def stop(self) -> None:
        """The connection has ended."""
        self._transport = None

    def _look_later(self) -> None:
        self._looking = True
        self._rounds.later(self.most_s / _LOOKS, self._look)

    def _look(self) -> None:
        self._looking = False
        transport = self._transport
        if transport is None:
            return
        if transport.get_write_buffer_size() == 0 and all_acknowledged(transport):
            # nearly every time: what is done below then, without all that the system knows
            self._still, self._least, self._moved = _NOTHING, 0, False
            self._look_later()
            return
        moved, owed = self._seen(transport)
        if not owed:
            self._still = _NOTHING
        elif moved or self._still == _NOTHING:
            self._still = 0
        else:
            self._still += 1
        if self._still < _LOOKS:
            self._look_later()
        else:
            self._transport = None
            drop(transport)

    def _seen(self, transport: asyncio.WriteTransport) -> tuple[bool, bool]:
        """Whether anything was taken since the last time, and whether anything is still to be."""
        left, known = transport.get_write_buffer_size(), heard(transport)
        if known is None:
            moved, owed = self._moved or left < self._least, left > 0
        else:
            moved, owed = known.acknowledged > self._taken, known.owes or left > 0
            self._taken = known.acknowledged
        if moved or self._still == _NOTHING:
            self._least, self._moved = left, False
        return moved, owed


def drop(transport: asyncio.BaseTransport) -> None:
    """End the connection and forget what is not sent. A plain close would leave it to the kernel,
    which goes on offering it to a client that takes nothing.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):  # it has closed already, or is no TCP
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    # uvloop's transports are of no class of asyncio's
    cast("asyncio.WriteTransport", transport).abort()


def unread(transport: asyncio.BaseTransport) -> bool:
    """Whether the system has bytes of its client that nobody has read yet (FIONREAD)."""
    waiting = array("i", [0])
    with contextlib.suppress(OSError, ValueError):  # it has closed already
        fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.FIONREAD, waiting)
    return waiting[0] > 0


def hold_little(transport: asyncio.BaseTransport, most: int) -> None:
    """Have the kernel take no more than this beyond what is on its way. By itself it takes
    megabytes for a client that reads slowly, so that back-pressure would come late, and what the
    client does take would be seen late (TCP_NOTSENT_LOWAT in Linux's tcp(7)).
    """
    sock = transport.get_extra_info("socket")
    if sock is not None and _NOTSENT_LOWAT is not None:
        with contextlib.suppress(OSError):  # it has closed already, or is no TCP
            sock.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, most)
