"""The account: bounded, redacted, newest first."""

from collections.abc import Mapping

import pytest

from proxy.mock.account import (
    MAX_BODY_BYTES,
    MAX_ENTRIES,
    MAX_KEPT_BYTES,
    Account,
    Entry,
    bounded,
    redacted,
)


def entry(
    account: Account,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> Entry:
    made = Entry(
        id=account.next_id(),
        time=0,
        dialect="plain",
        upstream="demo",
        method="POST",
        path="/demo/data",
        query=query or {},
        headers=headers or {},
        raw_body=body,
    )
    account.add(made)
    return made


def test_newest_first_and_bounded():
    """Only the last 2,000 are kept; a limit takes the newest."""
    account = Account()
    for _ in range(MAX_ENTRIES + 5):
        entry(account)
    assert MAX_ENTRIES == len(account.newest())
    assert ["mock-2005", "mock-2004"] == [row["id"] for row in account.newest(2)]
    account.clear()
    assert [] == account.newest()


def test_what_is_shown():
    """The body is read as JSON where it is JSON, and `open` says whether the answer is still
    played."""
    account = Account()
    made = entry(account, b'{"a": [1]}')
    assert ({"a": [1]}, True, None) == tuple(
        account.newest(1)[0][key] for key in ("body", "open", "ended")
    )
    made.ended = "complete"
    assert not account.newest(1)[0]["open"]
    entry(account, b"not json \xff")
    assert "not json \ufffd" == account.newest(1)[0]["body"]
    entry(account, b'{"a":"\xff"}')
    assert '{"a":"\ufffd"}' == account.newest(1)[0]["body"]
    entry(account)
    assert account.newest(1)[0]["body"] is None
    entry(account, b"[" * 100_000)
    assert "[[[" == account.newest(1)[0]["body"][:3]
    assert "raw_body" not in account.newest(1)[0]


def test_bodies_are_bounded():
    """At most 64 KiB of a body are kept."""
    assert MAX_BODY_BYTES == len(bounded(b"x" * (MAX_BODY_BYTES + 1)))


def test_bodies_are_bounded_together():
    """Large bodies make older requests go before there are 2,000."""
    account = Account()
    whole = MAX_KEPT_BYTES // MAX_BODY_BYTES
    for _ in range(whole + 5):
        entry(account, b"x" * MAX_BODY_BYTES)
    assert whole - 1 == len(account.newest())  # as the rest of a request takes room too
    account.clear()
    entry(account, b"x")
    assert 1 == len(account.newest())


@pytest.mark.parametrize("place", ["headers", "query"])
def test_heads_are_bounded_together(place: str):
    """So do large headers and queries."""
    account = Account()
    size = MAX_KEPT_BYTES // 10
    for _ in range(50):
        entry(account, b"x", **{place: {"x-mock-a": "v" * size}})
    assert 9 == len(account.newest())
    assert size * 10 > account.kept_bytes


def test_secrets_are_not_kept_in_the_open():
    """What carries a secret shows only that it was there; our own headers are shown."""
    shown = redacted(
        {
            "Authorization": "Bearer abc",
            "x-api-key": "k",
            "cookie": "a=b",
            "Acs-Token": "t",
            "x-mock-tokens-per-s": "3",
            "accept": "*/*",
        }
    )
    assert {
        "Authorization": "redacted (10 characters)",
        "x-api-key": "redacted (1 characters)",
        "cookie": "redacted (3 characters)",
        "Acs-Token": "redacted (1 characters)",
        "x-mock-tokens-per-s": "3",
        "accept": "*/*",
    } == shown
