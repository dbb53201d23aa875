"""Standard error as a log: what cannot be written is dropped and counted. An answer neither fails
nor waits because a disk is full, or because whoever reads the log has stopped or left.
"""

import os
import socket
import stat
from typing import TextIO


class Outlet:
    """Writes whole lines, to a file, a terminal, a pipe or a socket. It never raises; at a pipe or
    a socket it never waits either.
    """

    def __init__(self, stream: TextIO) -> None:
        """`stream` has a file number; it is that file which is written to."""
        self._dropped = 0
        self._stream = stream
        self._file = stream.fileno()
        self._own: int | None = None
        self._socket: socket.socket | None = None
        self._broken = False  # the last line that was written is not whole
        kind = os.fstat(self._file).st_mode
        if stat.S_ISFIFO(kind):
            self._own = _unblocking(self._file)
        elif stat.S_ISSOCK(kind):
            self._socket = socket.socket(fileno=os.dup(self._file))

    def write(self, text: str) -> int:
        """One line or more, the ends included."""
        data = text.encode("utf-8", "backslashreplace")
        if self._broken:
            data = b"\n" + data
        sent = 0
        try:
            while sent < len(data):
                sent += self._send(data[sent:])
        except OSError:  # also where it would wait
            self._dropped += text.count("\n") or 1
        self._broken = 0 < sent < len(data) or (sent == 0 and self._broken)
        return len(text)

    def count(self) -> int:
        """Lines that were dropped since this was asked last."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        return self._stream.isatty()

    def close(self) -> None:
        """Gives back what it opened; the stream stays open."""
        if self._own is not None:
            os.close(self._own)
            self._own = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, data: bytes) -> int:
        if self._socket is not None:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        return os.write(self._file if self._own is None else self._own, data)


def _unblocking(file: int) -> int | None:
    """The same pipe, opened once more: whether it waits is a property of the opened file, which
    standard error may share with other programs. None where the system has no such way.
    """
    try:
        return os.open(f"/dev/fd/{file}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
