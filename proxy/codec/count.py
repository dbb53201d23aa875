"""What dialects share in counting the tokens of a request."""

from collections.abc import Collection

import msgspec

from proxy.codec.base import JSON, Outgoing
from proxy.events import MAX_COUNT


def changed(call: Outgoing, path: str, without: Collection[str]) -> Outgoing:
    """A request with a JSON object as its body, for another path and without these keys."""
    body = msgspec.json.decode(call.body)
    kept = {name: value for name, value in body.items() if name not in without}
    return call._replace(path=path, body=msgspec.json.encode(kept), headers=accepting(call))


def accepting(call: Outgoing) -> dict[str, str]:
    """The headers of a request whose answer is one document."""
    return {**call.headers, "accept": JSON}


def count_in(body: bytes, name: str) -> int | None:
    """The count that stands under this name in a JSON object; None: there is none."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    count = document.get(name) if isinstance(document, dict) else None
    return count if type(count) is int and 0 <= count <= MAX_COUNT else None
