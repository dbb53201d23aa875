"""Takes a request in: who asks, and what. Nothing is read of its body until its head has passed all
that can be told by it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aiohttp import web

from proxy.codec.base import Incoming, Parsed
from proxy.codec.halves import ClientHalf
from proxy.codec.other_models import Named, foreign_model
from proxy.errors import Refused
from proxy.relay.apart import LARGE_BYTES, beside
from proxy.relay.dear import Dear, is_dear, plain
from proxy.relay.dear_work import Reading, Unread
from proxy.relay.plan import Plan
from proxy.relay.won import Envelope
from proxy.routing import WILDCARD
from proxy.server.access.keys import check_model, check_other_model, credential, nameable
from proxy.server.account import Account
from proxy.server.body import Hold, check_body, read_body
from proxy.server.gateway import Gateway, State
from proxy.server.incoming import asked_by, mock_wishes, on_disconnect, read_head
from proxy.server.playground import looked_at
from proxy.settings.sections import OnDisconnect

_MAX_CHAT_CHARS = 256  # of a client's own name for a stream, which is kept as long as it is


# What is asked, of a dear request what must be known of it here; a model that it names and may not;
# and a dear request itself.
_Read = tuple[Parsed, Named | None, Dear | None]


class Asked(NamedTuple):
    """What is asked. `wish`: what the request itself says is to be done when its client leaves.
    `digest`: of the request and who sent it, where streams are kept; `key`: of its Idempotency-Key
    and who sent it, b"" for none.
    """

    parsed: Parsed
    envelope: Envelope
    wish: OnDisconnect | None
    digest: bytes
    key: bytes


class Intake:
    """Reads one request. `half` is its dialect's, as far as it is known."""

    def __init__(
        self,
        request: web.Request,
        halves: Sequence[ClientHalf],
        account: Account,
        gateway: Gateway,
        state: State,
    ) -> None:
        self._request = request
        self._halves = halves
        self._account = account
        self._gateway = gateway
        self._state = state
        self.half = halves[0]

    async def ask(self, hold: Hold) -> Asked:
        """Raises Refused."""
        plan, account = self._state.plan, self._account
        head = read_head(self._request)
        secret = credential(head.headers, head.query)
        await account.visit.admit(secret)
        wish = on_disconnect(head.headers)
        pieces = looked_at(self._gateway, head.headers)
        most = plan.limits.max_body_bytes
        check_body(self._request, most)
        body = await read_body(self._request, most, hold)
        account.visit.asked_bytes = len(body)
        wishes = mock_wishes(head) if plan.plays else {}
        incoming = asked_by(head, body)
        caller = account.visit.caller
        allowed = None if caller is None else nameable(caller, plan.router)
        if len(body) > LARGE_BYTES or is_dear(body):
            parsed, foreign, dear = await self._read_elsewhere(incoming, allowed)
        else:
            parsed, foreign, dear = self._read_here(incoming, allowed)
        account.visit.record.model = parsed.request.model
        if caller is not None:
            check_model(caller, parsed.request.model)
            check_other_model(caller, foreign)
        digest = key = b""
        if plan.streams.resume is not None:
            owner = account.owner
            digest = _digest(owner, self._request, wishes, body)
            if said := head.headers.get("idempotency-key"):
                key = _key(owner, said)
        trace = account.visit.traced(head.headers)
        envelope = Envelope(wishes, secret, head.headers, len(body), pieces, trace, dear)
        return Asked(parsed, envelope, wish, digest, key)

    async def _read_elsewhere(self, incoming: Incoming, allowed: frozenset[str] | None) -> _Read:
        """The same as `_read_here`, of a large request in a thread, of a dear one in a process.
        Raises Refused.
        """
        process, plan = self._gateway.dear, self._state.plan
        if process is None or not is_dear(incoming.body):
            return await beside(lambda: self._read_here(incoming, allowed))
        names = tuple(half.name for half in self._halves)
        dear = Dear(process, Reading(names, plain(incoming), allowed))
        read = await dear.read()
        self._is_of(next(half for half in self._halves if half.name == read.half))
        if isinstance(read, Unread):
            raise Refused(read.why)
        keeps = read.keeps and plan.streams.resume is not None
        if keeps or _may_go_on(plan, read.parsed.request.model):
            # which takes the conversation itself
            return await beside(lambda: self._read_here(incoming, allowed))
        return _bounded(read.parsed), read.foreign, dear

    def _read_here(self, incoming: Incoming, allowed: frozenset[str] | None) -> _Read:
        """By the dialect whose request it is. Raises Refused."""
        if len(self._halves) > 1:
            claimed = (half for half in self._halves if half.claims(incoming))
            self._is_of(next(claimed, self._halves[0]))
        parsed = _bounded(self.half.parse_request(incoming))
        return parsed, foreign_model(parsed.request, allowed), None

    def _is_of(self, half: ClientHalf) -> None:
        self.half = half
        self._account.visit.record.client_dialect = half.name


def _may_go_on(plan: Plan, model: str) -> bool:
    """Whether another target may be asked to go on with an answer that broke off."""
    policy = plan.policies.get(model) or plan.policies.get(WILDCARD)
    return policy is not None and policy.continue_after_commit


def _bounded(parsed: Parsed) -> Parsed:
    """Without the name of a chat that is too long to be one."""
    return parsed if len(parsed.chat) <= _MAX_CHAT_CHARS else parsed._replace(chat="")


def _digest(owner: str, request: web.Request, wishes: Mapping[str, str], body: bytes) -> bytes:
    said = "\0".join((owner, request.method, request.raw_path, repr(sorted(wishes.items()))))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass") + b"\0" + body).digest()


def _key(owner: str, said: str) -> bytes:
    """Of an Idempotency-Key."""
    return hashlib.sha256(f"{owner}\0{said}".encode("utf-8", "surrogatepass")).digest()
