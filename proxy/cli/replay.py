"""`mainstem replay`: the upstreams of recordings, as they were then."""

import argparse
from functools import partial
from pathlib import Path

from proxy.cli import common
from proxy.mock import alone
from proxy.mock.compose import MockSpec
from proxy.mock.files import recordings_in
from proxy.mock.manual import replay_greeting
from proxy.mock.script import MAX_RATE
from proxy.mock.server import MockServer
from proxy.net.ports import ListenError
from proxy.observe import logs
from proxy.recording.shelf import MATCHES

_NAME = "replay"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", does: str) -> None:
    """Add this command to the command line; `does` is its line in the list of commands."""
    parser = commands.add_parser(
        "replay",
        help=does,
        description=(
            "Answer requests from recordings, until SIGTERM or Ctrl-C: byte for byte, with the "
            "reads and the gaps that the network gave then. A request finds its recording by its "
            "path and then by --match; docs/RECORDINGS.md says more. A request's own headers "
            "x-mock-speed, x-mock-match and x-mock-fault go before the options."
        ),
    )
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="recordings, HAR files, or folders of them"
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="N",
        help="how many times faster than it was; 0: as fast as can be (default: 1)",
    )
    parser.add_argument(
        "--match",
        choices=MATCHES,
        default="nearest",
        help=(
            "exact: the recording of this very request; model: one of this model, in turn; order: "
            "the next one; nearest: the first of these that finds one (default)"
        ),
    )
    parser.add_argument("--fault", help="damage to do: see mainstem mock --help")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port",
        type=common.port,
        default=8089,
        help="port to listen on; 0: any that is free (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    shelf = tuple(titled for path in options.paths for titled in recordings_in(Path(path)))
    spec = MockSpec(
        "recorded", fault=options.fault, shelf=shelf, speed=options.speed, match=options.match
    )
    logs.configure("auto", "info")
    mock = MockServer({_NAME: spec}, root=_NAME)
    greet = partial(replay_greeting, shelf=shelf)
    try:
        common.run(alone.run(mock, options.host, options.port, greet))
    except OSError as error:
        raise ListenError(options.host, options.port, error, "--host, --port") from error
    return 0


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = -1
    if not 0 <= speed <= MAX_RATE:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is not a number from 0 (as fast as can be) to {MAX_RATE:.0f}"
        )
    return speed
