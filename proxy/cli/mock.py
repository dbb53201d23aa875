"""`mainstem mock`: the vendors alone, every dialect on its own path."""

import argparse
import sys

from proxy.cli import common
from proxy.mock import server
from proxy.observe import logs


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command to the command line."""
    parser = commands.add_parser(
        "mock",
        help="play the vendors, without a key or a network",
        description="Play every vendor on its own path. Per request, the headers x-mock-scenario, x-mock-fault and x-mock-tokens-per-s "
        "say what to play.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8089, help="port to listen on; 0 lets the system choose (default: %(default)s)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    logs.configure("auto", "info")
    try:
        common.run(server.run(options.host, options.port))
    except OSError as error:
        print(
            f"Cannot listen on {options.host}:{options.port}: {error.strerror or error}. Choose another port with --port.", file=sys.stderr
        )
        return 1
    return 0
