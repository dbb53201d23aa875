"""Keys: who is let in, what each may do, and what a reload keeps."""

import hashlib
import hmac
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Failure, Refused
from proxy.server.access.keys import Keyring, Ledger, check_model
from proxy.settings.auth import Auth

SECRETS = ("first", "second", "third")


def sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def keyring(*keys: dict[str, Any], ledger: Ledger | None = None) -> Keyring:
    """Keys that are named as their secrets are."""
    auth = Auth.model_validate({"keys": [{"sha256": sha256(key["name"]), **key} for key in keys]})
    return Keyring(auth, "memory", ledger or Ledger())


async def refusal(ring: Keyring, secret: str | None) -> Failure:
    with pytest.raises(Refused) as caught:
        await ring.admit(secret)
    return caught.value.failure


@pytest.mark.parametrize("secret", SECRETS)
async def test_each_key_is_known_by_its_secret(secret: str) -> None:
    assert secret == (await keyring(*({"name": name} for name in SECRETS)).admit(secret)).name


@pytest.mark.parametrize(
    "secret", [None, "", "wrong", sha256("first"), "a.b.c", "first ", "\udcff", "x" * 100_000]
)
async def test_what_is_no_key_is_refused_without_being_repeated(secret: str | None) -> None:
    why = await refusal(keyring({"name": "first"}), secret)
    assert ("unauthorized", 401) == (why.kind, why.status)
    assert not secret or secret not in why.message


@given(st.text(max_size=40))
async def test_no_text_but_the_secret_opens(secret: str) -> None:
    ring = keyring({"name": "first"})
    if secret == "first":
        assert (await ring.admit(secret)).name == "first"
    else:
        assert (await refusal(ring, secret)).kind == "unauthorized"


@pytest.mark.parametrize("secret", [*SECRETS, "none of them"])
async def test_every_key_is_compared_whichever_matches(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[Any] = []

    def digest(left: Any, right: Any) -> bool:
        compared.append(left)
        return bool(left == right)

    monkeypatch.setattr(hmac, "compare_digest", digest)
    ring = keyring(*({"name": name} for name in SECRETS))
    if secret in SECRETS:
        await ring.admit(secret)
    else:
        await refusal(ring, secret)
    assert [sha256(name) for name in SECRETS] == compared


async def test_a_huge_credential_is_not_even_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = keyring({"name": "first"})

    def never(*_: Any) -> Any:
        raise AssertionError("hashed")

    monkeypatch.setattr(hashlib, "sha256", never)
    assert "too long" in (await refusal(ring, "x" * 8193)).message


async def test_a_key_is_good_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = keyring({"name": "first", "expires": "2031-05-06"}, {"name": "second"})
    last = datetime(2031, 5, 6, 23, 59, 59, tzinfo=UTC).timestamp()
    monkeypatch.setattr(time, "time", lambda: last)
    await ring.admit("first")
    monkeypatch.setattr(time, "time", lambda: last + 1)
    why = await refusal(ring, "first")
    assert ("unauthorized", "The key 'first' has expired: ask for a new one.") == (
        why.kind,
        why.message,
    )
    await ring.admit("second")


async def test_only_its_models_may_be_asked_for() -> None:
    ring = keyring(
        {"name": "first", "models": ["fast"]}, {"name": "second"}, {"name": "third", "models": []}
    )
    check_model(await ring.admit("first"), "fast")
    check_model(await ring.admit("second"), "anything")
    for secret in ("first", "third"):
        with pytest.raises(Refused) as caught:
            check_model(await ring.admit(secret), "slow")
        assert ("forbidden", "model") == (caught.value.failure.kind, caught.value.failure.param)
        assert caught.value.failure.message.endswith("GET /v1/models lists those that it may.")


@pytest.mark.parametrize(
    ("secret", "slip"),
    [
        ("$OPENAI_API_KEY", ": it looks like the name of a variable that nothing has replaced"),
        ("${KEY}", ": it looks like the name of a variable that nothing has replaced"),
        ("<your key>", ": it looks like the name of a variable that nothing has replaced"),
        ("Bearer first", ": it begins with Bearer, which is said twice"),
        ('"first"', ": it has quotes around it"),
        ("sk-other", ""),
    ],
)
async def test_a_slip_on_the_key_s_way_is_told(secret: str, slip: str) -> None:
    with pytest.raises(Refused) as caught:
        await keyring({"name": "first"}).admit(secret)
    assert f"This key is not accepted here{slip}." == caught.value.failure.message


async def test_only_an_admin_key_opens_what_is_the_operators() -> None:
    ring = keyring({"name": "first"}, {"name": "second", "admin": True, "requests_per_minute": 1})
    for secret, kind in ((None, "unauthorized"), ("wrong", "unauthorized"), ("first", "forbidden")):
        with pytest.raises(Refused) as caught:
            await ring.admit_admin(secret)
        assert kind == caught.value.failure.kind
        assert ("admin: true" in caught.value.failure.message) is (secret != "wrong")
    for _ in range(3):  # not counted
        await ring.admit_admin("second")


async def test_streams_of_a_key_are_bounded() -> None:
    ring = keyring({"name": "first", "max_streams": 2}, {"name": "second", "max_streams": 1})
    first, second = await ring.admit("first"), await ring.admit("second")
    ring.enter(first)
    ring.enter(first)
    ring.enter(second)
    with pytest.raises(Refused) as caught:
        ring.enter(first)
    assert ("rate_limited", 1) == (caught.value.failure.kind, caught.value.failure.retry_after_s)
    ring.leave(first)
    ring.enter(first)


async def test_a_key_that_has_left_leaves_nothing_behind() -> None:
    ledger = Ledger()
    ring = keyring({"name": "first"}, ledger=ledger)
    first = await ring.admit("first")
    ring.enter(first)
    ring.leave(first)
    assert {} == dict(ledger.open)


async def test_requests_of_a_key_are_bounded() -> None:
    ring = keyring(
        {"name": "first", "requests_per_minute": 2}, {"name": "second", "requests_per_minute": 1}
    )
    for secret in ("first", "first", "second"):
        await ring.admit(secret)
    why = await refusal(ring, "first")
    assert ("rate_limited", 429) == (why.kind, why.status)
    assert "The key 'first' has used its 2 requests a minute" in why.message
    assert isinstance(why.retry_after_s, float)
    assert 1 <= why.retry_after_s <= 60


async def test_tokens_are_counted_at_the_end_also_beyond_the_limit() -> None:
    ring = keyring(
        {"name": "first", "tokens_per_minute": 100, "requests_per_minute": 3},
        {"name": "second", "tokens_per_minute": 100},
    )
    first, second = await ring.admit("first"), await ring.admit("second")
    await ring.spend(first, 99, 0)
    await ring.admit("first")
    await ring.spend(first, 5000, 0)
    await ring.spend(second, 0, 0)
    why = await refusal(ring, "first")
    assert "The key 'first' has used its 100 tokens a minute" in why.message
    assert isinstance(why.retry_after_s, float)
    assert 1 <= why.retry_after_s <= 60
    await ring.admit("second")


async def test_the_limit_itself_is_used_up_exactly() -> None:
    ring = keyring({"name": "first", "tokens_per_minute": 100})
    await ring.spend(await ring.admit("first"), 100, 0)
    assert (await refusal(ring, "first")).kind == "rate_limited"


async def test_when_the_minute_is_over_all_may_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = keyring(
        {"name": "first", "tokens_per_minute": 10}, {"name": "second", "requests_per_minute": 1}
    )
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    await ring.spend(await ring.admit("first"), 10_000, 0)
    await ring.admit("second")
    monkeypatch.setattr(time, "time", lambda: now + 59)
    waits = [(await refusal(ring, secret)).retry_after_s for secret in ("first", "second")]
    assert [1.0, 1.0] == pytest.approx(waits)
    monkeypatch.setattr(time, "time", lambda: now + 60.1)
    await ring.admit("first")
    await ring.admit("second")


async def test_a_request_that_is_refused_for_its_tokens_is_not_counted() -> None:
    ledger = Ledger()
    ring = keyring(
        {"name": "first", "tokens_per_minute": 1, "requests_per_minute": 2}, ledger=ledger
    )
    await ring.spend(await ring.admit("first"), 1, 0)
    for _ in range(3):
        assert "tokens" in (await refusal(ring, "first")).message
    more = keyring(
        {"name": "first", "tokens_per_minute": 9, "requests_per_minute": 2}, ledger=ledger
    )
    await more.admit("first")
    assert "2 requests" in (await refusal(more, "first")).message


async def test_a_reload_keeps_what_was_counted() -> None:
    ledger = Ledger()
    before = keyring(
        {"name": "first", "max_streams": 1, "requests_per_minute": 2, "tokens_per_minute": 10},
        ledger=ledger,
    )
    first = await before.admit("first")
    before.enter(first)
    after = keyring(
        {"name": "first", "max_streams": 1, "requests_per_minute": 3, "tokens_per_minute": 10},
        ledger=ledger,
    )
    again = await after.admit("first")
    with pytest.raises(Refused):
        after.enter(again)
    before.leave(first)
    after.enter(again)
    await after.admit("first")  # the third, of three since the limit was raised
    assert "3 requests" in (await refusal(after, "first")).message
    await before.spend(first, 10, 0)  # of a stream that began before the reload
    assert "tokens" in (await refusal(after, "first")).message
