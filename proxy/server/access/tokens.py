"""Signed tokens (JWT, RFC 7519; checked as RFC 8725 advises) by PyJWT: who calls with one, and what
it may.

No sentence and no log line repeats anything of a token but its subject.
"""

import re
from collections.abc import Mapping
from typing import Any

import jwt
from jwt import exceptions as wrong

from proxy.errors import Refused, failure
from proxy.routing import WILDCARD
from proxy.server.access.caller import Caller, of_subject, unauthorized
from proxy.server.access.jwks import KeySet
from proxy.settings.auth import Jwt

# the last part is empty where nothing is signed
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_MOST_MODELS = 1000  # of a claim
_UNREADABLE = "This token cannot be read: send the whole token as its issuer gave it."
# The first that an error is an instance of says why.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (wrong.ExpiredSignatureError, "This token has expired: get a new one from its issuer."),
    (
        wrong.ImmatureSignatureError,
        (
            "This token is not valid yet (nbf or iat): the clocks of its issuer and of this proxy "
            "may differ."
        ),
    ),
    (
        wrong.InvalidAudienceError,
        "This token is for another audience (aud): ask its issuer for one that is for this proxy.",
    ),
    (
        wrong.InvalidIssuerError,
        "This token is of another issuer (iss) than the one that is accepted here.",
    ),
    (
        wrong.InvalidSignatureError,
        "The signature of this token does not hold: get a new one from its issuer.",
    ),
)


class Tokens:
    """The tokens that are accepted, with the keys that they must be signed with."""

    def __init__(self, settings: Jwt, keys: KeySet) -> None:
        self._settings = settings
        self._keys = keys

    async def start(self) -> None:
        """Fetch the keys, so that the first token need not wait. Without them the proxy serves
        those who have plain keys.
        """
        await self._keys.refresh(now=True)

    @staticmethod
    def may_be(credential: str) -> bool:
        """Whether it has a token's form, three parts with dots between."""
        return _FORM.fullmatch(credential) is not None

    async def caller(self, token: str) -> Caller:
        """Who calls. Raises Refused: unauthorized, or overloaded while there is no key to check a
        token with.
        """
        key = await self._key(token)
        settings = self._settings
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=settings.audience,
                issuer=settings.issuer,
                leeway=settings.leeway_s,
                options={
                    "require": ["exp", "sub", "iss", "aud"],
                    "enforce_minimum_key_length": True,
                },
            )
        except wrong.MissingRequiredClaimError as error:
            raise unauthorized(
                f"This token has no {error.claim}, which it needs: ask its issuer for one that has."
            ) from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise unauthorized(
                next((said for kind, said in _REASONS if isinstance(error, kind)), _UNREADABLE)
            ) from None
        if not claims["sub"]:
            raise unauthorized(
                "This token has an empty sub, which says who calls: ask its issuer for one "
                "that has it."
            )
        return of_subject(claims["sub"], self._models(claims), settings)

    async def _key(self, token: str) -> jwt.PyJWK:
        """The key that a token says it is signed with."""
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise unauthorized(_UNREADABLE) from None
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in self._settings.algorithms:
            accepted = ", ".join(self._settings.algorithms)
            raise unauthorized(
                "This token is signed with an algorithm that is not accepted here; accepted: "
                f"{accepted}."
            )
        key = await self._keys.find(key_id, algorithm)
        if key is not None:
            return key
        if self._keys.empty:
            said = (
                "Tokens cannot be checked now, as their issuer's keys could not be read; try "
                "again later."
            )
            raise Refused(failure("overloaded", said, retry_after_s=self._keys.wait_s))
        named = (
            "is signed with a key that its issuer does not list"
            if key_id is not None
            else "does not say which key it is signed with (kid)"
        )
        raise unauthorized(f"This token {named}: get a new one from its issuer.")

    def _models(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        """What this token may ask for: what its claim lists, a list or one text with spaces, of
        what any token may.
        """
        allowed, name = self._settings.models, self._settings.models_claim
        if name is None:
            return allowed
        claimed = claims.get(name)
        listed = (
            claimed.split()
            if isinstance(claimed, str)
            else claimed
            if isinstance(claimed, list)
            else []
        )
        models = [model for model in listed[:_MOST_MODELS] if isinstance(model, str)]
        if WILDCARD in models:
            return allowed
        return tuple(model for model in models if WILDCARD in allowed or model in allowed)
