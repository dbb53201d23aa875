"""Responses over a WebSocket: every message that asks for an answer runs as a POST to the same path
does, with the head of the handshake. One answer at a time.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping

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
from proxy.server.body import Bodies
from proxy.server.connection import Connection
from proxy.server.gateway import Gateway
from proxy.server.inward import Inward
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
        self._held: asyncio.Task[aiohttp.WSMessage] | None = None
        self._answering: asyncio.Task[None] | None = None

    async def run(self) -> web.StreamResponse:
        connection = self._request.protocol
        assert isinstance(connection, Connection)
        await self._ws.prepare(self._request)
        connection.take_messages()
        session = aiohttp.ClientSession(
            connector=Inward(connection),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            skip_auto_headers=("User-Agent", "Accept"),
            auto_decompress=False,
        )
        going = asyncio.create_task(self._going.wait())
        try:
            async with session:
                with self._gateway.tells_drain(self._going.set):
                    code = await self._serve(session, going)
            await self._ws.close(code=code)
        finally:
            self._kept.close()
            for task in (going, self._held, self._answering):
                if task is not None:
                    task.cancel()
        return self._ws

    async def _serve(self, session: aiohttp.ClientSession, going: asyncio.Task[bool]) -> int:
        """Answer message after message; how the connection is to be closed (RFC 6455, 7.4.1)."""
        self._held = asyncio.create_task(self._ws.receive())
        while True:
            await asyncio.wait(
                (self._held, going), timeout=_IDLE_S, return_when=asyncio.FIRST_COMPLETED
            )
            if going.done():
                return aiohttp.WSCloseCode.GOING_AWAY
            if not self._held.done():
                return aiohttp.WSCloseCode.OK
            message = self._held.result()
            if message.type is not WSMsgType.TEXT:
                return _code(message)
            # the next message is read, and held, so that a client that leaves is noticed
            self._held = asyncio.create_task(self._ws.receive())
            self._answering = asyncio.create_task(self._answer(session, message.data))
            await asyncio.wait((self._held, self._answering), return_when=asyncio.FIRST_COMPLETED)
            if self._held.done() and self._held.result().type is not WSMsgType.TEXT:
                return _code(self._held.result())
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
