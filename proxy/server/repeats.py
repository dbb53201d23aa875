"""Requests that are sent again: which run each of them is about."""

from time import monotonic
from typing import Literal

from proxy.errors import Refused, failure
from proxy.events import StreamError
from proxy.server.run import Run

# A client that is gone after so little of an answer has most likely lost it, not stopped it.
_LITTLE_BYTES = 4096
# An SDK that lost an answer asks again within seconds: the longest wait of those made by Stainless
# is 8 s.
_RETRIED_S = 30.0
# A browser's EventSource comes back 3 to 5 s after its connection broke. Who reloads a page later
# wants a new answer.
_RECONNECTED_S = 10.0
_OTHER_REQUEST = (
    "This Idempotency-Key came with another request before, and it stands for that one: send a new "
    "key with a new request."
)
# What a request says of whether it is one that was sent before. `maybe`: its client repeats by
# itself, but asks anew in the same words too; `yes`: it is a retry, as it says.
Again = Literal["no", "maybe", "yes"]
_ByRequest = dict[bytes, dict[str, Run]]  # of each request the runs by their ids, the newest last


class Repeats:
    """One process's runs, by what was asked for. Those of which somebody has had all stand apart,
    as the same may be asked often, and who does not say that it repeats itself wants none of them.
    """

    def __init__(self) -> None:
        self._untold: _ByRequest = {}
        self._told: _ByRequest = {}
        self._by_key: dict[bytes, Run] = {}

    def add(self, run: Run) -> None:
        """Requests may be about this one."""
        self._untold.setdefault(run.request, {})[run.id] = run
        if run.key:
            self._by_key[run.key] = run

    def told(self, run: Run) -> None:
        """Somebody was sent all of it."""
        if _removed(self._untold, run):
            self._told.setdefault(run.request, {})[run.id] = run

    def forget(self, run: Run) -> None:
        """No request is about it any more."""
        _removed(self._untold, run)
        _removed(self._told, run)
        if self._by_key.get(run.key) is run:
            del self._by_key[run.key]

    def same(self, request: bytes, key: bytes, again: Again) -> Run | None:
        """The run that a request goes on with: one of the very same request that its client has
        lost. What has failed is not gone on with: its client was told, and tries once more.

        An Idempotency-Key names the request, so the run may also be one that somebody reads, or has
        had all of. Raises Refused where it came with another request. Without one: see `_lost`.
        """
        if key:
            run = self._by_key.get(key)
            if run is not None:
                check_same(run.request, request)
            return None if run is None or isinstance(run.log.end, StreamError) else run
        if again != "no":
            for run in self._told.get(request, {}).values():
                if _lost(run, again):
                    return run
        for run in self._untold.get(request, {}).values():
            if _lost(run, again):
                return run
        return None


def check_same(before: bytes, now: bytes) -> None:
    """Raises Refused where a key came with a request of another digest before."""
    if before != now:
        raise Refused(failure("bad_request", _OTHER_REQUEST, status=422))


def _removed(runs: _ByRequest, run: Run) -> bool:
    """Whether it was among them; it is no more."""
    same = runs.get(run.request, {})
    if same.pop(run.id, None) is None:
        return False
    if not same:
        del runs[run.request]
    return True


def _lost(run: Run, again: Again) -> bool:
    """Whether a request in the same words may be taken for a repetition of this run's: nobody
    attends it, and nobody has had all of it.

    Who does not say that it repeats itself must have heard hardly anything: who stops an answer in
    its midst and asks once more wants another one. To a retry, and to an EventSource that comes
    back, it may have been sent whole: if the connection broke then, it was lost on the way.
    """
    if run.attended or isinstance(run.log.end, StreamError):
        return False
    if run.told_at is not None:
        patience_s = _RETRIED_S if again == "yes" else _RECONNECTED_S
        return run.lost() and monotonic() - run.told_at < patience_s
    return again != "no" or run.read_bytes < _LITTLE_BYTES
