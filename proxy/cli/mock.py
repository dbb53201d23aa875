"""`mainstem mock`: the vendors alone, every dialect on its own path."""

import argparse
from pathlib import Path

from proxy.cli import common
from proxy.mock import alone
from proxy.mock.compose import DEFAULT_SCENARIO
from proxy.mock.fixtures import fixtures_in
from proxy.mock.load import read
from proxy.mock.manual import greeting, wishes_text
from proxy.mock.server import MockServer
from proxy.net.ports import ListenError
from proxy.observe import logs


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", does: str) -> None:
    """Add this command to the command line; `does` is its line in the list of commands."""
    parser = commands.add_parser(
        "mock",
        help=does,
        description="Play every vendor on its own path, until SIGTERM or Ctrl-C.",
        epilog=wishes_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port",
        type=common.port,
        default=8089,
        help="port to listen on; 0: any that is free (default: %(default)s)",
    )
    parser.add_argument(
        "--scripts", metavar="FOLDER", help="scripts and recordings that x-mock-scenario may name"
    )
    parser.add_argument(
        "--fixtures",
        metavar="FILE",
        help="answers by what was asked, in YAML (docs/MOCK.md): the first fixture that fits",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    scripts = Path(options.scripts) if options.scripts is not None else None
    if scripts is not None and not scripts.is_dir():
        raise common.WrongInputError(
            f"{scripts} is not a folder: --scripts takes the folder that holds the scripts "
            "and recordings."
        )
    logs.configure("auto", "info")
    try:
        mock = MockServer(
            {}, every_dialect=True, scripts=scripts, scenario=_scenario(options.fixtures)
        )
        common.run(alone.run(mock, options.host, options.port, greeting))
    except OSError as error:
        raise ListenError(options.host, options.port, error, "--host, --port") from error
    return 0


def _scenario(fixtures: str | None) -> str:
    """What every dialect plays."""
    if fixtures is None:
        return DEFAULT_SCENARIO
    path = Path(fixtures).absolute()
    if fixtures_in(path, read(path)) is None:
        raise common.WrongInputError(
            f"{fixtures} holds no fixtures: it must be YAML, named .yaml, with the one key "
            "`fixtures`."
        )
    return str(path)
