"""What holds between the settings of who may call. Part of `proxy/settings/checks.py`."""

import ipaddress
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from proxy.settings.mistakes import Problems, nearest
from proxy.settings.reading import read_file, unreadable
from proxy.settings.schema import Where
from proxy.settings.sections import Server
from proxy.settings.values import expiry

# SHA-256 of no bytes at all.
_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_MAX_JWKS_BYTES = 262_144


def check_access(auth: Any, store: Any, models: Mapping[str, Any], problems: Problems) -> None:
    """Adds what is wrong. `auth`, `store` (that of limits) and `models` are parts of the merged
    tree.
    """
    check_store(("limits", "store"), store, problems)
    if isinstance(auth, dict):
        token = auth.get("jwt")
        _keys(auth.get("keys"), models, problems, alone=token is None)
        if isinstance(token, dict):
            _jwt(token, models, problems)


def check_store(where: Where, store: Any, problems: Problems) -> None:
    """Adds that a store needs what is not installed."""
    if store not in (None, "memory") and find_spec("redis") is None:
        problems.say(
            where, 'needs a client of Redis, which is not installed: pip install "mainstem[redis]"'
        )


def has_playground(server: Server) -> bool:
    """Whether the page at / is there: as it is chosen, else where only this machine comes."""
    return is_loopback(server.host) if server.playground is None else server.playground


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener there. A name that is not localhost may be
    anything.
    """
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower() == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def with_jwks_found(tree: Mapping[str, Any], folder: Path, problems: Problems) -> dict[str, Any]:
    """The tree with auth.jwt.jwks_file found from the configuration's folder. Adds what is wrong
    with that file.
    """
    auth = tree.get("auth")
    token = auth.get("jwt") if isinstance(auth, dict) else None
    named = token.get("jwks_file") if isinstance(token, dict) else None
    if not isinstance(auth, dict) or not isinstance(token, dict) or not isinstance(named, str):
        return dict(tree)
    fault = _jwks_fault(folder / named)
    if fault:
        problems.say(("auth", "jwt", "jwks_file"), fault)
    return {**tree, "auth": {**auth, "jwt": {**token, "jwks_file": str(folder / named)}}}


def _jwks_fault(file: Path) -> str:
    try:
        found = json.loads(read_file(file, _MAX_JWKS_BYTES))
    except OSError as error:
        return unreadable(file, error)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and isinstance(found.get("keys"), list):
        return ""
    return (
        f'does not hold a JWK set: {file}; it must be JSON such as {{"keys": [...]}}, as the '
        "login service publishes it"
    )


def _keys(keys: Any, models: Mapping[str, Any], problems: Problems, *, alone: bool) -> None:
    """`alone`: keys are the only way in."""
    if not keys and alone:
        problems.say(
            ("auth", "keys"),
            "is empty, so nobody could call: list a key, or write `auth: none` to let anyone in",
        )
    listed = (
        [key if isinstance(key, dict) else {} for key in keys] if isinstance(keys, list) else []
    )
    for field in ("name", "sha256"):
        counts = Counter(key[field] for key in listed if isinstance(key.get(field), str))
        for index, key in enumerate(listed):
            if counts[str(key.get(field))] > 1:
                problems.say(
                    ("auth", "keys", index, field), "is that of another key too: give each its own"
                )
    for index, key in enumerate(listed):
        if key.get("sha256") == _OF_NOTHING:
            problems.say(
                ("auth", "keys", index, "sha256"),
                "is that of an empty text: the variable that was hashed held no key",
            )
    if listed and alone and all(_has_expired(key) for key in listed):
        problems.say(
            ("auth", "keys"),
            (
                "has no key that is still good, so nobody could call: add one, or give one a "
                "later expires"
            ),
        )
    for index, key in enumerate(listed):
        _models(("auth", "keys", index, "models"), key.get("models"), models, problems)


def _has_expired(key: Mapping[str, Any]) -> bool:
    try:
        return key.get("expires") is not None and expiry(key["expires"]) <= datetime.now(UTC)
    except ValueError:
        return False  # validation says that it is no date


def _jwt(token: Mapping[str, Any], models: Mapping[str, Any], problems: Problems) -> None:
    if find_spec("jwt") is None or find_spec("cryptography") is None:
        problems.say(
            ("auth", "jwt"),
            'needs PyJWT and cryptography, which are not installed: pip install "mainstem[jwt]"',
        )
    url = token.get("jwks_url")
    if (
        isinstance(url, str)
        and url.strip().lower().startswith("http:")
        and not is_loopback(_host(url))
    ):
        problems.say(
            ("auth", "jwt", "jwks_url"),
            (
                "must start with https://: whoever stands between could put keys of his own in "
                "the list"
            ),
        )
    _models(("auth", "jwt", "models"), token.get("models"), models, problems)


def _host(url: str) -> str:
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""  # validation says that it is no URL


def _models(where: Where, names: Any, known: Mapping[str, Any], problems: Problems) -> None:
    if "*" in known:
        return
    for number, name in enumerate(names if isinstance(names, list) else []):
        if isinstance(name, str) and name != "*" and name not in known:
            problems.say(
                (*where, number), f"{name[:60]!r} is not among models{nearest(name, known)}"
            )
