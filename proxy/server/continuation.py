"""After commit, where a model is configured so: another target is asked to go on with an answer
that broke off.
"""

import asyncio
from collections.abc import Callable
from time import monotonic

from proxy.codec.base import Parsed
from proxy.errors import Refused
from proxy.events import Vendor
from proxy.observe.record import StreamRecord
from proxy.relay.attempts import Attempts
from proxy.relay.log import Log
from proxy.relay.race import cancel_or_drop
from proxy.relay.splice import onward_request
from proxy.relay.won import Won
from proxy.server.gateway import Gateway


class Continuation:
    """What is needed to ask again, for one request. `rewrites`: one of its targets may take text
    back.
    """

    __slots__ = ("_attempts", "_client_rewrites", "_gateway", "_parsed", "_record", "rewrites")

    def __init__(
        self,
        gateway: Gateway,
        attempts: Attempts,
        parsed: Parsed,
        record: StreamRecord,
        *,
        client_rewrites: bool,
    ) -> None:
        self._gateway = gateway
        self._attempts = attempts
        self._parsed = parsed
        self._record = record
        self._client_rewrites = client_rewrites
        self.rewrites = attempts.may_rewrite

    async def after(self, broken: Won, log: Log, beat: Callable[[], None]) -> Won | None:
        """The target that goes on; the client has been told. None: none does, and the client has
        been told that the answer failed.

        Meanwhile `beat` is called, every `heartbeat_s`. Raises CancelledError when it leaves.
        """
        assert log.interrupted is not None
        why = log.interrupted.error
        self._gateway.looks_on(self._record)
        before = self._record.set_aside()
        try:
            won = await self._found(broken, log, beat)
        except Refused:
            self._record.take_back(before)
            log.surrender(monotonic())
            return None
        except asyncio.CancelledError:
            self._record.take_back(before)
            dismissed = self._gateway.dismissed(self._record)
            if dismissed is None:
                raise
            log.surrender(monotonic(), dismissed)
            return None
        finally:
            self._gateway.found(self._record)
        said = {
            "from_upstream": broken.target.upstream,
            "to_upstream": won.target.upstream,
            "upstream_model": won.target.model,
            "kind": why.kind,
        }
        self._record.go_on(before)
        self._record.fallbacks.append((broken.target.upstream, won.target.upstream, why.kind))
        won.generation.go_on(log, Vendor("native", {"continued": said}), before.usage)
        return won

    async def _found(self, broken: Won, log: Log, beat: Callable[[], None]) -> Won:
        assert log.said is not None
        streams = self._attempts.streams
        request = onward_request(self._parsed.request, log.said.text, streams.continue_prompt)
        parsed = self._parsed._replace(request=request)
        asking = asyncio.create_task(
            self._attempts.onward(parsed, broken.target, client_rewrites=self._client_rewrites)
        )
        try:
            while True:
                await asyncio.wait((asking,), timeout=streams.heartbeat_s)
                if asking.done():
                    return asking.result()
                beat()
        except asyncio.CancelledError:
            cancel_or_drop(asking)
            await asyncio.wait((asking,))  # it writes into the record until then
            raise
        finally:
            del asking  # it has the error whose traceback holds this frame
