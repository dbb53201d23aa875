"""What is asked of the kernel so that a peer that has vanished is noticed."""

import asyncio
import socket
from typing import Any

import pytest

from proxy.codec.base import Outgoing
from proxy.net.keepalive import watch
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
            connection = answer._response.connection
            assert connection is not None
            assert (1, 15, 4, 30_000) == asked_for(connection.transport.get_extra_info("socket"))
        finally:
            await upstreams.close()
