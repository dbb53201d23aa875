"""Signed tokens: with real signatures, and every way of having none that holds."""

import hmac
import json
from typing import Any

import jwt
import pytest
import structlog
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Failure, Refused
from proxy.server.access.keys import Keyring, Ledger, check_model
from proxy.settings.auth import Auth
from tests.jwt_issuer import (
    AUDIENCE,
    ISSUER,
    claims,
    ec_key,
    ed_key,
    key_set,
    public,
    publishing,
    raw_token,
    rsa_key,
    token,
)
from tests.server.access.test_keys import sha256

KEYS = key_set(public(rsa_key(), "a"), public(ec_key(), "b"), public(ed_key(), "c"))


class Login:
    """A keyring that takes tokens, and how it refuses them."""

    def __init__(self, url: str, ledger: Ledger | None = None, **settings: Any) -> None:
        self.ledger = ledger or Ledger()
        auth = {
            "keys": settings.pop("keys", ()),
            "jwt": {"jwks_url": url, "issuer": ISSUER, "audience": AUDIENCE, **settings},
        }
        self.ring = Keyring(Auth.model_validate(auth), "memory", self.ledger)

    async def refusal(self, secret: str) -> Failure:
        with structlog.testing.capture_logs() as log, pytest.raises(Refused) as caught:
            await self.ring.admit(secret)
        failure = caught.value.failure
        assert caught.value.__cause__ is None  # what the library says may hold the token
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        for part in secret.split("."):
            assert len(part) < 8 or part not in failure.message + str(log)
        return failure


@pytest.fixture
async def login():
    async with publishing(KEYS) as service:
        yield Login(service.url)


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(rsa_key, "RS256", "a"), (ec_key, "ES256", "b"), (ed_key, "EdDSA", "c")],
)
@pytest.mark.parametrize("named", [True, False])
async def test_a_token_of_each_kind_of_key_is_taken(
    login: Login, key: Any, algorithm: str, kid: str, named: bool
) -> None:
    """Without a key id the only key for the algorithm is meant."""
    who = await login.ring.admit(token(key(), algorithm, kid if named else None))
    assert ("ann", ("*",), False) == (who.name, who.models, who.admin)


def _pem(key: Any) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _hs256(secret: bytes) -> str:
    """By hand: the library refuses to take a public key for a secret."""
    head = raw_token({"alg": "HS256", "kid": "a"}, claims())[:-1]
    return raw_token(
        {"alg": "HS256", "kid": "a"}, claims(), hmac.digest(secret, head.encode(), "sha256")
    )


FORGED = {
    "nothing is signed": (lambda: raw_token({"alg": "none", "kid": "a"}, claims()), "algorithm"),
    "nothing is signed, in capitals": (lambda: raw_token({"alg": "NONE", "kid": "a"}, claims()), "algorithm"),
    "no algorithm": (lambda: raw_token({"kid": "a"}, claims(), b"x"), "algorithm"),
    "an algorithm that is a list": (lambda: raw_token({"alg": ["RS256"], "kid": "a"}, claims(), b"x"), "algorithm"),
    "the public key as a secret, PEM": (lambda: _hs256(_pem(rsa_key())), "algorithm"),
    "the public key as a secret, JWK": (lambda: _hs256(json.dumps(public(rsa_key(), "a")).encode()), "algorithm"),
    "an algorithm that is not configured": (lambda: token(algorithm="RS512"), "algorithm"),
    "another's key under this key id": (lambda: token(rsa_key(1)), "does not hold"),
    "a key of another kind": (lambda: token(ec_key(), "ES256", "a"), "does not list"),
    "an unknown key": (lambda: token(kid="zzz"), "does not list"),
    "a key id that is a number": (lambda: raw_token({"alg": "RS256", "kid": 7}, claims(), b"x"), "cannot be read"),
    "a broken signature": (lambda: token()[:-8] + "AAAAAAAA", "does not hold"),
    "no signature": (lambda: token().rpartition(".")[0] + ".", "does not hold"),
    "claims of another token": (lambda: _swapped(token(), token(sub="root")), "does not hold"),
    "its own key within": (lambda: raw_token({"alg": "RS256", "kid": "z", "jwk": public(rsa_key(1), "z")}, claims(), b"x"), "does not list"),
    "an address of keys within": (lambda: raw_token({"alg": "RS256", "kid": "z", "jku": "http://127.0.0.1:9"}, claims(), b"x"), "does not list"),
    "an extension that is not known": (lambda: raw_token({"alg": "RS256", "kid": "a", "crit": ["x"], "x": 1}, claims(), b"x"), "cannot be read"),
    "a header that is no JSON": (lambda: raw_token(b"{", claims(), b"x"), "cannot be read"),
    "a header that is a list": (lambda: raw_token([1], claims(), b"x"), "cannot be read"),
    "a header of a thousand levels": (lambda: raw_token(b"[" * 3000, claims(), b"x"), "cannot be read"),
    "a header with a huge number": (lambda: raw_token(b'{"alg":' + b"1" * 5000 + b"}", claims(), b"x"), "cannot be read"),
}  # fmt: skip


def _swapped(signed: str, other: str) -> str:
    head, _, signature = signed.split(".")
    return f"{head}.{other.split('.')[1]}.{signature}"


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_token_is_refused(login: Login, name: str) -> None:
    make, said = FORGED[name]
    why = await login.refusal(make())
    assert ("unauthorized", 401) == (why.kind, why.status)
    assert said in why.message


HOUR = 3600
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"exp": claims()["exp"] - HOUR}, "has expired"),
    "without an end": ({"exp": None}, "no exp"),
    "an end that is no number": ({"exp": "soon"}, "cannot be read"),
    "an end beyond numbers": ({"exp": float("inf")}, "cannot be read"),
    "not yet": ({"nbf": claims()["nbf"] + HOUR}, "not valid yet"),
    "issued tomorrow": ({"iat": claims()["iat"] + HOUR}, "not valid yet"),
    "for another": ({"aud": "elsewhere"}, "another audience"),
    "for others": ({"aud": ["elsewhere", "there"]}, "another audience"),
    "for whom is a number": ({"aud": 7}, "another audience"),
    "for nobody": ({"aud": None}, "no aud"),
    "of another": ({"iss": ISSUER + "/"}, "another issuer"),
    "of nobody": ({"iss": None}, "no iss"),
    "about nobody": ({"sub": None}, "no sub"),
    "about an empty name": ({"sub": ""}, "empty sub"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_token_whose_claims_do_not_fit_is_refused(login: Login, name: str) -> None:
    changed, said = WRONG[name]
    why = await login.refusal(token(**changed))
    assert ("unauthorized", 401) == (why.kind, why.status)
    assert said in why.message


async def test_a_subject_that_is_a_number_is_refused(login: Login) -> None:
    """Signed by hand, as the library does not make such."""
    signed = jwt.api_jws.encode(
        json.dumps(claims(sub=7)).encode(), rsa_key(), "RS256", headers={"kid": "a"}
    )
    assert "cannot be read" in (await login.refusal(signed)).message


async def test_clocks_may_differ_by_the_leeway() -> None:
    async with publishing(KEYS) as service:
        late = token(exp=claims()["exp"] - 600 - 60)
        await Login(service.url, leeway_s=120).ring.admit(late)
        assert "has expired" in (await Login(service.url, leeway_s=0).refusal(late)).message


async def test_a_token_for_several_audiences_is_taken_when_ours_is_one(login: Login) -> None:
    await login.ring.admit(token(aud=["elsewhere", AUDIENCE]))


async def test_a_short_rsa_key_is_not_trusted() -> None:
    async with publishing(key_set(public(rsa_key(9, 1024), "a"))) as service:
        with pytest.warns(jwt.InsecureKeyLengthWarning):
            weak = token(rsa_key(9, 1024))
        assert (await Login(service.url).refusal(weak)).kind == "unauthorized"


@pytest.mark.parametrize("size", [9_000, 2_000_000])
async def test_a_huge_token_is_refused_before_anything_is_done_with_it(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with publishing(KEYS) as service:
        login, huge = Login(service.url), token(extra="x" * size)
        monkeypatch.setattr(jwt, "get_unverified_header", None)
        assert "too long" in (await login.refusal(huge)).message
        assert [] == service.asked


@given(st.text(alphabet="abcXYZ019-_.", max_size=60), st.booleans())
async def test_no_text_gets_in_and_none_breaks_it(text: str, dotted: bool) -> None:
    login = Login("http://127.0.0.1:9/", ledger=NEVER)
    secret = f"{text}.{text}.{text}" if dotted else text or "x"
    with pytest.raises(Refused) as caught:
        await login.ring.admit(secret)
    assert caught.value.failure.kind == "unauthorized"


class _Never(Ledger):
    """Nobody is asked for keys: what hypothesis writes never gets that far."""

    def key_set(self, settings: Any) -> Any:
        return None


NEVER = _Never()


async def test_keys_and_tokens_go_side_by_side() -> None:
    """Also a key that looks as a token does."""
    async with publishing(KEYS) as service:
        login = Login(
            service.url,
            keys=[
                {"name": "plain", "sha256": sha256("plain")},
                {"name": "odd", "sha256": sha256("a.b.c")},
            ],
        )
        assert ["plain", "odd", "ann"] == [
            (await login.ring.admit(secret)).name for secret in ("plain", "a.b.c", token())
        ]
        assert "not accepted" in (await login.refusal("neither")).message


async def test_limits_hold_for_each_subject_whatever_its_token() -> None:
    async with publishing(KEYS) as service:
        login = Login(
            service.url,
            requests_per_minute=2,
            max_streams=1,
            keys=[{"name": "ann", "sha256": sha256("ann")}],
        )
        first = await login.ring.admit(token())
        second = await login.ring.admit(token(ec_key(), "ES256", "b", jti="another"))
        why = await login.refusal(token())
        assert (
            "rate_limited",
            "The subject 'ann' has used its 2 requests a minute; try again later.",
        ) == (why.kind, why.message)
        login.ring.enter(first)
        with pytest.raises(Refused):
            login.ring.enter(second)
        login.ring.enter(await login.ring.admit(token(sub="bob")))
        login.ring.enter(await login.ring.admit("ann"))  # a key of the same name is another


async def test_a_subject_in_a_log_is_short_and_clean_and_no_two_are_one() -> None:
    async with publishing(KEYS) as service:
        login = Login(service.url)
        start = "a\r\n\x00\x1b[31m\u202e" + "x" * 100
        one, two = [await login.ring.admit(token(sub=start + end)) for end in ("1", "2")]
        assert "a????[31m?" + "x" * 54 == one.name == two.name
        assert one.counter_key != two.counter_key
        assert start not in one.counter_key


MODELS = [
    (["*"], ["fast", "slow"], ["fast", "slow"], ["other"]),
    (["*"], "fast slow", ["fast", "slow"], ["fast slow"]),
    (["fast"], ["fast", "slow"], ["fast"], ["slow"]),
    (["fast"], ["*"], ["fast"], ["slow"]),
    (["*"], ["*"], ["anything"], []),
    (["*"], None, [], ["fast"]),
    (["*"], {"fast": True}, [], ["fast"]),
    (["*"], [7, None, "fast"], ["fast"], ["7"]),
]


@pytest.mark.parametrize(("allowed", "claimed", "may", "may_not"), MODELS)
async def test_a_claim_may_list_the_models(
    allowed: list[str], claimed: Any, may: list[str], may_not: list[str]
) -> None:
    async with publishing(KEYS) as service:
        login = Login(service.url, models=allowed, models_claim="models")
        who = await login.ring.admit(token(models=claimed))
        for model in may:
            check_model(who, model)
        for model in may_not:
            with pytest.raises(Refused) as caught:
                check_model(who, model)
            assert "The subject 'ann' may not ask for the model" in caught.value.failure.message


async def test_without_such_a_setting_a_claim_says_nothing_about_models() -> None:
    async with publishing(KEYS) as service:
        assert ("fast",) == (
            await Login(service.url, models=["fast"]).ring.admit(token(models=["slow"]))
        ).models
