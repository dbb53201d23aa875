"""What several commands share."""

import argparse
import asyncio
import os
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from proxy.settings.files import Files
from proxy.settings.load import load
from proxy.settings.mistakes import ConfigError
from proxy.settings.model import Settings

T = TypeVar("T")
# Options that stand for a setting, by the variable that would set it.
_VARIABLES = {
    "MAINSTEM_SERVER__HOST": "host",
    "MAINSTEM_SERVER__PORT": "port",
    "MAINSTEM_RECORD__FOLDER": "to",
    "MAINSTEM_RECORD__REDACT": "redact",
}


class WrongInputError(Exception):
    """What a command was given cannot be used; one sentence."""


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add --config."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help=(
            "the configuration file (YAML); without it $MAINSTEM_CONFIG, and without that the "
            "embedded mock answers for every dialect"
        ),
    )


def port(text: str) -> int:
    """A port, for an option."""
    return _number(text, 0, 65535)


def count(text: str) -> int:
    """A number from 1, for an option."""
    return _number(text, 1, 1 << 31)


def settings_of(options: argparse.Namespace, files: Files | None = None) -> Settings:
    """The settings that the options, $MAINSTEM_CONFIG and the environment give. Raises ConfigError.
    `files` is told of every file read.
    """
    try:
        return load(Path(options.config) if options.config else None, environ_of(options), files)
    except ConfigError as error:
        raise ConfigError([_of_option(problem, options) for problem in error.problems]) from None


def environ_of(options: argparse.Namespace) -> dict[str, str]:
    """The environment as the settings are to see it: options that stand for a setting go before its
    variable.
    """
    given = {
        name: str(value)
        for name, option in _VARIABLES.items()
        if (value := getattr(options, option, None)) is not None
    }
    environ = dict(os.environ)
    if getattr(options, "mock", False):
        environ.pop("MAINSTEM_CONFIG", None)
    return overridden(environ, given)


def overridden(environ: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """`environ` with the variables of `given`, whose names are compared without case as everywhere
    in the settings.
    """
    return {
        **{name: value for name, value in environ.items() if name.upper() not in given},
        **given,
    }


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run it on an event loop of its own."""
    with new_runner() as made:
        return made.run(main)


def new_runner() -> asyncio.Runner:
    """On uvloop: what relaying a chunk costs is mostly the event loop's bookkeeping."""
    import uvloop  # noqa: PLC0415  a parent of workers has no event loop

    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def _number(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and least <= int(text[:20]) <= most):
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is not a whole number from {least} to {most}"
        )
    return int(text)


def _of_option(problem: str, options: argparse.Namespace) -> str:
    """A mistake in the words of who made it: with --port, not with a variable that was never
    set.
    """
    variable, colon, rest = problem.partition(":")
    option = _VARIABLES.get(variable)
    return (
        f"--{option}{colon}{rest}"
        if option is not None and getattr(options, option, None) is not None
        else problem
    )
