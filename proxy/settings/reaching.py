"""What holds between the settings of one upstream: where it is, and whose key it gets. Part of
`proxy/settings/checks.py`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from proxy.net.addresses import is_barred
from proxy.settings.mistakes import Problems

# The headers in which dialects send a key.
_KEY_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key"})
_YES = frozenset({"true", "1", "yes", "on", "y", "t"})  # as pydantic reads a boolean


def check_reach(upstreams: Mapping[str, Any], auth: Any, problems: Problems) -> None:
    """Adds what is wrong. `upstreams` and `auth` are sections of the merged tree."""
    for name, upstream in upstreams.items():
        if isinstance(upstream, dict):
            _place(("upstreams", name), upstream, problems)
            if is_on(upstream.get("pass_through")):
                _keys(("upstreams", name), upstream, auth, problems)


def is_on(value: Any) -> bool:
    """Whether a setting that may still be text, as from the environment, says yes."""
    return str(value).lower() in _YES


def _place(where: tuple[str, str], upstream: Mapping[str, Any], problems: Problems) -> None:
    base_url = upstream.get("base_url")
    if not isinstance(base_url, str) or is_on(upstream.get("private")):
        return
    try:
        host = urlsplit(base_url.strip()).hostname
    except ValueError:
        return  # validation says that it is no URL
    if host and is_barred(host, "near"):
        problems.say(
            (*where, "base_url"),
            f"has the address {host[:60]}, which is link-local, multicast or a cloud's "
            "metadata service: "
            "correct it, or set private: true on this upstream, if that is right",
        )


def _keys(
    where: tuple[str, str], upstream: Mapping[str, Any], auth: Any, problems: Problems
) -> None:
    for setting in ("api_key", "api_key_file"):
        if upstream.get(setting) is not None:
            problems.say(
                (*where, "pass_through"),
                (
                    f"cannot go with {setting}: the upstream gets either each client's own key or "
                    "yours"
                ),
            )
    headers = upstream.get("headers")
    for header in headers if isinstance(headers, dict) else ():
        if str(header).lower() in _KEY_HEADERS:
            problems.say(
                (*where, "pass_through"),
                f"cannot go with headers.{str(header)[:60]}: the client's key is sent there",
            )
    if isinstance(auth, dict):
        problems.say(
            (*where, "pass_through"),
            "cannot go with auth: the keys that clients have for this proxy would be given to "
            "the upstream; write `auth: none`, or take "
            "pass_through out and give api_key",
        )
