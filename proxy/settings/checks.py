"""What holds between settings, checked on the tree of plain values: so that one wrong number does not hide a wrong name.

Each check takes the merged tree, in which anything may have any type, and passes over what is not of the type that it needs:
validation says that.
"""

import ipaddress
from collections import Counter
from collections.abc import Mapping
from typing import Any

from proxy.dialects.registry import UPSTREAMS
from proxy.settings.mistakes import Problems, nearest
from proxy.settings.model import Admin, Server

Raw = Mapping[str, Any]


def check(tree: Raw, problems: Problems) -> None:
    """Adds what is wrong."""
    _dialects(tree, problems)
    _targets(tree, problems)
    _listeners(tree, problems)
    _keys(tree, problems)


def section(tree: Raw, *names: str) -> dict[str, Any]:
    """A section of the tree, empty where there is none or something else stands there."""
    here: Any = tree
    for name in names:
        here = here.get(name) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else {}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener there. A name that is not localhost may be anything."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower() == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _given(branch: Raw, name: str, default: Any) -> Any:
    value = branch.get(name)
    return default if value is None else value


def _dialects(tree: Raw, problems: Problems) -> None:
    for name, upstream in section(tree, "upstreams").items():
        dialect = upstream.get("dialect") if isinstance(upstream, dict) else None
        if isinstance(dialect, str) and dialect not in UPSTREAMS:
            problems.say(("upstreams", name, "dialect"), f"{dialect[:60]!r} is not a dialect{nearest(dialect, UPSTREAMS)}")


def _targets(tree: Raw, problems: Problems) -> None:
    upstreams, models = section(tree, "upstreams"), section(tree, "models")
    if upstreams and not tree.get("models"):
        problems.say(("models",), f'is empty: say what clients may ask for, for example "*": [{{upstream: {next(iter(upstreams))}}}]')
    for model, targets in models.items():
        if targets in ([], None):
            problems.say(("models", model), "needs at least one target, for example [{upstream: NAME, model: THE-VENDORS-NAME}]")
        for index, target in enumerate(targets if isinstance(targets, list) else []):
            upstream = target.get("upstream") if isinstance(target, dict) else None
            if isinstance(upstream, str) and upstream not in upstreams:
                problems.say(
                    ("models", model, index, "upstream"), f"{upstream[:60]!r} is not among upstreams{nearest(upstream, upstreams)}"
                )


def _listeners(tree: Raw, problems: Problems) -> None:
    server, admin = section(tree, "server"), section(tree, "admin")
    host, port = _given(server, "host", Server().host), _given(server, "port", Server().port)
    fix = "give keys under auth, listen on 127.0.0.1, or write `auth: none` to let anyone in"
    if tree.get("auth") is None:
        if isinstance(host, str) and not is_loopback(host):
            problems.say(("server", "host"), f"{host[:60]!r} can be reached from other machines, and auth is absent: {fix}")
        admin_host = admin.get("host")
        if isinstance(admin_host, str) and not is_loopback(admin_host):
            problems.say(("admin", "host"), f"{admin_host[:60]!r} shows the metrics to other machines, and auth is absent: {fix}")
    if "admin" in tree and tree["admin"] is not None:
        same_host = _given(admin, "host", Admin().host) == host
        if same_host and str(_given(admin, "port", Admin().port)) == str(port) != "0":
            problems.say(("admin", "port"), "is the port of server too: choose another, or leave admin out to serve both on one")


def _keys(tree: Raw, problems: Problems) -> None:
    auth = tree.get("auth")
    if not isinstance(auth, dict):
        return
    keys = auth.get("keys")
    if not keys:
        problems.say(("auth", "keys"), "is empty, so nobody could call: list a key, or write `auth: none` to let anyone in")
    listed = [key if isinstance(key, dict) else {} for key in keys] if isinstance(keys, list) else []
    for field in ("name", "sha256"):
        counts = Counter(key[field] for key in listed if isinstance(key.get(field), str))
        for index, key in enumerate(listed):
            if counts[str(key.get(field))] > 1:
                problems.say(("auth", "keys", index, field), "is that of another key too: give each its own")
    _models_of_keys(tree, listed, problems)


def _models_of_keys(tree: Raw, keys: list[dict[str, Any]], problems: Problems) -> None:
    known = section(tree, "models")
    if "*" in known:
        return
    for index, key in enumerate(keys):
        names = key.get("models")
        for number, name in enumerate(names if isinstance(names, list) else []):
            if isinstance(name, str) and name != "*" and name not in known:
                problems.say(("auth", "keys", index, "models", number), f"{name[:60]!r} is not among models{nearest(name, known)}")
