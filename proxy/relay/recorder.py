"""Keeps the streams of one upstream as files, where that is configured: see `proxy/recording`.

A stream is held in memory while it runs, within bounds, and written by another thread when it is
over: the event loop waits for no disk, and a file is whole or not there.
"""

import asyncio
import contextlib
import os
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
import structlog

from proxy.codec.base import Outgoing
from proxy.recording import keeping
from proxy.recording.tape import SUFFIX, Asked, End, Read, Recording, instant, written
from proxy.recording.veil import masked, veiled
from proxy.relay.redactor import Redactor
from proxy.settings.recording import Record
from proxy.settings.secret import holds_secret
from proxy.upstream.listener import Over

_MAX_HELD_BYTES = 67_108_864  # of all streams of an upstream that run
_MAX_REQUEST_BYTES = 1_048_576  # of one with images, only what is beside the body is kept
_MAX_NAME_CHARS = 40
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


class Recorder:
    """For one upstream. Costs nothing where there is none."""

    def __init__(self, upstream: str, dialect: str, settings: Record) -> None:
        self.upstream = upstream
        self.dialect = dialect
        self.settings = settings
        self._held = 0

    def begin(
        self,
        *,
        call: Outgoing,
        path: str,
        model: str,
        redactor: Redactor,
        started: float,
        status: int,
        headers: Mapping[str, str],
    ) -> "Tape":
        """What hears one answer, whose head has just come. `path` was asked; `started`, of the
        monotonic clock, is when the request was begun.
        """
        now = monotonic()
        blank = Recording(
            upstream=self.upstream,
            dialect=self.dialect,
            model=model,
            recorded=instant(datetime.now(UTC) - timedelta(seconds=now - started)),
            request=Asked(call.method, path.partition("?")[0], keeping.of_request(call.headers)),
            head_ms=(now - started) * 1000,
            status=status,
            headers=keeping.of_answer(headers),
            reads=(),
            end="left",
            end_ms=0,
            masked=self.settings.redact,
        )
        return Tape(self, blank, call.body, redactor, started)

    def hold(self, size: int) -> bool:
        """Take so many bytes of memory, if there are so many left."""
        if self._held + size > _MAX_HELD_BYTES:
            return False
        self._held += size
        return True

    def let_go(self, size: int) -> None:
        self._held -= size


class Tape:
    """One answer, while it comes."""

    __slots__ = ("_blank", "_body", "_full_ms", "_reads", "_recorder", "_redactor", "_size", "_t0")

    def __init__(
        self, recorder: Recorder, blank: Recording, body: bytes, redactor: Redactor, started: float
    ) -> None:
        self._recorder = recorder
        self._blank = blank
        self._body = body
        self._redactor = redactor
        self._t0 = started
        self._reads: list[tuple[float, bytes]] = []
        self._size = 0
        self._full_ms: float | None = None

    def chunk(self, data: bytes) -> None:
        """See `Listener`."""
        if self._full_ms is not None:
            return
        size = len(data)
        most = self._recorder.settings.max_file_bytes
        if self._size + size > most or not self._recorder.hold(size):
            self._full_ms = self._ms()
            return
        self._size += size
        self._reads.append((self._ms(), data))

    def over(self, how: Over) -> None:
        """See `Listener`."""
        end: End = how if self._full_ms is None else "full"
        at = self._ms() if self._full_ms is None else self._full_ms
        writing = asyncio.get_running_loop().run_in_executor(None, partial(self._write, end, at))
        writing.add_done_callback(lambda _: self._recorder.let_go(self._size))

    def _ms(self) -> float:
        return (monotonic() - self._t0) * 1000

    def _write(self, end: End, end_ms: float) -> None:
        """In a thread."""
        try:
            _save(self._recorder.settings, self._whole(end, end_ms))
        except _NoRoomError as error:
            _log().warning(
                "a stream was not recorded", upstream=self._blank.upstream, why=str(error)
            )
        except OSError as error:
            said = f"{error.filename or self._recorder.settings.folder}: {error.strerror}"
            _log().warning("a stream was not recorded", upstream=self._blank.upstream, why=said)

    def _whole(self, end: End, end_ms: float) -> Recording:
        """Without what is to be hidden. A secret may stand in two reads, so they are looked at
        together.
        """
        names = self._recorder.settings.redact
        data = b"".join(data for _, data in self._reads)
        data = veiled(self._redactor.same_size(data), names)
        reads, at = [], 0
        for ms, read in self._reads:
            reads.append(Read(ms, data[at : at + len(read)]))
            at += len(read)
        asked = msgspec.structs.replace(
            self._blank.request,
            path=self._redactor.text(self._blank.request.path),
            body=self._asked(frozenset(names)),
        )
        said = self._blank.headers.items()
        return msgspec.structs.replace(
            self._blank,
            request=asked,
            headers={name: self._redactor.text(value) for name, value in said},
            reads=tuple(reads),
            end=end,
            end_ms=end_ms,
        )

    def _asked(self, names: frozenset[str]) -> Any:
        """The body of the request, as far as it may be kept."""
        if len(self._body) > _MAX_REQUEST_BYTES:
            return None
        text = self._redactor.text(self._body.decode(errors="replace"))
        try:
            body = msgspec.json.decode(text)
            return masked(body, lambda name: name in names or holds_secret(name))
        except (msgspec.DecodeError, RecursionError):  # a form
            return None


class _NoRoomError(Exception):
    """The folder is full."""


def _save(settings: Record, recording: Recording) -> None:
    """Raises _NoRoomError, or OSError. Only the owner may read the file; one that another program
    has put in its place is neither followed nor overwritten.
    """
    folder = Path(settings.folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sum(path.name.endswith(SUFFIX) for path in folder.iterdir()) >= settings.max_files:
        raise _NoRoomError(f"{folder} holds record.max_files ({settings.max_files}) of them")
    data = written(recording)
    final = folder / _name(recording)
    part = final.with_name(f".{final.name}.part")
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(data)
        part.rename(final)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _name(recording: Recording) -> str:
    """Of characters that are safe everywhere; sorted by name, files are in the order of time."""
    when = re.sub(r"[^0-9TZ]", "", recording.recorded)
    words = (
        _UNFIT.sub("-", word)[:_MAX_NAME_CHARS] for word in (recording.upstream, recording.model)
    )
    return "-".join([when, *filter(None, words), secrets.token_hex(4)]) + SUFFIX


def _log() -> Any:
    return structlog.get_logger("mainstem")
