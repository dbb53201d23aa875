"""What several commands share."""

import argparse
import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from proxy.settings.load import load
from proxy.settings.model import Settings

T = TypeVar("T")


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add --config."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="the configuration file (YAML); without it $MAINSTEM_CONFIG, and without that the embedded mock answers for every dialect",
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that --config or $MAINSTEM_CONFIG names. Raises ConfigError."""
    if getattr(options, "mock", False):
        return load(None, {name: value for name, value in os.environ.items() if name != "MAINSTEM_CONFIG"})
    return load(Path(options.config) if options.config else None, os.environ)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop: what relaying a chunk costs is mostly the event loop's bookkeeping."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
