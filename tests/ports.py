"""Ports for programs that must be told where to listen, and cannot be given a socket that does."""

import random
import socket
from pathlib import Path

_GIVEN_OUT = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _USUAL = 10_000, 32_768  # below the first: servers of this machine; of Linux, if not told


def free_port() -> int:
    """A port of the loopback on which nobody listens now. The system does not give it to anybody who
    asks for any port, so nobody gets it between this call and the program's start; and two processes
    that call this draw the same one hardly ever."""
    end = int(_GIVEN_OUT.read_text().split()[0]) if _GIVEN_OUT.exists() else _USUAL
    start = _LOWEST if end > 2 * _LOWEST else 1024
    while True:
        port = random.SystemRandom().randrange(start, max(end, _USUAL))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:  # taken
                continue
        return port
