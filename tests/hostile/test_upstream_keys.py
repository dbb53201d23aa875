"""Whose key reaches an upstream: the configured one, or with pass_through the client's own, and
never any other."""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from proxy.dialects.registry import CLIENTS, UPSTREAMS
from tests.hostile.upstream import (
    ASK,
    Far,
    answer,
    asked_in,
    far_of,
    good,
    listening,
    refusal,
)
from tests.running import one, running
from tests.samples import ASKED, SAMPLES

MARK = "MARKa1b2c3d4e5f6"
OWN = "OWNKEY-0123456789"
ANY_PAGE = {"cors": {"allow_origins": ["*"]}}


class Way(NamedTuple):
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}


TAKEN = {
    "bearer": Way({"Authorization": f"Bearer {MARK}"}),
    "bearer in lower case": Way({"authorization": f"bearer {MARK}"}),
    "x-api-key": Way({"x-api-key": MARK}),
    "x-goog-api-key": Way({"X-Goog-Api-Key": MARK}),
    "query": Way({}, {"key": MARK}),
}
OTHER = {
    "cookie": Way({"Cookie": f"session={MARK}; other={MARK}"}),
    "proxy": Way({"Proxy-Authorization": f"Basic {MARK}"}),
    "basic": Way({"Authorization": f"Basic {base64.b64encode(MARK.encode()).decode()}"}),
    "unknown scheme": Way({"Authorization": MARK}),
    "api-key": Way({"api-key": MARK}),
    "token": Way({"x-auth-token": MARK, "x-amz-security-token": MARK, "anthropic-api-key": MARK}),
    "forwarded": Way(
        {
            "X-Forwarded-For": MARK,
            "Forwarded": f"for={MARK}",
            "Origin": f"https://{MARK}.example",
            "Referer": f"https://{MARK}/",
        }
    ),
    "agent": Way({"User-Agent": MARK, "traceparent": MARK, "x-user-id": MARK}),
}


def holds(sent: bytes) -> bool:
    """Whether anything of the mark is there, also as base64 has it."""
    return any(
        form.lower() in sent.lower()
        for form in (MARK.encode(), base64.b64encode(MARK.encode())[:-4])
    )


@pytest.mark.parametrize("client", CLIENTS)
async def test_no_credential_of_a_client_reaches_an_upstream(client: str) -> None:
    """However it is sent: the one request that goes up has the configured key, and nothing of the
    client's."""
    far = far_of("openai_chat")
    async with (
        listening(far),
        running({**one("openai_chat", far.url, api_key=OWN), **ANY_PAGE}) as run,
    ):
        for name, way in (TAKEN | OTHER).items():
            status, body, _ = await asked_in(run, client, headers=way.headers, query=way.query)
            assert 200 == status, (name, body)
    assert len(TAKEN | OTHER) == len(far.asked)
    for sent in far.asked:
        assert not holds(sent), sent
        assert f"authorization: bearer {OWN}\r\n".encode().lower() in sent.lower()


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_no_upstream_dialect_lets_one_through(
    dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key of ours and without one."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "eu-west-1")
    sample = SAMPLES[dialect]
    for settings in ({"api_key": OWN}, {}):
        far = Far(good(sample))
        upstream: dict[str, Any] = {**settings, "options": dict(sample.options)}
        async with (
            listening(far),
            running({**one(dialect, far.url, **upstream), **ANY_PAGE}) as run,
        ):
            for way in (TAKEN | OTHER).values():
                await asked_in(
                    run,
                    "native",
                    headers=way.headers,
                    query=way.query,
                    body={"model": sample.model, "prompt": "hi"},
                )
        assert far.asked
        assert not any(map(holds, far.asked))


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("way", TAKEN)
async def test_with_pass_through_the_clients_key_is_the_upstreams(client: str, way: str) -> None:
    """In that vendor's own form, whatever the client's, and in no other place."""
    far = far_of("anthropic")
    async with listening(far), running(one("anthropic", far.url, pass_through=True)) as run:
        status, body, _ = await asked_in(
            run, client, headers=TAKEN[way].headers, query=TAKEN[way].query
        )
    assert 200 == status, body
    (sent,) = far.asked
    assert f"x-api-key: {MARK}\r\n".encode() in sent
    assert 1 == sent.count(MARK.encode())


@pytest.mark.parametrize(
    "dialect", ["openai_chat", "gemini", "cohere", "bedrock_converse", "replicate"]
)
async def test_pass_through_in_every_form_of_a_key(dialect: str) -> None:
    """Also where no key would mean a signature with ours."""
    sample = SAMPLES[dialect]
    far = Far(good(sample))
    async with (
        listening(far),
        running(one(dialect, far.url, pass_through=True, options=dict(sample.options))) as run,
    ):
        await asked_in(
            run, "native", headers={"x-api-key": MARK}, body={"model": sample.model, "prompt": "hi"}
        )
    assert far.asked[0].count(MARK.encode()) == 1
    assert b"aws4-hmac" not in far.asked[0].lower()


@pytest.mark.parametrize(
    "way",
    [Way(), *OTHER.values(), Way({"x-api-key": "k\u00e9y-\u00fc"}), Way({"x-api-key": "k" * 5000})],
)
async def test_without_a_key_that_can_be_sent_nothing_is(way: Way) -> None:
    far = far_of("openai_chat")
    async with (
        listening(far),
        running({**one("openai_chat", far.url, pass_through=True), **ANY_PAGE}) as run,
    ):
        status, error = await refusal(run, ASK, **way.headers)
    assert (401, "unauthorized") == (status, error["kind"])
    assert 0 == far.connections


@pytest.mark.parametrize(
    "first", [answer(b"{}", "application/json", "503 Busy"), answer(b"", "text/event-stream")]
)
async def test_a_fallback_to_our_own_key_does_not_take_the_clients_along(first: bytes) -> None:
    theirs, ours = Far(first), far_of("openai_chat")
    async with listening(theirs, ours):
        config = {
            "upstreams": {
                "theirs": {"dialect": "openai_chat", "base_url": theirs.url, "pass_through": True},
                "ours": {"dialect": "openai_chat", "base_url": ours.url, "api_key": OWN},
            },
            "models": {"*": [{"upstream": "theirs"}, {"upstream": "ours"}]},
        }
        async with running(config) as run:
            status, _, _ = await asked_in(
                run, "openai_chat", headers={"Authorization": f"Bearer {MARK}"}
            )
    assert 200 == status
    assert MARK.encode() in theirs.asked[0]
    assert OWN.encode() not in theirs.asked[0]
    assert OWN.encode() in ours.asked[0]
    assert not holds(ours.asked[0])


@pytest.mark.parametrize(("status", "kind"), [("401 No", "unauthorized"), ("403 No", "forbidden")])
async def test_a_clients_key_that_is_refused_is_the_clients_affair(status: str, kind: str) -> None:
    """No other target is asked with a key of ours instead."""
    theirs, ours = (
        Far(answer(b'{"error":{"message":"bad key"}}', "application/json", status)),
        far_of("openai_chat"),
    )
    async with listening(theirs, ours):
        config = {
            "upstreams": {
                "theirs": {"dialect": "openai_chat", "base_url": theirs.url, "pass_through": True},
                "ours": {"dialect": "openai_chat", "base_url": ours.url, "api_key": OWN},
            },
            "models": {"*": [{"upstream": "theirs"}, {"upstream": "ours"}]},
        }
        async with running(config) as run:
            got, error = await refusal(run, ASK, Authorization=f"Bearer {MARK}")
    assert (int(status[:3]), kind) == (got, error["kind"])
    assert not ours.asked


async def test_the_key_goes_along_only_where_ours_would(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that an answer gives is vetted alike: another host gets neither the key nor a
    connection."""
    sample, elsewhere = SAMPLES["replicate"], Far(b"")
    assert sample.follows
    async with listening(elsewhere):
        port = elsewhere.url.rpartition(":")[2]
        far = Far(
            answer(
                b'{"urls":{"stream":"http://localhost:%b/s"}}' % port.encode(),
                "application/json",
                "201 Created",
            )
        )
        async with listening(far), running(one("replicate", far.url, pass_through=True)) as run:
            status, error = await refusal(
                run, {"model": "a/b", "prompt": "hi"}, Authorization=f"Bearer {MARK}"
            )
    assert (502, "upstream_malformed") == (status, error["kind"])
    assert (1, 0) == (len(far.asked), elsewhere.connections)


def test_every_client_dialect_has_its_path_here() -> None:
    assert set(CLIENTS) == set(ASKED)
