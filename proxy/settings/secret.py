"""Which names hold secrets, and what is shown in their place. Used wherever settings are printed
and lines are logged.
"""

from functools import lru_cache

MASK = "********"

_NAMES = frozenset({"sign", "sha256", "bearer", "passwd"})
_ENDINGS = (
    "authorization",
    "cookie",
    "cookies",
    "password",
    "secret",
    "token",
    "credential",
    "credentials",
    "api_key",
    "access_key",
    "access_key_id",
    "apikey",
    "jwt",
    "signature",
    "session_id",
    "sessionid",
)


@lru_cache(maxsize=1024)  # asked for every field of every log line; the names are few
def holds_secret(name: str) -> bool:
    """Whether a setting, header or log field of this name holds what must not be shown. Case and
    dashes do not matter.

    Counts of tokens (`output_tokens`, `max_tokens`) are no secrets, and neither is the configured
    name of a key (`key`).
    """
    plain = name.lower().replace("-", "_")
    return plain in _NAMES or plain.endswith(_ENDINGS)
