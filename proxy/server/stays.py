"""The requests that have a place here: what each is doing, and how it is ended before its time."""

import asyncio
import time
from collections.abc import Iterator
from typing import Literal

from proxy.errors import Failure
from proxy.events import CONTENT
from proxy.observe.record import StreamRecord
from proxy.relay.won import Won

State = Literal["waiting", "streaming", "alone"]
Described = dict[str, str | int | float | bool | None]
_CONTENT = frozenset(CONTENT)
_MAX_NAME_CHARS = 200


class Stay:
    """One of them. `task` is the one that looks for an answer, or passes one on, while there is
    one; `won` is the answer that runs. `owner` says whose it is, `chat` what its client calls it.
    """

    __slots__ = ("chat", "owner", "record", "task", "why", "won")

    def __init__(self, record: StreamRecord, owner: str, chat: str) -> None:
        self.record = record
        self.owner = owner
        self.chat = chat
        self.task: asyncio.Task[object] | None = None
        self.won: Won | None = None
        self.why: Failure | None = None  # its task was cancelled

    def known_as(self, name: str, owner: str, dialect: str) -> bool:
        """Whether clients of this owner and dialect may mean it by that name."""
        if self.owner != owner:
            return False
        record = self.record
        return record.stream == name or (
            self.chat == name != "" and record.client_dialect == dialect
        )

    def end(self, why: Failure) -> bool:
        """End it now; its client is told why. False: it is ending already."""
        if self.won is not None and not self.won.generation.source.done:
            self.won.generation.abandon(why)
            return True
        if self.task is None or self.why is not None:
            return False
        self.why = why
        return self.task.cancel()

    def described(self) -> Described:
        """What an operator may know of it, as JSON has it: nothing that was said. Counts of tokens
        are the vendor's, where it has given any, else pieces of content, which are about as many.
        """
        record = self.record
        usage = record.usage
        counted = None if usage is None else usage.output_tokens
        pieces = sum(count for kind, count in record.events.items() if kind in _CONTENT)
        alone = record.left_s is not None
        state: State = "alone" if alone else "waiting" if self.won is None else "streaming"
        return {
            "id": record.stream,
            "request_id": record.request_id,
            "work": record.work,
            "state": state,
            "key": record.key or None,
            "client_dialect": record.client_dialect,
            "model": record.model[:_MAX_NAME_CHARS],
            "upstream": record.upstream or None,
            "upstream_model": record.upstream_model[:_MAX_NAME_CHARS] or None,
            "age_s": round(time.monotonic() - record.started, 3),
            "output_tokens": max(counted or 0, pieces),
            "counted": counted is not None and counted >= pieces,
            "bytes_out": record.bytes_out,
            "bytes_waiting": 0 if self.won is None else self.won.generation.log.waiting(),
        }


class Stays:
    """All of one process."""

    def __init__(self) -> None:
        self._by_record: dict[StreamRecord, Stay] = {}

    def __len__(self) -> int:
        return len(self._by_record)

    def __iter__(self) -> Iterator[Stay]:
        return iter(list(self._by_record.values()))

    def enter(self, record: StreamRecord, owner: str, chat: str) -> None:
        """A request has a place, and its task looks for an answer."""
        stay = self._by_record[record] = Stay(record, owner, chat)
        stay.task = asyncio.current_task()

    def leave(self, record: StreamRecord) -> None:
        """It has none any more."""
        self._by_record.pop(record).task = None

    def look(self, record: StreamRecord) -> None:
        """From now on it is the calling task that looks for an answer."""
        self._by_record[record].task = asyncio.current_task()

    def found(self, record: StreamRecord) -> None:
        """No task looks for one any more."""
        self._by_record[record].task = None

    def begin(self, won: Won) -> None:
        """Its answer runs."""
        stay = self._by_record[won.generation.source.record]
        stay.task, stay.won = None, won

    def end(self, won: Won) -> None:
        """Its answer runs no more."""
        self._by_record[won.generation.source.record].won = None

    def why(self, record: StreamRecord) -> Failure | None:
        """Why the calling task was cancelled, if it looks for this one's answer and was by
        `Stay.end`; it is cancelled no more.
        """
        task = asyncio.current_task()
        stay = self._by_record.get(record)
        if task is None or stay is None or stay.task is not task or stay.why is None:
            return None
        why, stay.why = stay.why, None
        task.uncancel()
        return why
