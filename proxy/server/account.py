"""How the stream of one request is written into the books: what its reader made of it, and how its
log ended.
"""

import time

from proxy.errors import Failure
from proxy.events import StreamEnd, StreamError
from proxy.relay.ending import Reading, ended
from proxy.relay.passing import note_failure
from proxy.server.gateway import Gateway
from proxy.server.visit import Visit
from proxy.settings.sections import OnDisconnect


class Account:
    """One request's. `close` must be called once, when all that it caused is over: also where its
    stream went on without its client. Until then `reading`, `end`, `policy` and `refusal` are what
    `ended` wants to know.
    """

    __slots__ = ("_gateway", "end", "policy", "reading", "refusal", "visit")

    def __init__(self, gateway: Gateway, visit: Visit) -> None:
        self._gateway = gateway
        self.visit = visit
        self.policy: OnDisconnect = gateway.state.plan.streams.on_disconnect
        self.reading: Reading = "left"
        self.end: StreamEnd | StreamError | None = None
        self.refusal: Failure | None = None

    @property
    def owner(self) -> str:
        """See `Visit.owner`."""
        return self.visit.owner

    def refuse(self, why: Failure, status: int) -> None:
        """It was answered with an error and its status."""
        self.refusal, self.reading, self.visit.record.status = why, "refused", status

    def close(self) -> None:
        """It is over, for good."""
        self.visit.leave()
        record = self.visit.record
        outcome, status = ended(
            self.end, self.reading, self.policy, status=record.status, refusal=self.refusal
        )
        why = self.refusal
        if why is None and isinstance(self.end, StreamError):
            why = self.end.error
        if why is not None and not record.error:
            note_failure(record, why)
        record.end(outcome, status, time.monotonic())
        self._gateway.flush(record)
