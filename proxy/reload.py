"""Keeps the running configuration current: reads it again when asked to (SIGHUP), and when a file
of it has changed.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from proxy.mock.script import MockError
from proxy.observe.metrics import Metrics
from proxy.settings.defaults import is_embedded
from proxy.settings.files import Files
from proxy.settings.mistakes import ConfigError
from proxy.settings.model import Settings
from proxy.settings.sections import Server

# Reads the settings, and tells of the files that it takes. Raises ConfigError.
Load = Callable[[Files], Settings]
# Has this process replaced by one that begins with these settings.
Renew = Callable[[Settings], None]
_LIVE = (
    "announce_s",
    "drain_s",
    "reload_check_s",
    "tls",
)  # of server; the rest is fixed once it listens
# what no process can change that shares its port with others
_PLACES = ("server.host", "server.port", "server.tls", "admin")
_RESTART = (
    "stop it and start it again: what still runs after server.drain_s is ended; with a second "
    "process behind a front no stream is lost (docs/OPERATING.md)"
)
_RESTART_OR_WORKERS = f"{_RESTART}. With server.workers over 1 it takes no restart"
LOST = (
    "the configuration names no upstreams any more, and the embedded mock must not answer in "
    "their place: "
    "put them back, or restart to run the mock"
)


class Reloader:
    """One reading at a time, and all of it off the event loop: neither a large file nor a folder
    that hangs holds up a stream.

    `adopt` puts new settings in place; it raises ConfigError, MockError or OSError when they cannot
    be, and has then changed nothing. `files` are those that `settings` were read from. `renew` is
    asked for once settings have changed which only another process takes up.
    """

    def __init__(
        self,
        settings: Settings,
        files: Files,
        load: Load,
        adopt: Callable[[Settings], Awaitable[None]],
        metrics: Metrics,
        *,
        renew: Renew | None = None,
    ) -> None:
        self.settings = settings  # those in use
        self._begun_with = settings
        self._files = files
        self._load = load
        self._adopt = adopt
        self._metrics = metrics
        self._renew = renew
        self._asked = asyncio.Event()

    @property
    def _log(self) -> Any:
        # bound anew each time: a reload may have changed the level
        return structlog.get_logger("mainstem").bind(pid=os.getpid())

    def ask(self) -> None:
        """Have the configuration read soon. Those who ask while it is being read get one more
        reading between them.
        """
        self._asked.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            if (
                await self._asked_within(self.settings.server.reload_check_s)
                or await self._changed()
            ):
                await self.reload()

    async def reload(self) -> None:
        """Read the configuration. A bad one changes nothing, and is logged once: its files count as
        seen.
        """
        files = Files()
        try:
            settings = await asyncio.to_thread(self._read, files)
            await self._adopt(settings)
        except (ConfigError, MockError, OSError) as error:
            problems = error.problems if isinstance(error, ConfigError) else [str(error)]
            self._log.error(
                "configuration not reloaded: nothing was changed",
                pid=os.getpid(),
                problems=problems,
            )
            self._metrics.reloaded(ok=False)
        except Exception:  # noqa: BLE001  whatever it is, there will be a next time
            self._log.exception(
                "configuration not reloaded: a defect of this proxy; nothing was changed",
                pid=os.getpid(),
            )
            self._metrics.reloaded(ok=False)
        else:
            self.settings = settings
            self._metrics.reloaded(ok=True)
            self._warn()
            self._log.info("configuration reloaded", pid=os.getpid())
        finally:
            self._files = files

    def _read(self, files: Files) -> Settings:
        settings = self._load(files)
        if is_embedded(settings) and not is_embedded(self.settings):
            raise ConfigError([LOST])
        return settings

    def _warn(self) -> None:
        now, then = self.settings, self._begun_with
        fixed = [
            f"server.{name}"
            for name in Server.model_fields
            if name not in _LIVE and getattr(now.server, name) != getattr(then.server, name)
        ]
        if (now.server.tls is None) != (then.server.tls is None):
            fixed.append("server.tls")
        if now.admin != then.admin:
            fixed.append("admin")
        if now.tracing != then.tracing:
            fixed.append("tracing")
        if _store(now) != _store(then):
            fixed.append("streams.resume.store")
        renewed = [name for name in fixed if name not in _PLACES] if self._renew else []
        if self._renew and renewed:
            self._log.info("these settings take a new process", pid=os.getpid(), settings=renewed)
            self._renew(now)
        rest = [name for name in fixed if name not in renewed]
        if rest:
            self._log.warning(
                "these settings need a restart to take effect",
                pid=os.getpid(),
                settings=rest,
                remedy=_RESTART if set(rest) & set(_PLACES) else _RESTART_OR_WORKERS,
            )

    async def _asked_within(self, seconds: float) -> bool:
        """0 seconds: until asked."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds or None):
                await self._asked.wait()
        asked = self._asked.is_set()
        self._asked.clear()
        return asked

    async def _changed(self) -> bool:
        return bool(self._files) and await asyncio.to_thread(self._files.changed)


def _store(settings: Settings) -> object:
    resume = settings.streams.resume
    return "memory" if resume is None else resume.store
