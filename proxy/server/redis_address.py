"""Addresses of a Redis: where it is, without secrets, and where a cluster says that keys are.

A Redis Cluster shares out keys among its nodes, and each node names the one that has a key (MOVED).
All of ours have `{mainstem}` in their names, so that one node has them all.
"""

from urllib.parse import urlsplit

from pydantic import SecretStr


def place_of(address: SecretStr) -> str:
    """What a log may say of it."""
    parts = urlsplit(address.get_secret_value())
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"


def moved_to(address: SecretStr, host: str, port: int) -> SecretStr:
    """The same user, password, encryption and options at another node. A node that does not know
    its own name gives no host: then it is the same one.
    """
    parts = urlsplit(address.get_secret_value())
    user, at, _ = parts.netloc.rpartition("@")
    name = host or parts.hostname or ""
    name = f"[{name}]" if ":" in name else name
    return SecretStr(parts._replace(netloc=f"{user}{at}{name}:{port}").geturl())
