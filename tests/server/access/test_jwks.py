"""The keys of a login service: fetched once, again when they change, and kept when they cannot be
had."""

import asyncio
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
import structlog
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Refused
from proxy.server.access.jwks import AGAIN_S, MAX_AGE_S, KeySet, read_keys
from proxy.server.access.keys import Keyring, Ledger
from proxy.settings.auth import Auth, Jwt
from tests.jwt_issuer import (
    AUDIENCE,
    ISSUER,
    ec_key,
    ed_key,
    key_set,
    public,
    publishing,
    rsa_key,
    token,
)

ALGORITHMS = ("RS256", "ES256", "EdDSA")
OLD, NEW = key_set(public(rsa_key(), "old")), key_set(public(rsa_key(1), "new"))


def settings(url: str | None = None, file: Path | None = None) -> Jwt:
    source = {"jwks_url": url} if url is not None else {"jwks_file": str(file)}
    return Jwt.model_validate({**source, "issuer": ISSUER, "audience": AUDIENCE})


class Clock:
    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now


async def test_a_rotated_key_is_found_by_its_unknown_id_and_the_old_one_is_gone() -> None:
    clock = Clock()
    async with publishing(OLD) as service:
        keys = KeySet(settings(service.url), clock)
        assert await keys.find("old", "RS256") is not None
        service.answer[0] = NEW
        clock.now += AGAIN_S
        assert await keys.find("new", "RS256") is not None
        assert await keys.find("old", "RS256") is None
        assert 2 == len(service.asked)


async def test_made_up_key_ids_are_no_flood_at_the_service() -> None:
    clock = Clock()
    async with publishing(OLD) as service:
        keys = KeySet(settings(service.url), clock)
        for number in range(50):
            assert await keys.find(f"made up {number}", "RS256") is None
        assert 1 == len(service.asked)
        clock.now += AGAIN_S
        await keys.find("made up", "RS256")
        assert 2 == len(service.asked)


async def test_those_who_wait_for_the_same_fetch_share_it_and_one_who_leaves_does_not_end_it() -> (
    None
):
    async with publishing(OLD) as service:
        keys = KeySet(settings(service.url))
        service.hold.clear()
        waiting = [asyncio.create_task(keys.find("old", "RS256")) for _ in range(20)]
        await service.begun.wait()
        waiting[0].cancel()
        await asyncio.wait([waiting[0]])
        service.hold.set()
        assert all(await asyncio.gather(*waiting[1:]))
        assert 1 == len(service.asked)


async def test_old_keys_are_looked_at_again_without_anyone_waiting() -> None:
    """A key that the service withdrew is not good for ever."""
    clock = Clock()
    async with publishing(OLD) as service:
        keys = KeySet(settings(service.url), clock)
        await keys.find("old", "RS256")
        clock.now += MAX_AGE_S
        service.answer[0] = NEW
        service.hold.clear()
        service.begun.clear()
        assert await keys.find("old", "RS256") is not None
        async with asyncio.timeout(10):
            await service.begun.wait()
        service.hold.set()
        await keys.refresh()
        assert await keys.find("old", "RS256") is None


def _long() -> bytes:
    return key_set(public(rsa_key(), "old"), {"pad": "x" * 300_000})


ANSWERS: dict[str, Any] = {
    "an error": lambda: web.Response(status=500),
    "not found": lambda: web.Response(status=404),
    "a redirect": lambda: web.Response(status=302, headers={"Location": "/elsewhere"}),
    "nothing": lambda: b"",
    "a page": lambda: b"<html>",
    "a list": lambda: b"[]",
    "no keys": lambda: b'{"keys": []}',
    "too much": _long,
    "too deep": lambda: b"[" * 100_000,
    "not UTF-8": lambda: b'{"keys": "\xff"}',
    "secret keys only": lambda: key_set({"kty": "oct", "kid": "old", "k": "c2VjcmV0"}),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_known_keys_stay_when_the_service_answers_something_else(name: str) -> None:
    clock = Clock()
    async with publishing(OLD) as service:
        keys = KeySet(settings(service.url), clock)
        await keys.find("old", "RS256")
        service.answer[0] = ANSWERS[name]()
        with structlog.testing.capture_logs() as log:
            await keys.refresh(now=True)
        assert await keys.find("old", "RS256") is not None
        assert ["the keys of the login service could not be read; those that are known stay"] == [
            line["event"] for line in log
        ]
        assert ["127.0.0.1"] == [line["source"] for line in log]
        assert 2 == len(service.asked)


async def test_while_no_key_is_known_a_token_is_neither_taken_nor_called_wrong() -> None:
    auth = Auth.model_validate({"jwt": settings("http://127.0.0.1:9/jwks.json").model_dump()})
    ring = Keyring(auth, "memory", Ledger())
    with structlog.testing.capture_logs() as log:
        await ring.start()
        with pytest.raises(Refused) as caught:
            await ring.admit(token(kid="old"))
    why = caught.value.failure
    assert ("overloaded", 503) == (why.kind, why.status)
    assert isinstance(why.retry_after_s, float)
    assert 1 <= why.retry_after_s <= AGAIN_S
    assert ["the keys of the login service could not be read"] == [line["event"] for line in log]


async def test_a_reload_keeps_the_keys_though_the_service_is_away() -> None:
    async with publishing(OLD) as service:
        ledger, auth = Ledger(), Auth.model_validate({"jwt": settings(service.url).model_dump()})
        await Keyring(auth, "memory", ledger).start()
        service.answer[0] = web.Response(status=500)
        reloaded = Keyring(auth, "memory", ledger)
        with structlog.testing.capture_logs() as log:
            await reloaded.start()
        assert 1 == len(log)
        assert "ann" == (await reloaded.admit(token(kid="old"))).name


async def test_keys_may_be_in_a_file_which_is_read_again_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(OLD)
    keys = KeySet(settings(file=file))
    await keys.refresh()
    assert await keys.find("old", "RS256") is not None
    file.write_bytes(NEW)
    await keys.refresh(now=True)
    assert await keys.find("new", "RS256") is not None
    file.unlink()
    with structlog.testing.capture_logs() as log:
        await keys.refresh(now=True)
    assert ["FileNotFoundError"] == [line["error"] for line in log]
    assert await keys.find("new", "RS256") is not None


async def test_a_fetch_ends_with_the_process() -> None:
    async with publishing(OLD) as service:
        ledger = Ledger()
        keys = ledger.key_set(settings(service.url))
        service.hold.clear()
        waiting = asyncio.create_task(keys.refresh())
        await service.begun.wait()
        async with asyncio.timeout(3):
            await ledger.close()
        await asyncio.wait([waiting])
        assert keys.empty


def test_what_is_no_key_for_signatures_is_passed_over() -> None:
    jwk = public(rsa_key(), "good")
    listed = [
        jwk,
        {**jwk, "kid": "for encryption", "use": "enc"},
        {**jwk, "kid": "of another algorithm", "alg": "RS512"},
        {**jwk, "kid": "broken", "n": "!"},
        {**jwk, "kid": 7},
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
        public(ec.generate_private_key(ec.SECP384R1()), "another curve"),
        {
            **jwt.get_algorithm_by_name("EdDSA").to_jwk(
                ed448.Ed448PrivateKey.generate(), as_dict=True
            ),
            "kid": "another curve",
        },
        {"kid": "nothing"},
        "no key",
        None,
        public(ec_key(), "b"),
        public(ed_key(), None),
    ]
    assert [("good", "RS256"), ("b", "ES256"), (None, "EdDSA")] == list(
        read_keys(key_set(*listed), ALGORITHMS)
    )  # type: ignore[arg-type]


def test_a_set_without_end_is_cut() -> None:
    listed = [public(ed_key(), str(number)) for number in range(1000)]
    assert 100 == len(read_keys(key_set(*listed), ALGORITHMS))


async def test_without_a_key_id_a_choice_between_keys_is_not_guessed() -> None:
    async with publishing(key_set(public(rsa_key(), "old"), public(rsa_key(1), "new"))) as service:
        keys = KeySet(settings(service.url))
        assert await keys.find("new", "RS256") is not None
        assert await keys.find(None, "RS256") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
)
JWK = st.dictionaries(
    st.sampled_from(["kty", "kid", "alg", "use", "crv", "n", "e", "x", "y"]),
    JSON | st.sampled_from(["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "RS256", "AQAB"]),
)


@given(st.dictionaries(st.sampled_from(["keys", "key"]), st.lists(JWK, max_size=4) | JSON) | JSON)
def test_no_document_breaks_the_reading(document: Any) -> None:
    try:
        keys = read_keys(json.dumps(document).encode(), ALGORITHMS)
    except ValueError:
        return
    assert all(algorithm in ALGORITHMS for _, algorithm in keys)
