"""A network with another machine on it: a namespace, and a wire of which the tests hold the middle.

The wire is two tunnel devices, one on this side and one in the namespace, and a thread that carries
packets between them. So both ends are the kernel's own TCP, and what happens in between is up to a
test: nothing arrives any more, some of it is lost, a firewall eats it. Neither end is told. Sockets
of the other machine are made by `inside`, and are used from here like any other.
"""

import ctypes
import fcntl
import os
import random
import select
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import program

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h
_CLONE_NEWNET = 0x40000000  # linux/sched.h
_PREFIX = "mainstem-"
_MTU = 1500
_NAMESPACES = Path("/run/netns")
_TCP, _SYN = 6, 0x02


def passes(_packet: bytes) -> bool:
    return True


def nothing(_packet: bytes) -> bool:
    """The cable is pulled: nothing passes, and nobody is told."""
    return False


def no_handshake(packet: bytes) -> bool:
    """A firewall that eats whatever would begin a connection."""
    return not (_is_tcp(packet) and packet[_header(packet) + 13] & _SYN)


def no_data(packet: bytes) -> bool:
    """A firewall that lets connections begin, and eats what is said on them."""
    if not _is_tcp(packet):
        return True
    start = _header(packet)
    return len(packet) == start + (packet[start + 12] >> 4) * 4


def lossy(share: float) -> Callable[[bytes], bool]:
    """This share of the packets is lost, and none of them again when it is repeated: by chance, one
    would be lost until its sender gives up (2 s here)."""
    chance, lost = random.Random(1), set[bytes]()

    def lets(packet: bytes) -> bool:
        at = _header(packet)
        # from whom to whom, and the number of its first byte (RFC 9293, 3.1)
        which = packet[12:20] + packet[at : at + 8]
        if which in lost or chance.random() >= share:
            return True
        lost.add(which)
        return False

    return lets


def _header(packet: bytes) -> int:
    return (packet[0] & 0x0F) * 4


def _is_tcp(packet: bytes) -> bool:
    return packet[0] >> 4 == 4 and packet[9] == _TCP


class Wire:
    """Carries packets between two tunnels, those that `lets` lets pass; `eaten` counts the
    others."""

    def __init__(self, near: int, far: int) -> None:
        self.lets: Callable[[bytes], bool] = passes
        self.eaten = 0
        self._other = {near: far, far: near}
        self._wake, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        while True:
            ready, _, _ = select.select([*self._other, self._wake], [], [])
            if self._wake in ready:
                return
            for end in ready:
                packet = os.read(end, _MTU)
                if self.lets(packet):
                    os.write(self._other[end], packet)
                else:
                    self.eaten += 1

    def close(self) -> None:
        os.write(self._stop, b"x")
        self._thread.join()
        for end in (*self._other, self._wake, self._stop):
            os.close(end)


class Network:
    """This machine is at `near`, the other at `far`; whatever is sent to `nowhere` the other one
    says it cannot reach (ICMP)."""

    def __init__(self, name: str, wire: Wire, addresses: tuple[str, str, str]) -> None:
        self.near, self.far, self.nowhere = addresses
        self.wire = wire
        self._name = name

    def inside(self) -> socket.socket:
        """A TCP socket on the other machine."""
        made: list[socket.socket] = []

        def make() -> None:  # a thread's namespace is its own, and a socket stays where it was made
            libc = ctypes.CDLL(None, use_errno=True)
            with (_NAMESPACES / self._name).open() as namespace:
                if libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.socket())

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        made[0].setblocking(False)
        return made[0]

    def connecting(self) -> int:
        """How many connections to the other machine are being made from this one: in the state
        SYN_SENT of RFC 9293 (2 in proc_net_tcp)."""
        far = socket.inet_aton(self.far)[::-1].hex().upper()
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[2].startswith(far) and row[3] == "02" for row in rows)

    def listening(self) -> socket.socket:
        """A socket that is bound at `far`."""
        sock = self.inside()
        sock.bind((self.far, 0))
        return sock


@contextmanager
def network() -> Iterator[Network]:
    """Makes it and takes it away, whatever happens; also what a test run that was killed has left
    behind."""
    _sweep()
    pid = os.getpid()
    name = f"{_PREFIX}{pid}"
    # in 198.18.0.0/15, which is for such things (RFC 2544): eight addresses each
    base = 198 << 24 | 18 << 16 | pid % (1 << 14) << 3
    near_ip, far_ip, nowhere_ip = (
        socket.inet_ntoa(struct.pack("!I", base + number)) for number in (1, 2, 5)
    )
    _ip("netns", "add", name)
    ends: list[int] = []
    try:
        devices = f"ms{pid}a", f"ms{pid}b"
        ends += [_tunnel(device) for device in devices]
        near, far = devices
        _ip("link", "set", far, "netns", name)
        _ip("address", "add", f"{near_ip}/30", "dev", near)
        _ip("link", "set", near, "up")
        _ip("route", "add", f"{nowhere_ip}/32", "via", far_ip)
        _ip("-n", name, "address", "add", f"{far_ip}/30", "dev", far)
        _ip("-n", name, "link", "set", far, "up")
        _ip("netns", "exec", name, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        _ip("-n", name, "route", "add", "unreachable", f"{nowhere_ip}/32")
        wire = Wire(*ends)
        ends = []
        try:
            yield Network(name, wire, (near_ip, far_ip, nowhere_ip))
        finally:
            wire.close()  # with which the devices are gone
    finally:
        for end in ends:
            os.close(end)
        _ip("netns", "delete", name)


def _tunnel(device: str) -> int:
    """A new tunnel device of IP packets; it lasts as long as its file is open."""
    file = os.open("/dev/net/tun", os.O_RDWR)
    try:
        fcntl.ioctl(
            file, _TUNSETIFF, struct.pack("16sH22x", device.encode(), _IFF_TUN | _IFF_NO_PI)
        )
    except BaseException:
        os.close(file)
        raise
    return file


def _sweep() -> None:
    """Remove the namespaces of test runs that are no more."""
    for entry in _NAMESPACES.glob(f"{_PREFIX}*") if _NAMESPACES.is_dir() else ():
        pid = entry.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            _ip("netns", "delete", entry.name)


def _ip(*words: str) -> None:
    ended = subprocess.run([program("netns"), *words], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"ip {' '.join(words)}: {ended.stderr}"
