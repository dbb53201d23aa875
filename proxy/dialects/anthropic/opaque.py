"""Content blocks of an answer that are none of ours, once they are complete: a picture, or what the
vendor alone knows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from proxy.codec.json_depth import shallow
from proxy.codec.media import data_url, is_web
from proxy.dialects.anthropic.wire import NAME
from proxy.events import Image, Vendor


def event_of(content: Mapping[str, Any], pieces: Mapping[str, Sequence[str]]) -> Image | Vendor:
    """What a block says: `content` as it began, `pieces` what came for each of its keys since."""
    whole = _assembled(content, pieces)
    url = _picture(whole)
    return Vendor(NAME, shallow(whole)) if url is None else Image(url)


def _assembled(content: Mapping[str, Any], pieces: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The block as a whole answer would hold it. Arguments that are not JSON (cut by the vendor)
    stay text.
    """
    whole = dict(content)
    for key, parts in pieces.items():
        text = "".join(parts)
        if key == "partial_json":
            whole["input"] = _parsed(text)
        else:
            known = whole.get(key)
            whole[key] = known + text if isinstance(known, str) else text
    return whole


def _picture(block: Mapping[str, Any]) -> str | None:
    """The URL of an image block. The vendor's own answers have none; clones, and proxies over other
    vendors, send them in the form that requests have.
    """
    source = block.get("source")
    if block.get("type") != "image" or not isinstance(source, dict):
        return None
    url = source.get("url")
    if source.get("type") == "url":
        return url if isinstance(url, str) and is_web(url) else None
    kind, data = source.get("media_type"), source.get("data")
    whole = source.get("type") == "base64" and isinstance(kind, str) and isinstance(data, str)
    return data_url(kind, data) if whole and kind and data else None


def _parsed(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
