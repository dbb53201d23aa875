"""`mainstem check`: is the configuration right, and do its upstreams answer?"""

import argparse
import asyncio

from proxy.app import played
from proxy.cli import common
from proxy.errors import Refused
from proxy.mock.server import MockServer
from proxy.relay.plan import Bound, make_plan
from proxy.request import ChatRequest, Message
from proxy.routing import Place
from proxy.settings.describe import effective
from proxy.settings.model import Settings
from proxy.upstream import Upstreams


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command to the command line."""
    parser = commands.add_parser(
        "check",
        help="validate the configuration",
        description="Validate the configuration and print the effective tree without its secrets. Exit status 1 when something is wrong.",
    )
    common.add_config(parser)
    parser.add_argument("--ping", action="store_true", help="also ask each upstream for one token (a real vendor will charge for it)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    settings = common.settings_of(options)
    MockServer(played(settings))  # raises MockError for what cannot be played
    print(effective(settings))
    return common.run(_ping(settings)) if options.ping else 0


async def _ping(settings: Settings) -> int:
    """Ask every real upstream, in every model that names it, for one token; print what came."""
    plan = make_plan(settings, dict.fromkeys(played(settings), "http://127.0.0.1:9"))
    upstreams = Upstreams()
    wrong = 0
    try:
        for name, bound in plan.upstreams.items():
            model = next((t.model for targets in settings.models.values() for t in targets if t.upstream == name and t.model), "")
            said = "is a mock, played here" if bound.played else await _ask(upstreams, bound, model)
            wrong += said.startswith("failed")
            print(f"{name}: {said}")
    finally:
        await upstreams.close()
    return 1 if wrong else 0


async def _ask(upstreams: Upstreams, bound: Bound, model: str) -> str:
    request = ChatRequest(model=model, messages=[Message("user", "ping")], max_tokens=1)
    name = bound.endpoint.name
    try:
        async with asyncio.timeout(bound.timeouts.first_event_s):
            answer = await upstreams.open(bound.endpoint, bound.half.build_request(request, bound.target(Place(name, model))))
            body = await answer.read(4096)
    except Refused as refused:
        return f"failed ({refused.failure.kind}): {refused.failure.message}"
    except TimeoutError:
        return f"failed (first_event_timeout): it sent nothing within {bound.timeouts.first_event_s:g} s."
    answer.close()
    why = bound.half.parse_error(answer.status, answer.headers, body)
    if why is not None:
        return f"failed ({why.kind}): it answered {answer.status}: {why.message}"
    return f"answers ({answer.status}, {answer.content_type or 'no content type'})"
