"""What a client does not take: a connection on which nothing written has been taken for some time
is dropped, whatever was written: a document, a refusal, a page, the metrics.

A stream's reader sees to itself meanwhile (`proxy/relay/delivery.py`), as its client's absence also
ends what runs for it.
"""

import asyncio
import contextlib
import socket
import struct
import sys
from typing import cast

# Python names it on some systems only; the number is that of include/uapi/linux/tcp.h.
_NOTSENT_LOWAT: int | None = getattr(
    socket, "TCP_NOTSENT_LOWAT", 25 if sys.platform == "linux" else None
)
# In the time after which nothing taken is too little. The system takes a last part when the client
# has already stopped, which a single look at the end would mistake for the client's.
_LOOKS = 8
_AT_ONCE = struct.pack("ii", 1, 0)  # l_onoff, l_linger: a close resets (socket(7))


class Unsent:
    """One connection's bytes that its client has not taken. At most one timer, and none while
    everything is taken.
    """

    __slots__ = ("_least", "_loop", "_most_s", "_moved", "_still", "_timer", "_transport")

    def __init__(self, loop: asyncio.AbstractEventLoop, most_s: float) -> None:
        self._loop = loop
        self._most_s = most_s
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._least = 0
        self._still = 0  # looks in a row at which nothing more was taken
        self._moved = False

    def watch(self, transport: asyncio.WriteTransport | None) -> None:
        """Something was written that may not be taken. It may be called at any time."""
        if self._timer is None and transport is not None and transport.get_write_buffer_size():
            self._transport = transport
            self._least, self._still, self._moved = transport.get_write_buffer_size(), 0, False
            self._look_later()

    def moved(self) -> None:
        """The client has taken much of it."""
        self._moved = True

    def stop(self) -> None:
        """The connection has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._transport = None

    def _look_later(self) -> None:
        self._timer = self._loop.call_later(self._most_s / _LOOKS, self._look)

    def _look(self) -> None:
        self._timer = None
        transport = self._transport
        assert transport is not None
        left = transport.get_write_buffer_size()
        if self._moved or left < self._least:
            self._least, self._still, self._moved = left, 0, False
        else:
            self._still += 1
        if left == 0:
            self._transport = None
        elif self._still < _LOOKS:
            self._look_later()
        else:
            self._transport = None
            drop(transport)


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


def hold_little(transport: asyncio.BaseTransport, most: int) -> None:
    """Have the kernel take no more than this beyond what is on its way. By itself it takes
    megabytes for a client that reads slowly, so that back-pressure would come late, and what the
    client does take would be seen late (TCP_NOTSENT_LOWAT in Linux's tcp(7)).
    """
    sock = transport.get_extra_info("socket")
    if sock is not None and _NOTSENT_LOWAT is not None:
        with contextlib.suppress(OSError):  # it has closed already, or is no TCP
            sock.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, most)
