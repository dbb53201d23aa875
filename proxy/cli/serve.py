"""`mainstem serve`: the proxy."""

import argparse
import contextlib
import gc
import os
import resource
import shlex
import sys
from contextlib import ExitStack

import msgspec

from proxy.cli import common, local_key, memory, worker
from proxy.net.authorities import only_where_verified
from proxy.observe import logs
from proxy.reload import LOST
from proxy.settings.access import has_playground
from proxy.settings.auth import Auth
from proxy.settings.defaults import is_embedded
from proxy.settings.files import Files
from proxy.settings.mistakes import ConfigError
from proxy.settings.model import Settings

_PROMPT = "Say hello"
# A large request is read in a thread (relay/apart.py), in turns with the event loop: a stream waits
# for at most this long, where Python's own 5 ms would be felt at each of its chunks.
_SWITCH_S = 0.0002


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", does: str) -> None:
    """Add this command to the command line; `does` is its line in the list of commands."""
    parser = commands.add_parser(
        "serve",
        help=does,
        description=(
            "Run the proxy until SIGTERM or Ctrl-C: it then takes no new stream and gives those "
            "that run server.drain_s to end; a second signal ends it at once. The configuration is "
            "read again on SIGHUP, and by itself when its file, or one that it names (a key's, a "
            "mock's script), has changed (server.reload_check_s); running streams keep theirs, and "
            "a bad file changes nothing. With server.workers over 1, what only a new process can "
            "take up, and SIGUSR2, replace the workers one after another and cut no stream."
        ),
    )
    add_options(parser)
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a command that runs the proxy."""
    common.add_config(parser)
    parser.add_argument(
        "--mock",
        action="store_true",
        help="ignore $MAINSTEM_CONFIG: without a file the embedded mock answers for every dialect",
    )
    parser.add_argument("--host", help="address to listen on, whatever server.host is")
    parser.add_argument(
        "--port",
        type=common.port,
        help="port to listen on, whatever server.port is; 0 lets the system choose",
    )
    # one of several processes that share the port
    parser.add_argument("--worker", metavar="SOCKETS", help=argparse.SUPPRESS)
    # What it takes the place of had upstreams: a file that has lost them since must not put the
    # embedded mock there.
    parser.add_argument("--never-embedded", action="store_true", help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    if options.mock and options.config:
        raise common.WrongInputError(
            "Give either --mock, which runs without a configuration file, or --config."
        )
    files = Files()
    settings = common.settings_of(options, files)
    if options.never_embedded and is_embedded(settings):
        raise ConfigError([LOST])
    logs.configure(settings.logs.format, settings.logs.level)
    _allow_many_files()
    if settings.server.workers > 1 and not options.worker:
        from proxy.cli import workers  # noqa: PLC0415  one process needs none of it

        return workers.run(options, settings, _greeting)
    return common.run(_serve(options, settings, files))


async def _serve(options: argparse.Namespace, settings: Settings, files: Files) -> int:
    memory.tune()
    gc.disable()  # hardly any of what is made until it listens is garbage
    with only_where_verified():
        from proxy.app import Process  # noqa: PLC0415  a parent of workers needs none of it

    shared = os.environ["PROMETHEUS_MULTIPROC_DIR"] if options.worker else None
    key = local_key.made() if shared is None else local_key.given(shared)
    process = Process(
        settings,
        lambda files: common.settings_of(options, files),
        files,
        sockets=worker.sockets(options.worker) if options.worker else (),
        renew=worker.renew if options.worker else None,
        local_key=key,
    )
    try:
        await process.start()
    except BaseException:
        await process.stop()
        raise
    _tune_collector()
    sys.setswitchinterval(_SWITCH_S)

    def ready() -> None:
        if options.worker:
            worker.begin(process)
        else:
            print(_greeting(process.urls[0], process.admin_url, settings), flush=True)

    with ExitStack() as held:
        if key is not None and not options.worker:
            held.enter_context(local_key.kept(key, process.admin_url or process.urls[0]))
        async with memory.given_back():
            await process.run(ready)
    return 0


def _allow_many_files() -> None:
    """A stream takes two open files, and the usual limit is 1024: take as many as the system lets
    us have.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS says "unlimited" and means less
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _tune_collector() -> None:
    """Fewer and cheaper searches for cyclic garbage. What was loaded at the start stays, so it is
    never searched again; a request makes some hundred objects that reference counting frees by
    itself, so that the default, a search every 700, costs a sixth of a short request.

    All streams wait while it searches. What outlives a first search is searched once more, with
    what came through the two before: thirty thousand objects while thousands of streams are being
    opened. More objects at once would take no less time in all, but a longer pause: 15 ms for sixty
    thousand, 80 for two hundred thousand.
    """
    gc.freeze()
    gc.set_threshold(10_000, 1, 160)
    gc.enable()


def _greeting(url: str, admin_url: str | None, settings: Settings) -> str:
    """The line to curl and the page to open."""
    model = next((name for name in settings.models if name != "*"), "any")
    body = shlex.quote(msgspec.json.encode({"model": model, "prompt": _PROMPT}).decode())
    key = ' -H "authorization: Bearer $KEY"' if isinstance(settings.auth, Auth) else ""
    lines = [
        f"Mainstem is listening on {url}",
        *([f"  page     {url}/"] if has_playground(settings.server) else []),
        f"  metrics  {admin_url or url}/metrics"
        + (" (for a key with admin: true)" if key and admin_url is None else ""),
        f"  try      curl -N {url}/v1/stream -H 'content-type: application/json'{key} -d {body}",
    ]
    if settings.record is not None:
        lines.append(f"  record   streams of upstreams are kept in {settings.record.folder}")
    if any(upstream.mock is not None for upstream in settings.upstreams.values()):
        lines.append(
            "  mock     no key and no network needed: some or all answers are played by the "
            "embedded mock"
        )
    return "\n".join(lines)
