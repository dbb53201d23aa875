"""The addresses that workers share.

Each worker has a listening socket of its own at each of them, and the kernel shares out new
connections evenly (SO_REUSEPORT); of one socket that all took from, whichever process happens to
run would take most. The sockets are made here and inherited, so that one outlives its worker: what
waits in its queue is not reset when another worker takes the place.
"""

import contextlib
import socket
from collections.abc import Sequence

from proxy.net.ports import ListenError, authority

_BACKLOG = 1024


class Places:
    """`wanted` are host, port and section of the settings of each; each is held, without listening,
    so that it stays ours while no worker is up. Raises ListenError.
    """

    def __init__(self, held: contextlib.ExitStack, wanted: Sequence[tuple[str, int, str]]) -> None:
        self._held = [_reserved(held, *each) for each in wanted]
        self.urls = [
            f"http://{authority(host)}:{place.getsockname()[1]}"
            for (host, _, _), place in zip(wanted, self._held, strict=True)
        ]

    def listening(self) -> list[socket.socket]:
        """A worker's sockets, one for each address. Raises OSError."""
        return [_listening(place) for place in self._held]


def _reserved(held: contextlib.ExitStack, host: str, port: int, section: str) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # would share it with anybody's SO_REUSEPORT, and never say so
        with socket.socket(family) as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(address)
        return held.enter_context(_bound(family, address))
    except OSError as error:
        raise ListenError(host, port, error, f"{section}.host, {section}.port") from error


def _listening(place: socket.socket) -> socket.socket:
    made = _bound(place.family, place.getsockname())
    made.listen(_BACKLOG)
    return made


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    made = socket.socket(family)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address)
    except BaseException:
        made.close()
        raise
    return made
