"""What most likely was meant by a value or a name that is wrong: the end of a mistake's sentence,
or nothing.

No hint repeats a text of the file; a number is repeated in the unit of its setting.
"""

import difflib
import math
import re
from collections.abc import Collection
from typing import Any

from proxy.settings.syntax import foreign

_NUMBER = re.compile(r"\s*(\d+(?:[.,]\d+)?(?:[eE]\+?\d{1,2})?)\s*([A-Za-z%]*)\s*")
_SECONDS = {
    **dict.fromkeys(("ms", "millis", "milliseconds"), 0.001),
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
}
_BYTES = {
    "": 1,
    "b": 1,
    **{
        unit + rest: 1024**power
        for power, unit in enumerate("kmg", 1)
        for rest in ("", "b", "ib", "bytes")
    },
}
_PLAIN = {"": 1.0, "%": 0.01, "k": 1000.0}
_MOST = 1e15  # beyond it no setting has a meaning
# What other programs call a setting of ours, in its own section.
_ELSEWHERE = {
    **dict.fromkeys(("endpoint", "api_base", "uri", "address", "server"), "base_url"),
    **dict.fromkeys(("provider", "company"), "vendor"),
    **dict.fromkeys(("type", "kind", "protocol", "format"), "dialect"),
    **dict.fromkeys(("key", "hash", "token", "api_key"), "sha256"),
    **dict.fromkeys(("providers", "backends", "services"), "upstreams"),
    **dict.fromkeys(("logging", "logger"), "logs"),
    **dict.fromkeys(("aliases", "routes", "model_list"), "models"),
    **dict.fromkeys(("bind", "listen", "interface"), "host"),
    **dict.fromkeys(("fallbacks", "upstreams"), "targets"),
}


def as_number(name: str, given: str, *, whole: bool) -> str:
    """`: write 300`: the number that a text such as "5m" stands for in the unit that a setting's
    name ends in.
    """
    found = _NUMBER.fullmatch(given)
    if found is None:
        return ""
    units = _SECONDS if name.endswith("_s") else _BYTES if name.endswith("_bytes") else _PLAIN
    factor = units.get(found[2].lower())
    value = math.inf if factor is None else float(found[1].replace(",", ".")) * factor
    if value > _MOST or (whole and value != int(value)):
        return ""
    unit = ", in seconds" if units is _SECONDS else ", in bytes" if units is _BYTES else ""
    return f": write {int(value) if value == int(value) else f'{value:.12g}'}{unit}"


def as_section(given: Any) -> str:
    """What a text lacks to be a section, such as `port:8080`."""
    if not isinstance(given, str):
        return ""
    if sign := foreign(given):
        return f": {sign} must be a plain one"
    return ": put a space behind the colon" if ":" in given else ""


def meant_name(key: str, known: Collection[str]) -> str | None:
    """The one of the known names that a wrong one most likely stands for: nearly the same, one with
    this word in it, or what other programs call so.
    """
    if near := difflib.get_close_matches(key.lower().replace("-", "_"), known, 1):
        return near[0]
    words = set(key.lower().replace("-", "_").split("_"))
    holding = [name for name in known if words <= set(name.split("_"))]
    if holding:
        return min(holding, key=len)
    other = _ELSEWHERE.get(key.lower())
    return other if other in known else None
