"""What is asked of the kernel so that a peer that has vanished is noticed."""

import asyncio
import socket
from typing import Any

import pytest

from proxy.codec.base import Outgoing
from proxy.net.keepalive import heard, probe, watch
from proxy.upstream.client import Endpoint, Upstreams
from tests.raw_upstream import CHUNKED, Peer, raw_upstream

pytestmark = pytest.mark.skipif(
    not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has the option"
)


class Transport(asyncio.BaseTransport):
    def __init__(self, sock: socket.socket | None) -> None:
        super().__init__({"socket": sock})


def asked_for(sock: Any) -> tuple[int, int, int, int]:
    """Whether probes are sent; after how many silent seconds the first and then the next ones;
    milliseconds until all is over."""
    options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_USER_TIMEOUT)
    keep_alive = sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    return (keep_alive, *(sock.getsockopt(socket.IPPROTO_TCP, option) for option in options))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("lost_s", "expected"),
    [
        (30, (1, 15, 4, 30_000)),
        (0.2, (1, 1, 1, 1000)),
        (1_000_000, (1, 32_767, 32_767, 32_767_000)),
    ],
)
def test_probes_begin_in_time_and_the_end_is_that_of_the_setting(
    lost_s: float, expected: tuple[int, int, int, int]
) -> None:
    """Whole seconds, within what the kernel takes."""
    with socket.socket() as sock:
        watch(Transport(sock), lost_s)
        assert expected == asked_for(sock)


def test_a_client_is_asked_too_but_none_is_cut_that_reads_slowly() -> None:
    """Four probes without an answer end a connection that is idle; the kernel sets no other end."""
    with socket.socket() as sock:
        probe(Transport(sock), 30)
        assert (1, 15, 4, 0) == asked_for(sock)
        assert 4 == sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)


def test_what_a_peer_has_taken_is_known_by_its_kernel() -> None:
    """Also what waits in this system's own buffers, behind a window that is shut."""
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(server.getsockname())
        served, _ = server.accept()
        with served:
            transport = Transport(served)
            before = heard(transport)
            assert before is not None
            assert not before.owes
            served.sendall(b"x" * 100_000)
            after = heard(transport)
            assert after is not None
            assert after.owes
            assert before.acknowledged < after.acknowledged < before.acknowledged + 100_000


def test_what_is_no_tcp_says_nothing() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert heard(Transport(ours)) is None
    assert heard(Transport(None)) is None
    assert heard(Transport(ours)) is None  # it is closed


def test_what_has_no_socket_any_more_is_left_alone() -> None:
    gone = socket.socket()
    gone.close()
    watch(None, 30)
    watch(Transport(None), 30)
    watch(Transport(gone), 30)


async def test_connections_to_upstreams_are_watched() -> None:
    async def begins(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        await peer.left()

    async with raw_upstream(begins) as url:
        upstreams = Upstreams()
        try:
            answer = await upstreams.open(
                Endpoint("far", url, None, {}, 5), Outgoing("/v1/x", b"{}", {})
            )
            transport = answer._protocol.transport
            assert transport is not None
            assert (1, 15, 4, 30_000) == asked_for(transport.get_extra_info("socket"))
        finally:
            await upstreams.close()
