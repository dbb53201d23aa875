"""`mainstem check`: is the configuration right, and do its upstreams answer?"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

from proxy.cli import common
from proxy.cli.plain import plain
from proxy.codec.base import Parsed
from proxy.codec.relaying import built
from proxy.errors import Refused
from proxy.mock import played
from proxy.observe.metrics import make_metrics
from proxy.observe.record import StreamRecord
from proxy.relay.attempts import Attempts
from proxy.relay.plan import Bound, Plan, make_plan
from proxy.relay.states import UpstreamStates
from proxy.request import ChatRequest, Message
from proxy.routing import WILDCARD, Routed, Target
from proxy.settings.describe import effective
from proxy.settings.doubts import doubts
from proxy.settings.model import Settings
from proxy.upstream.client import Upstreams

_FAILED = "failed"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", does: str) -> None:
    """Add this command to the command line; `does` is its line in the list of commands."""
    parser = commands.add_parser(
        "check",
        help=does,
        description=(
            "Validate the configuration and print the tree in effect, file and environment and "
            "defaults together, without its "
            "secrets. Every mistake is one line on standard error; the exit status is then 1. What "
            "is most likely not meant is a warning there, with the exit status 0."
        ),
    )
    common.add_config(parser)
    parser.add_argument(
        "--ping",
        action="store_true",
        help="also ask each upstream for one token (a vendor charges for it)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    settings = common.settings_of(options)
    played.check(settings)  # raises MockError
    print(effective(settings), end="")
    found = doubts(settings)
    print(f"\n# {_summary(found)}", flush=True)
    for doubt in found:
        print(f"warning: {doubt}", file=sys.stderr)
    return common.run(_ping(settings)) if options.ping else 0


def _summary(found: Sequence[str]) -> str:
    if not found:
        return "ok"
    return f"ok, with {len(found)} warning{'s' if len(found) > 1 else ''}"


async def _ping(settings: Settings) -> int:
    """Ask every real upstream, all at once, for one token; print what came, in the order of the
    configuration.
    """
    plan = make_plan(settings, dict.fromkeys(played.played(settings), "http://127.0.0.1:9"))
    upstreams = Upstreams()
    try:
        asked = [
            asyncio.create_task(_ask(plan, upstreams, name, _model_of(settings, name)))
            for name in plan.upstreams
        ]
        print("# ping")
        wrong = 0
        for name, task in zip(plan.upstreams, asked, strict=True):
            said = await task
            wrong += said.startswith(_FAILED)
            print(f"# {name}: {plain(said)}", flush=True)
    finally:
        await upstreams.close()
    return 1 if wrong else 0


def _model_of(settings: Settings, upstream: str) -> str | None:
    """The vendor's name of the first model that leads there; None where only "*" does, so that no
    name is known.
    """
    named = (
        (name, target)
        for name, asked in settings.models.items()
        for target in asked.targets
        if target.upstream == upstream
    )
    return next(
        (
            model
            for name, target in named
            if (model := target.model or (name if name != WILDCARD else ""))
        ),
        None,
    )


async def _ask(plan: Plan, upstreams: Upstreams, name: str, model: str | None) -> str:
    """What came of it, read as a client's request is: through the upstream's decoder, up to its
    first content.
    """
    bound = plan.upstreams[name]
    if bound.played:
        return "is a mock, played here"
    request = ChatRequest(model=model or "ping", messages=[Message("user", "ping")], max_tokens=1)
    record = StreamRecord("check", "native", time.monotonic())
    target = Routed(request.model, (Target(name, request.model),))
    asked = _url(bound, target.targets[0], request)
    try:
        won = await Attempts(plan, upstreams, UpstreamStates(make_metrics()), record, target).first(
            Parsed(request), client_rewrites=True
        )
    except Refused as refused:
        why = f"({refused.failure.kind}) at {asked}: {refused.failure.message}"
        if model is None and refused.failure.kind in {"bad_request", "model_not_found"}:
            return (
                'answers, but only "*" leads to it, so that no name of a model is known to ask '
                f"for {why}"
            )
        return f"{_FAILED} {why}"
    won.drop()
    return (
        f"answers, as {bound.half.name} should, after "
        f"{time.monotonic() - record.started:.1f} s, at {asked}"
    )


def _url(bound: Bound, target: Target, request: ChatRequest) -> str:
    """What is asked, without a query: some vendors have the key there."""
    try:
        path = bound.endpoint.path or built(bound.half, request, bound.config(target)).path
    except Refused:  # then nothing is
        path = ""
    return (bound.endpoint.url + path).partition("?")[0]
