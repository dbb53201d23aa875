"""`mainstem serve`: the proxy."""

import argparse
import gc
import sys

from proxy.app import Process
from proxy.cli import common, workers
from proxy.observe import logs
from proxy.settings.model import Settings

_PROMPT = "Say hello"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command to the command line."""
    parser = commands.add_parser(
        "serve", help="run the proxy", description="Run the proxy until SIGTERM or Ctrl-C; SIGHUP reads the configuration again."
    )
    common.add_config(parser)
    parser.add_argument("--mock", action="store_true", help="ignore every configuration file: the embedded mock answers for every dialect")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)  # one of several processes that share the port
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    settings = common.settings_of(options)
    logs.configure(settings.logs.format, settings.logs.level)
    if settings.server.workers > 1 and not options.worker:
        return workers.run(options, settings, _greeting)
    return common.run(_serve(options, settings))


async def _serve(options: argparse.Namespace, settings: Settings) -> int:
    process = Process(lambda: common.settings_of(options), reuse_port=options.worker)
    try:
        await process.start()
    except OSError as error:
        server, admin = settings.server, settings.admin
        places = f"server {server.host}:{server.port}" + (f", admin {admin.host}:{admin.port}" if admin else "")
        print(f"Cannot listen ({places}): {error.strerror or error}. Choose another port, or stop what uses it.", file=sys.stderr)
        await process.stop()
        return 1
    _tune_collector()
    if not options.worker:
        print(_greeting(process.urls[0], process.admin_url, settings), flush=True)
    await process.run()
    return 0


def _tune_collector() -> None:
    """Fewer and cheaper searches for cyclic garbage. What was loaded at the start stays, so it is never searched again; a request makes
    some hundred objects that reference counting frees by itself, so that the default, a search every 700, costs a sixth of a short request.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _greeting(url: str, admin_url: str | None, settings: Settings) -> str:
    """The line to curl and the page to open."""
    names = [name for name in settings.models if name != "*"]
    model = names[0] if names else "any"
    body = f'{{"model": "{model}", "prompt": "{_PROMPT}"}}'
    lines = [
        f"Mainstem is listening on {url}",
        f"  page     {url}/",
        f"  metrics  {admin_url or url}/metrics",
        f"  try      curl -N {url}/v1/stream -H 'content-type: application/json' -d '{body}'",
    ]
    if any(upstream.mock is not None for upstream in settings.upstreams.values()):
        lines.append("  mock     no key and no network needed: some or all answers are played by the embedded mock")
    return "\n".join(lines)
