"""Types of single settings: what each must look like, and the sentence that says so.

A message follows the path of the setting at fault, so it begins with a verb; none repeats a value that may be a secret.
"""

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

_ORIGIN = re.compile(r"https?://[^/?#@\s]+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2: token
_UPSTREAM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_YEAR_S = 31_536_000.0  # event loops refuse timers beyond what their clock can count; nobody waits longer than this


def _number(value: Any) -> Any:
    """YAML's true is no number, though Python's is."""
    if isinstance(value, bool):
        raise PydanticCustomError("float_type", "must be a number")
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", "must be a whole number")
    return value


def _origin(value: str) -> str:
    if value not in ("*", "null") and not _ORIGIN.fullmatch(value):
        raise ValueError(
            "must be an origin such as https://app.example.com: a scheme, a host and perhaps a port, and no path or slash after it"
        )
    return value


def _base_url(value: str) -> str:
    url = value.strip()
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port  # raises when it is no number
    except ValueError:
        raise ValueError("is not a URL: check its host and port") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("must start with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password: put them in headers or api_key, which are never printed")
    if "?" in url or "#" in url:
        raise ValueError("must not have a query or a fragment: put a fixed query in path")
    if not host or not url.isprintable() or " " in url:
        raise ValueError("is not a URL: check its host and port")
    return url.rstrip("/")


def _path(value: str) -> str:
    if not value.startswith("/") or not value.isprintable() or " " in value:
        raise ValueError("must be a path that starts with / and has no spaces")
    return value


def _api_key(value: SecretStr) -> SecretStr:
    """A key with a line break in it would end the header that carries it."""
    key = value.get_secret_value().strip()
    if not (key.isascii() and key.isprintable()):
        raise ValueError("has characters that no header can carry: look for a line break or a typographic quote")
    return SecretStr(key)


def _headers(value: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, secret in value.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"has {name!r}, which is not a header's name: only letters, digits and a few signs such as - may be in it")
        if any((sign < " " and sign != "\t") or sign == "\x7f" for sign in secret.get_secret_value()):
            raise ValueError(f"has a line break or another control character in {name}: take it out")
    return value


def _upstream_name(value: str) -> str:
    if not _UPSTREAM_NAME.fullmatch(value):
        raise ValueError("is not a good name: use up to 64 letters, digits, dots, dashes and underscores")
    return value


def _model_name(value: str) -> str:
    if not value or len(value) > 200 or not value.isprintable() or value != value.strip():
        raise ValueError("is not a good name: use 1 to 200 printable characters without spaces around them")
    return value


Seconds = Annotated[float, BeforeValidator(_number), Field(gt=0, le=_YEAR_S, allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(_whole), Field(gt=0)]
WholeSeconds = Annotated[int, BeforeValidator(_whole), Field(ge=0)]
Port = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=65535)]
Rate = Annotated[float, BeforeValidator(_number), Field(ge=0, allow_inf_nan=False)]
Origin = Annotated[str, AfterValidator(_origin)]
ModelName = Annotated[str, AfterValidator(_model_name)]
UpstreamName = Annotated[str, AfterValidator(_upstream_name)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
UrlPath = Annotated[str, AfterValidator(_path)]
ApiKey = Annotated[SecretStr, AfterValidator(_api_key)]
Headers = Annotated[dict[str, SecretStr], AfterValidator(_headers)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
