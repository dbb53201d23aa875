"""Those who call, once it is known who they are: what each may do, and the names under which that
is counted and said.
"""

import hashlib
from typing import NamedTuple

from proxy.codec.other_models import Named
from proxy.errors import Refused, failure
from proxy.observe.by_key import SUBJECTS
from proxy.routing import WILDCARD, Router
from proxy.settings.auth import Jwt, Key

# of a token's subject in log lines: whoever issues tokens may write anything there
_MAX_NAME_CHARS = 64
_KEYS = "key:"  # how the counter_key of one begins


class Caller(NamedTuple):
    """A key, or the subject of a token.

    `name` is for log lines, `title` begins a sentence, and `counter_key` tells it from all others:
    two subjects may look alike, and one may be called as a key is. `cost_per_day` is money.
    """

    name: str
    title: str
    counter_key: str
    models: tuple[str, ...]
    max_streams: int | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    cost_per_day: float | None = None
    admin: bool = False

    @property
    def label(self) -> str:
        """What stands for it in metrics."""
        return self.name if self.counter_key.startswith(_KEYS) else SUBJECTS


def of_key(key: Key) -> Caller:
    """Who calls with a key."""
    return Caller(
        key.name,
        f"The key {key.name!r}",
        f"{_KEYS}{key.name}",
        key.models,
        key.max_streams,
        key.requests_per_minute,
        key.tokens_per_minute,
        key.cost_per_day,
        key.admin,
    )


def of_subject(subject: str, models: tuple[str, ...], jwt: Jwt) -> Caller:
    """Who calls with a token. The subject is counted by its digest, as it is of any length and
    often a person's address.
    """
    name = "".join(sign if sign.isprintable() else "?" for sign in subject[:_MAX_NAME_CHARS])
    digest = hashlib.sha256(f"{jwt.issuer}\0{subject}".encode("utf-8", "surrogatepass")).hexdigest()
    limits = (jwt.max_streams, jwt.requests_per_minute, jwt.tokens_per_minute, jwt.cost_per_day)
    return Caller(name, f"The subject {name!r}", f"sub:{digest}", models, *limits)


def unauthorized(said: str) -> Refused:
    """A refusal of a credential, 401."""
    return Refused(failure("unauthorized", said))


def check_model(caller: Caller, model: str) -> None:
    """Raises Refused (forbidden) for a model that the caller may not ask for."""
    if WILDCARD not in caller.models and model not in caller.models:
        raise _not_allowed(caller, model, "model")


def nameable(caller: Caller, router: Router) -> frozenset[str] | None:
    """What a request of the caller may name beside its own model: the caller's models, and what
    their vendors call them. None: whatever it likes.
    """
    if WILDCARD in caller.models:
        return None
    targets = (target for model in caller.models for target in router.targets(model))
    return frozenset((*caller.models, *(target.model for target in targets)))


def check_other_model(caller: Caller, other: Named | None) -> None:
    """Raises Refused (forbidden) for a model that is not nameable."""
    if other is not None:
        raise _not_allowed(caller, other.model, other.param[:_MAX_NAME_CHARS])


def _not_allowed(caller: Caller, model: str, param: str) -> Refused:
    said = (
        f"{caller.title} may not ask for the model {model[:100]!r}; GET /v1/models lists those "
        "that it may."
    )
    return Refused(failure("forbidden", said, param=param))
