"""The section of who may call: keys, and the tokens of a login service. `proxy/settings/access.py`
checks what holds between them.
"""

from pydantic import Field, model_validator

from proxy.settings.tree import Tree
from proxy.settings.values import Algorithm, Count, Expiry, JwksUrl, Leeway, Money, Sha256, Text


class Key(Tree):
    """One client key. The key itself is never stored: sha256 is its SHA-256 in hex."""

    name: str = Field(description="Name of the key, for logs.")
    sha256: Sha256 = Field(
        description="SHA-256 of the key, in lower-case hex: printf %s KEY | sha256sum."
    )
    models: tuple[str, ...] = Field(("*",), description='Models that it may ask for; "*" is all.')
    max_streams: Count | None = Field(
        None, description="Streams that it may have open at once, in each process."
    )
    requests_per_minute: Count | None = Field(
        None, description="Requests that it may send in a minute; see limits.store."
    )
    tokens_per_minute: Count | None = Field(
        None,
        description=(
            "Tokens, input and output as the vendors count them, after which it is refused until "
            "the minute is over. A stream's "
            "are counted when it ends."
        ),
    )
    cost_per_day: Money | None = Field(
        None,
        description=(
            "Money, in costs.currency, after which it is refused until the day is over, which "
            "begins with the first answer that costs any. What has no price (see costs) is not "
            "counted."
        ),
    )
    expires: Expiry | None = Field(
        None,
        description=(
            "From when on it is refused: a date, good to the end of that day UTC, or a time with "
            "its offset."
        ),
    )
    admin: bool = Field(
        False,
        description=(
            "Whether it may read /metrics where there is no admin section, and what the mocks "
            "were asked."
        ),
    )


class Jwt(Tree):
    """Signed tokens (RFC 7519) of a login service, as another way in. Limits hold for each subject
    (sub).
    """

    jwks_url: JwksUrl | None = Field(
        None,
        description=(
            "Where the service lists its public keys (RFC 7517): https, or http on this machine."
        ),
    )
    jwks_file: str | None = Field(
        None,
        description="A file with that list instead; a relative path starts at this file's folder.",
    )
    issuer: Text = Field(description="What a token's iss must be.")
    audience: Text = Field(description="What must be in a token's aud.")
    algorithms: tuple[Algorithm, ...] = Field(
        ("RS256", "ES256", "EdDSA"), description="The signatures that are accepted."
    )
    leeway_s: Leeway = Field(
        30,
        description=(
            "How far the clocks of issuer and proxy may be apart when exp, nbf and iat are checked."
        ),
    )
    models: tuple[str, ...] = Field(
        ("*",), description='Models that a token may ask for; "*" is all.'
    )
    models_claim: Text | None = Field(
        None,
        description=(
            "A claim that lists the models of its token, within models; a token without it may "
            "ask for none."
        ),
    )
    max_streams: Count | None = Field(
        None, description="Streams that a subject may have open at once, in each process."
    )
    requests_per_minute: Count | None = Field(
        None, description="Requests that a subject may send in a minute."
    )
    tokens_per_minute: Count | None = Field(None, description="Tokens of a subject, as for a key.")
    cost_per_day: Money | None = Field(None, description="Money of a subject, as for a key.")

    @model_validator(mode="after")
    def _has_one_list(self) -> "Jwt":
        if (self.jwks_url is None) == (self.jwks_file is None):
            raise ValueError("needs either jwks_url or jwks_file, and not both")
        if not self.algorithms:
            raise ValueError(
                "needs at least one of algorithms; leave the setting out for RS256, ES256 and EdDSA"
            )
        return self


class Auth(Tree):
    """Who may call."""

    keys: tuple[Key, ...] = Field((), description="The keys that are accepted.")
    jwt: Jwt | None = Field(
        None, description="Signed tokens of a login service, as another way in."
    )
