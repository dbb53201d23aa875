"""What an upstream's path may hold. Pure."""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

from proxy.errors import bad_request

_MAX_PATH_CHARS = 4096
# What bytes that are no UTF-8 are read as. Old servers read some of them as dots (%c0%ae).
_NO_UTF8 = "\ufffd"
# A path and a query of RFC 3986, 3.3 and 3.4. What else a name holds must have been escaped.
_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")


@lru_cache(maxsize=512)
def checked_path(path: str) -> str:
    """A dialect's path, which may hold a model's name. It neither leaves the base URL nor climbs in
    it, however often and as whatever a server reads it. Raises Refused (bad_request): only such a
    name can be at fault.
    """
    if len(path) <= _MAX_PATH_CHARS and _PATH.fullmatch(path):
        read = unicodedata.normalize("NFKC", unquote(unquote(path.partition("?")[0])))
        plain = read.isprintable() and _NO_UTF8 not in read
        if plain and not {".", ".."} & set(re.split(r"[/\\;]", read)):
            return path
    said = (
        "model, or another name of the request, cannot stand in this upstream's path: it is too "
        "long, or has dots between slashes."
    )
    raise bad_request(said, param="model")
