"""Plays a script onto one HTTP answer, and writes down what became of it."""

import asyncio
import socket
import struct

from aiohttp import web

from proxy.mock.account import Entry
from proxy.mock.script import Close, Cut, End, Pause, Send, Status, Steps

# Writes after which others get their turn, when the script itself leaves them none.
_TURN_WRITES = 16
_FLUSH_POLL_S = 0.01
# SO_LINGER on with 0 s: close() sends a RST instead of a FIN.
_NO_LINGER = struct.pack("ii", 1, 0)


async def play(request: web.Request, steps: Steps, entry: Entry) -> web.StreamResponse:
    """Play to the end, or until the client leaves: then the task is cancelled (the server must run
    with handler_cancellation).
    """
    loop = asyncio.get_running_loop()
    began = due = loop.time()
    response = web.StreamResponse()
    try:
        writes = 0
        for step in steps:
            if isinstance(step, Send):
                if step.data:  # an empty chunk would end the body
                    await response.write(step.data)
                    entry.bytes_sent += len(step.data)
                entry.frames_sent += step.counted
                writes += 1
                if writes >= _TURN_WRITES:
                    writes = 0
                    await asyncio.sleep(0)
            elif isinstance(step, Pause):
                # Points on one schedule: what sending took is not added, so that a pace holds over
                # thousands of tokens.
                due += step.seconds
                writes = 0
                await asyncio.sleep(max(step.least, due - loop.time()))
            elif isinstance(step, Status):
                entry.status = step.status
                response.set_status(step.status)
                response.headers.update(step.headers)
                await response.prepare(request)
            else:
                await _last(step, request, response, entry)
                break
    except ConnectionError:
        entry.ended = entry.ended or "client_gone"
    except asyncio.CancelledError:
        entry.ended = entry.ended or ("client_gone" if _gone(request) else "stopped")
        raise
    finally:
        entry.ended = entry.ended or "failed"
        if entry.ended == "client_gone":
            entry.gone_after_ms = round((loop.time() - began) * 1000, 1)
    return response


async def _last(
    step: object, request: web.Request, response: web.StreamResponse, entry: Entry
) -> None:
    if isinstance(step, End | Close):
        await response.write_eof()
        entry.ended = "complete" if isinstance(step, End) else "closed"
    elif isinstance(step, Cut):
        await _reset(request)
        entry.ended = "cut"
    else:
        await asyncio.get_running_loop().create_future()


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _reset(request: web.Request) -> None:
    """Reset the connection, once what was sent before has left this process."""
    # nothing announces it
    while request.transport is not None and request.transport.get_write_buffer_size():  # noqa: ASYNC110
        await asyncio.sleep(_FLUSH_POLL_S)
    transport = request.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER
        )
        transport.abort()
