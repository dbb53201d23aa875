"""Types of single settings: what each must look like, and the sentence that says so.

A message follows the path of the setting at fault, so it begins with a verb; none repeats a value
that may be a secret.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, SecretStr
from pydantic_core import PydanticCustomError

_ORIGIN = re.compile(r"https?://[^/?#@\s]+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2: token
_SHOWN_CHARS = 60
_UPSTREAM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VALKEY = re.compile(r"^valkey(?=s?://)")
_SENTINEL = (
    "is of a Sentinel, which is not asked here: give an address that always leads to the master, "
    "such as that of a service or a proxy before the servers: redis://host:6379/0"
)
_CLUSTER = (
    "must be the address of one server; of a cluster that of any node, which names the others: "
    "redis://host:6379"
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
_MAX_LEEWAY_S = 300.0  # clocks differ by seconds; more would only make tokens live longer
# event loops refuse timers beyond what their clock can count; nobody waits longer than this
_YEAR_S = 31_536_000.0


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
    if "*" in value and value != "*":
        raise ValueError(
            'must be one whole origin, such as https://app.example.com, or "*" alone for any: a * '
            "within it stands for nothing"
        )
    if value not in ("*", "null", "local", "auto") and not _ORIGIN.fullmatch(value):
        raise ValueError(
            "must be an origin such as https://app.example.com: a scheme, a host and perhaps "
            "a port, and no path or slash after it"
        )
    return value


def _base_url(value: str) -> str:
    url = value.strip()
    try:
        parts = urlsplit(url)
        host = parts.hostname
        port = parts.port  # raises when it is no number
    except ValueError:
        raise ValueError("is not a URL: check its host and port") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("must start with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "must not hold a user or a password: put them in headers or api_key, which are "
            "never printed"
        )
    if "?" in url or "#" in url:
        raise ValueError("must not have a query or a fragment: put a fixed query in path")
    if not host or not url.isprintable() or " " in url or port == 0 or "*" in host:
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
        raise ValueError(
            "has characters that no header can carry: look for a line break or a typographic quote"
        )
    return SecretStr(key)


def _headers(value: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, secret in value.items():
        if not _HEADER_NAME.fullmatch(name):
            begins = name.partition(":")[0][:_SHOWN_CHARS]  # behind it the value may stand
            raise ValueError(
                f"has a name that begins with {begins!r} and is no header's: only letters, digits "
                "and a few signs such as - may be in it"
            )
        if any(
            (sign < " " and sign != "\t") or sign == "\x7f" for sign in secret.get_secret_value()
        ):
            raise ValueError(
                f"has a line break or another control character in {name}: take it out"
            )
    return value


def _upstream_name(value: str) -> str:
    if not _UPSTREAM_NAME.fullmatch(value):
        raise ValueError(
            "is not a good name: use up to 64 letters, digits, dots, dashes and underscores"
        )
    return value


def _model_name(value: str) -> str:
    if not value or len(value) > 200 or not value.isprintable() or value != value.strip():
        raise ValueError(
            "is not a good name: use 1 to 200 printable characters without spaces around them"
        )
    return value


def _currency(value: str) -> str:
    if not (len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()):
        raise ValueError("must be a code of three capital letters such as USD, EUR or CNY")
    return value


def expiry(value: Any) -> datetime:
    """The moment from which a key is no longer good: a date means the end of that day, UTC. Raises
    ValueError.
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return datetime.combine(date.fromisoformat(value) + timedelta(days=1), time(), UTC)
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(
        "must be a date such as 2030-12-31 (good to the end of that day, UTC) or a time such "
        "as 2030-12-31T12:00:00+00:00"
    )


def _store(value: Any) -> SecretStr | Literal["memory"]:
    """The address may hold a password, so it is hidden as a whole. That of a Valkey is spoken to
    like that of a Redis.
    """
    url = value.get_secret_value() if isinstance(value, SecretStr) else value
    if url == "memory":
        return "memory"
    wrong = ValueError(
        "must be memory, or the address of a Redis such as redis://host:6379/0, "
        'rediss://host:6379/0 or "${REDIS_URL}"'
    )
    if not isinstance(url, str) or not url.isprintable() or " " in url:
        raise wrong
    scheme, _, rest = url.partition("://")
    if "sentinel" in scheme:
        raise ValueError(_SENTINEL)
    if "cluster" in scheme or "," in rest.partition("/")[0].rpartition("@")[2]:
        raise ValueError(_CLUSTER)
    url = _VALKEY.sub("redis", url)
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises when it is no number
    except ValueError:
        raise wrong from None
    if not (
        parts.hostname
        if parts.scheme in ("redis", "rediss")
        else parts.scheme == "unix" and parts.path
    ):
        raise wrong
    if parts.scheme != "unix" and not re.fullmatch(r"/?|/\d+", parts.path):
        raise ValueError(
            "must have the number of a database after the host, such as redis://host:6379/0, "
            "or nothing"
        )
    return SecretStr(url)


def _jwks_url(value: str) -> str:
    """As base_url, but with a query, which some login services have."""
    address, question, query = value.strip().partition("?")
    checked = _base_url(address) + question + query
    if "#" in query or not query.isprintable() or " " in query:
        raise ValueError("is not a URL: check what stands after the question mark")
    return checked


def _algorithm(value: str) -> str:
    if value not in _ALGORITHMS:
        raise ValueError(
            f"must be one of {', '.join(_ALGORITHMS)}: with any other, whoever knows the "
            "public keys could sign tokens, or anybody"
        )
    return value


Seconds = Annotated[float, BeforeValidator(_number), Field(gt=0, le=_YEAR_S, allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(_whole), Field(gt=0)]
HeadBytes = Annotated[int, BeforeValidator(_whole), Field(ge=1024, le=1 << 20)]
Patience = Annotated[float, BeforeValidator(_number), Field(ge=0, le=_YEAR_S, allow_inf_nan=False)]
Share = Annotated[float, BeforeValidator(_number), Field(ge=0, le=1, allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_whole), Field(ge=0)]
WholeSeconds = Annotated[int, BeforeValidator(_whole), Field(ge=0)]
Port = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=65535)]
Rate = Annotated[float, BeforeValidator(_number), Field(ge=0, allow_inf_nan=False)]
Money = Annotated[float, BeforeValidator(_number), Field(gt=0, le=1e9, allow_inf_nan=False)]
Currency = Annotated[str, AfterValidator(_currency)]
Origin = Annotated[str, AfterValidator(_origin)]
ModelName = Annotated[str, AfterValidator(_model_name)]
UpstreamName = Annotated[str, AfterValidator(_upstream_name)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
UrlPath = Annotated[str, AfterValidator(_path)]
ApiKey = Annotated[SecretStr, AfterValidator(_api_key)]
Headers = Annotated[dict[str, SecretStr], AfterValidator(_headers)]
Leeway = Annotated[
    float, BeforeValidator(_number), Field(ge=0, le=_MAX_LEEWAY_S, allow_inf_nan=False)
]
Expiry = Annotated[datetime, PlainValidator(expiry)]
Store = Annotated[SecretStr | Literal["memory"], PlainValidator(_store)]
JwksUrl = Annotated[str, AfterValidator(_jwks_url)]
Algorithm = Annotated[str, AfterValidator(_algorithm)]
Text = Annotated[str, Field(min_length=1)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
