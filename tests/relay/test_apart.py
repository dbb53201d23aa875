"""Work on large requests is done beside the event loop."""

import threading

import pytest

from proxy.errors import Refused, bad_request
from proxy.relay.apart import LARGE_BYTES, apart


async def test_only_a_large_request_leaves_the_loop() -> None:
    here = threading.get_ident()
    assert here == await apart(LARGE_BYTES, threading.get_ident)
    assert here != await apart(LARGE_BYTES + 1, threading.get_ident)


async def test_what_is_refused_there_is_refused_here() -> None:
    def refuse() -> None:
        raise bad_request("no")

    with pytest.raises(Refused):
        await apart(LARGE_BYTES + 1, refuse)
