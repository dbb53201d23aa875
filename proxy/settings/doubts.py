"""What in a good configuration is most likely not meant: each a sentence that begins with the
setting. Nothing is refused for it.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urlsplit

from proxy.codec.base import TargetConfig
from proxy.dialects.registry import UPSTREAMS
from proxy.errors import Refused
from proxy.net.addresses import admits, reach_of
from proxy.request import ChatRequest, Message
from proxy.settings.auth import Auth
from proxy.settings.model import Settings
from proxy.settings.rules import NAMES
from proxy.settings.secret import holds_secret
from proxy.settings.upstreams import Upstream
from proxy.settings.vendors import vendors

_VERSION = re.compile(r"v\d+\w*")
# As a shell writes a variable; and its name alone.
_VARIABLE = re.compile(r"(?:Bearer )?\$([A-Za-z_]\w*)|(?:Bearer )?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)")
# What examples and other programs write where a key belongs.
_PLACE_OF_KEY = re.compile(
    r"\{\{.*\}\}|<.*>|os\.environ/.*|%\w+%|.*\.\.\.|(?i:(?:sk-)?x{3,}|(?:your|my)[-_ ].*|changeme)"
)


def doubts(settings: Settings) -> list[str]:
    """All of them, in the order of the configuration."""
    used = {target.upstream for model in settings.models.values() for target in model.targets}
    found: list[str] = []
    for name, upstream in settings.upstreams.items():
        where = f"upstreams.{name}"
        found += [f"{where}.{said}" for said in (*_of_keys(upstream), *_of_address(upstream))]
        if name not in used and not upstream.pass_paths:
            found.append(f"{where} is used by no model: name it under models, or take it out")
    return [*found, *_of_models(settings), *_of_money(settings)]


def _of_models(settings: Settings) -> Iterator[str]:
    """Other proxies take a * within a name for a pattern."""
    for name in settings.models:
        if "*" in name and name != "*":
            yield (
                f'models.{name} is asked for by just this name, * included: only "*" alone stands '
                "for any other"
            )


def _of_money(settings: Settings) -> Iterator[str]:
    """Somebody has a budget of money, and what an upstream costs cannot be known."""
    auth = settings.auth
    if not isinstance(auth, Auth):
        return
    jwt = None if auth.jwt is None else auth.jwt.cost_per_day
    if jwt is None and all(key.cost_per_day is None for key in auth.keys):
        return
    for name, upstream in settings.upstreams.items():
        vendors_own = (upstream.base_url or "").startswith("https://")
        if not upstream.prices and not (vendors_own and settings.costs.table == "auto"):
            yield f"upstreams.{name} has no prices: what it answers is not counted in cost_per_day"


def _of_keys(upstream: Upstream) -> Iterator[str]:
    """A text that looks like a variable stands where its value was meant."""
    named = {name: value.get_secret_value() for name, value in upstream.headers.items()}
    texts = {f"headers.{name}": value for name, value in named.items() if holds_secret(name)}
    if (key := upstream.key()) is not None:
        texts = {"api_key": key, **texts}
    if upstream.api_key is not None and key is None:
        yield "api_key is empty, so no key is sent: leave it out, if none is wanted"
    for setting, text in texts.items():
        variable = _VARIABLE.fullmatch(text)
        if variable is not None and variable[1]:
            yield f'{setting} is the text {text!r} itself: write "${{{variable[1]}}}"'
        elif variable is not None:  # it may be a key after all, so it is not repeated
            yield f'{setting} looks like the name of a variable: write "${{NAME}}" for its value'
        elif _PLACE_OF_KEY.fullmatch(text.removeprefix("Bearer ")):
            yield (
                f"{setting} looks like an example's, and no key: write the key, or "
                '"${NAME}" for that of an environment variable'
            )
        elif setting == "api_key" and " " in text:
            yield (
                "api_key has a space in it, which keys have not: take away what is not the key, "
                "such as Bearer, which is sent before it anyway"
            )
        elif setting == "api_key" and _is_in_clear(upstream):
            yield "base_url is http:, so that whoever stands between reads the key: write https:"


def _is_in_clear(upstream: Upstream) -> bool:
    """Whether what is sent there leaves the own networks as it is."""
    base = urlsplit(upstream.base_url or "")
    host = base.hostname or ""
    far = reach_of(host, private=False) == "public" or admits("public", host)
    return base.scheme == "http" and far and not upstream.private


def _of_address(upstream: Upstream) -> Iterator[str]:
    """What the dialect adds to base_url does not go with what it ends in."""
    base, path = upstream.base_url, _path_of(upstream)
    if base is None or upstream.path is not None or path is None:
        return
    own = [segment for segment in urlsplit(base).path.split("/") if segment]
    added = [segment for segment in path.split("/") if segment]
    asked = f"{base.rstrip('/')}{path} would be asked"
    last = own[-1] if own else ""
    doubled = any(_is_version(one) and one == two for one, two in pairwise(own))
    begins_itself = bool(added) and (_is_version(added[0]) or added[0] == "api")
    if doubled:
        yield f"base_url says a version twice: {asked}"
    elif len(added) > 1 and own[-len(added) :] == added:
        yield f"base_url ends in the path that the dialect adds: {asked}; take {path} away"
    elif added and last == added[-1]:
        yield f"base_url is a whole path, to which the dialect adds its own: {asked}"
    elif begins_itself and (last == added[0] or _is_version(last)):
        yield f"base_url ends in /{last}, and the dialect begins with /{added[0]}: {asked}"
    elif not own and not begins_itself and _wants_path(upstream.dialect, base):
        yield f"base_url has no path such as /v1: {asked}"


def _is_version(segment: str) -> bool:
    return _VERSION.fullmatch(segment) is not None


def _path_of(upstream: Upstream) -> str | None:
    """The path that the dialect adds; None where a request cannot be formed without more."""
    options = {name: value for name, value in upstream.options.items() if name not in NAMES}
    request = ChatRequest(model="MODEL", messages=[Message("user", "ping")])
    try:
        call = UPSTREAMS[upstream.dialect].build_request(
            request, TargetConfig("", "MODEL", options=options)
        )
    except Refused:
        return None
    return call.path.partition("?")[0]


def _wants_path(dialect: str, base: str) -> bool:
    """Whether the vendors of a dialect mostly have one in their base_url; those who have none are
    in the catalogue.
    """
    known = [row.base_url for row in vendors().values() if row.dialect == dialect and row.base_url]
    with_path = [url for url in known if urlsplit(url).path]
    return base not in known and len(with_path) * 2 > len(known)
