"""A client stops its answer, whether answers are kept or not: what runs for it is looked for among
all that runs in this process, then in the other workers, which share nothing else.
"""

from urllib.parse import urlencode

from aiohttp import web

from proxy.errors import failure
from proxy.server.gateway import Gateway
from proxy.server.siblings import Siblings

CANCELLED = "The stream was cancelled by a client."
_PATH = "/stopped"


class Stopping:
    """For one process."""

    def __init__(self, gateway: Gateway, siblings: Siblings) -> None:
        self._gateway = gateway
        self._siblings = siblings

    async def stop(self, name: str, owner: str, dialect: str) -> bool:
        """End what this owner's clients of a dialect call so, or what has this id, if it is theirs.
        Its upstream is left at once, and whoever reads it is told. False: nothing such runs.
        """
        if _stopped(self._gateway, name, owner, dialect):
            return True
        asked = urlencode({"name": name, "owner": owner, "dialect": dialect})
        told = await self._siblings.ask("POST", f"{_PATH}?{asked}")
        return any(status == 204 for status, _ in told)


def answer_siblings(app: web.Application, gateway: Gateway) -> None:
    """What the other workers are answered: of this one alone."""

    async def stop(request: web.Request) -> web.StreamResponse:
        asked = request.query
        stopped = _stopped(gateway, asked["name"], asked["owner"], asked["dialect"])
        return web.Response(status=204 if stopped else 404)

    app.router.add_post(_PATH, stop)


def _stopped(gateway: Gateway, name: str, owner: str, dialect: str) -> bool:
    return gateway.stop(name, owner, dialect, failure("cancelled", CANCELLED))
