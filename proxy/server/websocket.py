"""Responses over a WebSocket: every message that asks for an answer runs as a POST to the same path
does, with the head of the handshake. One answer at a time.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web

from proxy.codec.base import Reply
from proxy.dialects.openai_responses.socket import Talk
from proxy.dialects.registry import CLIENTS
from proxy.errors import Refused, failure
from proxy.framing import FramingError
from proxy.framing.sse import SSEParser
from proxy.framing.sse_frame import Frame
from proxy.relay.apart import apart
from proxy.server.access.keys import credential
from proxy.server.access.origins import unasked
from proxy.server.body import REQUEST_BODY_S, Bodies, Hold
from proxy.server.connection import Connection
from proxy.server.gateway import Gateway
from proxy.server.inward import Inward
from proxy.server.messages import Coming
from proxy.server.respond import cut, whole, with_retry_after

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATH = "/v1/responses"
_HALF = CLIENTS["openai_responses"]
# A connection that asks nothing is closed after this; clients open another one.
_IDLE_S = 600.0
_PING_S = 30.0
_CLOSE_S = 5.0
# Of the handshake alone; the rest of its head goes with each request.
_OF_HANDSHAKE = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "transfer-encoding",
        "upgrade",
        "x-request-id",
    }
)
_BROKE = "The answer broke off before it was complete."


def handler(gateway: Gateway, otherwise: Handler) -> Handler:
    """The handler of a GET of `PATH`. `otherwise` answers one that opens no WebSocket."""

    async def handshake(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return await otherwise(request)
        try:
            await _check(gateway, request)
            return await _Socket(gateway, request).run()
        except ConnectionError:  # it left while it was written to
            cut(request)
            return web.Response(status=499)  # goes nowhere
        except Refused as refused:
            return whole(with_retry_after(_HALF.render_error(refused.failure), refused.failure))

    return handshake


async def _check(gateway: Gateway, request: web.Request) -> None:
    """Pages of other origins may open WebSockets anywhere, so what CORS would keep from a page is
    kept here. Raises Refused.
    """
    headers, state = request.headers, gateway.state
    said = state.cors.refusal(headers.get("Origin"), headers.get("Host", "")) or unasked(headers)
    if said is not None:
        raise Refused(failure("forbidden", said))
    if state.keyring is not None:
        lower = {name.lower(): value for name, value in headers.items()}
        await state.keyring.known(credential(lower, request.query))
    gateway.check_room()
    if not web.WebSocketResponse().can_prepare(request):
        said = "This is no handshake of a WebSocket that is understood here (RFC 6455, version 13)."
        raise Refused(failure("bad_request", said, status=426))


class _Socket:
    """One connection."""

    def __init__(self, gateway: Gateway, request: web.Request) -> None:
        limits = gateway.state.plan.limits
        self._gateway = gateway
        self._request = request
        self._limits = limits
        self._ws = web.WebSocketResponse(
            timeout=_CLOSE_S, heartbeat=_PING_S, compress=False, max_msg_size=limits.max_body_bytes
        )
        self._talk = Talk(limits.max_body_bytes)
        self._kept = contextlib.ExitStack()  # the place that what is kept takes among all bodies
        self._going = asyncio.Event()
        self._coming = Coming()
        self._place: Hold = gateway.bodies.hold(limits.max_inflight_body_bytes)  # of what comes
        self._late: asyncio.TimerHandle | None = None
        # how the connection must be closed at once
        self._broken: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._held: asyncio.Task[aiohttp.WSMessage] | None = None
        self._answering: asyncio.Task[None] | None = None

    async def run(self) -> web.StreamResponse:
        connection = self._request.protocol
        assert isinstance(connection, Connection)
        going = asyncio.create_task(self._going.wait())
        try:
            connection.take_messages(self._heard)
            await self._ws.prepare(self._request)
            async with _inward(connection) as session:
                with self._gateway.tells_drain(self._going.set):
                    code = await self._serve(session, going)
                if self._answering is not None:
                    self._answering.cancel()
            await self._ws.close(code=code)
        finally:
            self._kept.close()
            self._break(aiohttp.WSCloseCode.GOING_AWAY)  # and nothing more is taken
            self._place.give_back(self._place.size)
            for task in (going, self._held, self._answering, self._late):
                if task is not None:
                    task.cancel()
        return self._ws

    def _heard(self, data: bytes) -> bool:
        """What comes of messages takes its place among all bodies, and a message that has begun
        must be whole in the time that a body has.
        """
        if self._broken.done():
            return False
        ended = self._coming.feed(data)
        try:
            self._count()
        except Refused:
            self._break(aiohttp.WSCloseCode.TRY_AGAIN_LATER)
            return False
        if ended and self._late is not None:
            self._late.cancel()
            self._late = None
        if self._coming.broken_off and self._late is None:
            loop, most_s = asyncio.get_running_loop(), self._request.app[REQUEST_BODY_S]
            self._late = loop.call_later(most_s, self._break, aiohttp.WSCloseCode.POLICY_VIOLATION)
        return True

    def _count(self) -> None:
        """Raises Refused where all bodies hold as much as they may."""
        more = self._coming.waiting - self._place.size
        if more > 0:
            self._place.take(more)
        else:
            self._place.give_back(-more)

    def _break(self, code: int) -> None:
        if not self._broken.done():
            self._broken.set_result(code)

    async def _serve(self, session: aiohttp.ClientSession, going: asyncio.Task[bool]) -> int:
        """Answer message after message; how the connection is to be closed (RFC 6455, 7.4.1)."""
        self._held = asyncio.create_task(self._ws.receive())
        while True:
            await _first((self._held, going, self._broken), _IDLE_S)
            if self._broken.done():
                return self._broken.result()
            if going.done():
                return aiohttp.WSCloseCode.GOING_AWAY
            if not self._held.done():
                return aiohttp.WSCloseCode.OK
            message = self._held.result()
            if message.type is not WSMsgType.TEXT:
                return _code(message)
            self._coming.take()
            self._count()
            # the next message is read, and held, so that a client that leaves is noticed
            self._held = asyncio.create_task(self._ws.receive())
            self._answering = asyncio.create_task(self._answer(session, message.data))
            await _first((self._held, self._answering, self._broken))
            if self._held.done() and self._held.result().type is not WSMsgType.TEXT:
                return _code(self._held.result())
            await _first((self._answering, self._broken))
            if self._broken.done():
                return self._broken.result()
            await self._answering

    async def _answer(self, session: aiohttp.ClientSession, message: str) -> None:
        try:
            name, now = f"resp_{secrets.token_hex(12)}", int(time.time())
            asked = await apart(len(message), lambda: self._talk.asked(message, name, now))
            if asked is None:
                return
            for event in asked.told:
                await self._ws.send_str(event)
            if asked.body:
                await self._ask(session, asked.body)
            self._hold()
        except Refused as refused:
            why = refused.failure
            reply = with_retry_after(_HALF.render_error(why), why)
            await self._ws.send_str(self._talk.failed(reply))

    async def _ask(self, session: aiohttp.ClientSession, body: bytes) -> None:
        """Raises Refused for an answer that breaks off."""
        headers = {
            name: value
            for name, value in self._request.headers.items()
            if name.lower() not in _OF_HANDSHAKE and not name.lower().startswith("sec-websocket-")
        }
        url = f"http://mainstem{self._request.rel_url}"
        headers["Content-Type"] = "application/json"
        try:
            async with session.post(url, data=body, headers=headers) as response:
                if response.status == 200:
                    await self._pass_on(response)
                    return
                body = await response.read()
                kept = _told_of(response.headers)
                await self._ws.send_str(self._talk.failed(Reply(response.status, body, kept)))
        except (aiohttp.ClientError, FramingError):
            raise Refused(failure("upstream_truncated", _BROKE)) from None

    async def _pass_on(self, response: aiohttp.ClientResponse) -> None:
        """Raises Refused."""
        parser, complete = SSEParser(self._limits.max_answer_bytes), False
        async for chunk in response.content.iter_any():
            for frame in parser.feed(chunk):
                if isinstance(frame, Frame):
                    complete = self._talk.told(frame.event, frame.data) or complete
                    await self._ws.send_str(frame.text)
        if not complete:  # it failed, which its own events have told
            self._talk.forget()

    def _hold(self) -> None:
        """What is kept takes its place among all bodies; where there is none it is forgotten."""
        self._kept.close()
        bodies: Bodies = self._gateway.bodies
        hold = self._kept.enter_context(bodies.hold(self._limits.max_inflight_body_bytes))
        try:
            hold.take(self._talk.kept_bytes)
        except Refused:
            self._talk.forget()


def _inward(connection: Connection) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=Inward(connection),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        skip_auto_headers=("User-Agent", "Accept"),
        auto_decompress=False,
    )


async def _first(waited: Iterable[asyncio.Future[Any]], most_s: float | None = None) -> None:
    """Returns when one of these is done, or after so long."""
    await asyncio.wait(waited, timeout=most_s, return_when=asyncio.FIRST_COMPLETED)


def _code(message: aiohttp.WSMessage) -> int:
    """How to answer what is no text: a close in kind, anything else as what it is."""
    if message.type is WSMsgType.BINARY:
        return aiohttp.WSCloseCode.UNSUPPORTED_DATA
    return aiohttp.WSCloseCode.OK


def _told_of(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of an error that a client of a WebSocket has to be told in the message."""
    return {
        name: headers[name]
        for name in ("retry-after", "x-request-id", "x-should-retry")
        if name in headers
    }
