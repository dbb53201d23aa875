"""The workers that share this one's ports, asked one by one: what each has open it alone knows.

Each listens at a socket in the folder that they share, which only their own user may enter. Nobody
else is behind it, so what is asked there needs no key.
"""

import asyncio
import contextlib
import os
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web

from proxy.observe.crew import SOCKETS, socket_of
from proxy.server.fetched import whole_body

_WAIT_S = 5.0  # for one worker: its event loop, or the machine, may be busy; whoever asks has 10
_MAX_BYTES = 67_108_864  # of one's answer: ten thousand streams take six million
_MAX_PATH_BYTES = 100  # of a socket's path; systems allow a few more


class Siblings:
    """All workers, this one too. `folder` None: it is alone."""

    def __init__(self, folder: str | None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._own = socket_of(os.getpid())
        self._runner: web.AppRunner | None = None

    async def listen(self, app: web.Application) -> None:
        """Answer the others with `app`. `close` must follow."""
        if self._folder is None:
            return
        path = self._folder / self._own
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        try:
            if len(os.fsencode(path)) > _MAX_PATH_BYTES:
                raise OSError("the path of the folder is too long for a socket")  # noqa: TRY301
            await web.UnixSite(self._runner, path).start()
        except OSError as error:
            said = "other workers cannot ask this one what it has open"
            structlog.get_logger("mainstem").warning(said, error=str(error))

    async def close(self) -> None:
        """Answer no more."""
        if self._runner is not None and self._folder is not None:
            await self._runner.cleanup()
            (self._folder / self._own).unlink(missing_ok=True)

    async def ask(self, method: str, path: str) -> list[tuple[int, bytes]]:
        """The status and the body that each of the others answers with. One that has died, does not
        answer in time, or says more than it can have to say, is left out.
        """
        if self._folder is None:
            return []
        others = [each for each in self._folder.glob(SOCKETS) if each.name != self._own]
        found = await asyncio.gather(*(_asked(each, method, path) for each in others))
        return [answer for answer in found if answer is not None]


async def _asked(socket: Path, method: str, path: str) -> tuple[int, bytes] | None:
    connector = aiohttp.UnixConnector(str(socket))
    timeout = aiohttp.ClientTimeout(total=_WAIT_S)
    with contextlib.suppress(OSError, TimeoutError, ValueError, aiohttp.ClientError):
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.request(method, f"http://worker{path}", allow_redirects=False) as response,
        ):
            return response.status, await whole_body(response, _MAX_BYTES)
    return None
