"""The lock files as data, and a walk over all that they must hold.

pins(name)               package -> Pin, of one lock file lacking(pins, asked)     what an install
of `asked` would look for beside the pins, for every Python and system supported
"""

import itertools
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")

_PIN = re.compile(
    r"([a-z0-9.-]+)(?:\[[a-z0-9,_-]+\])?==(\S+?)(?: ; (.+?))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
)
_PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_SYSTEMS = (
    ("linux", "Linux", "x86_64"),
    ("linux", "Linux", "aarch64"),
    ("darwin", "Darwin", "arm64"),
)


class Pin(NamedTuple):
    """One locked distribution. `marker` says for which machines it is locked; None: for all."""

    version: str
    marker: Marker | None


def pins(name: str) -> dict[str, Pin]:
    """Package to pin. Every line of the file must be a hashed pin or a remark."""
    text = (ROOT / name).read_text()
    found = {
        package: Pin(version, Marker(marker) if marker else None)
        for package, version, marker, _ in _PIN.findall(text)
    }
    rest = [
        line
        for line in _PIN.sub("", text).splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    assert [] == rest
    return found


def asked(*groups: str, extras: bool = True) -> list[Requirement]:
    """What pyproject.toml asks for: the project's dependencies, its extras and these dependency
    groups."""
    texts = list(PROJECT["project"]["dependencies"])
    if extras:
        texts += itertools.chain(*PROJECT["project"]["optional-dependencies"].values())
    for group in groups:
        texts += PROJECT["dependency-groups"][group]
    return [Requirement(text) for text in texts]


def machines() -> list[dict[str, str]]:
    """The markers' variables for every Python and system that is supported."""
    return [
        {
            **default_environment(),
            "python_version": python,
            "python_full_version": f"{python}.1",
            "implementation_version": f"{python}.1",
            "sys_platform": system,
            "platform_system": name,
            "platform_machine": machine,
        }
        for python, (system, name, machine) in itertools.product(_PYTHONS, _SYSTEMS)
    ]


def lacking(locked: Mapping[str, Pin], wanted: Iterable[Requirement]) -> list[str]:
    """A line for each requirement, however deep, that the pins do not meet. The requirements of a
    distribution are read from what is installed here; one that is locked only for other machines is
    not, and its own requirements are then not followed.
    """
    lines: dict[str, None] = {}
    for machine in machines():
        where = f"Python {machine['python_version']}, {machine['sys_platform']} on {machine['platform_machine']}"
        todo = [(requirement, "pyproject.toml", "") for requirement in wanted]
        seen: set[tuple[str, str]] = set()
        while todo:
            requirement, asker, extra = todo.pop()
            if requirement.marker is not None and not requirement.marker.evaluate(
                {**machine, "extra": extra}
            ):
                continue
            name = canonicalize_name(requirement.name)
            pin = locked.get(name)
            if pin is None or (pin.marker is not None and not pin.marker.evaluate(machine)):
                lines[f"{asker} wants {requirement}, which is not locked for {where}"] = None
                continue
            if not requirement.specifier.contains(pin.version, prereleases=True):
                lines[f"{asker} wants {requirement}, but {pin.version} is locked"] = None
            for wanted_extra in ("", *requirement.extras):
                if (name, wanted_extra) not in seen:
                    seen.add((name, wanted_extra))
                    todo += [
                        (inner, name, wanted_extra) for inner in _requirements(name, pin.version)
                    ]
    return list(lines)


@cache  # the same for every machine
def _requirements(name: str, version: str) -> tuple[Requirement, ...]:
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return ()
    if distribution.version != version:  # the environment is older than the lock: `make` renews it
        return ()
    return tuple(Requirement(text) for text in distribution.requires or ())
