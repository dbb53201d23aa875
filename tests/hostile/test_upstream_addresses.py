"""Private addresses are asked only where the configuration leads there: what a name resolves to is
judged in the look-up that connects."""

import socket
from typing import Any, ClassVar

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

import proxy.net.resolver
from proxy.codec.base import Outgoing
from proxy.errors import Refused
from proxy.upstream.client import Endpoint, Upstreams
from tests.hostile.upstream import Far, answer, far_of, good, listening, refusal
from tests.running import one, running
from tests.samples import SAMPLES

CALL = Outgoing("/x", b"{}", {"Content-Type": "application/json"})


class Poisoned(AbstractResolver):
    """Every name is on loopback, or wherever `addresses` says, look-up by look-up."""

    addresses: ClassVar[list[str]]
    asked: ClassVar[list[str]]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        said = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return [
            ResolveResult(
                hostname=host,
                host=said,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> type[Poisoned]:
    Poisoned.addresses, Poisoned.asked = ["127.0.0.1"], []
    monkeypatch.setattr(proxy.net.resolver, "DefaultResolver", Poisoned)
    return Poisoned


def at(far: Far, host: str) -> str:
    return f"http://{host}:{far.url.rpartition(':')[2]}"


async def asked(upstreams: Upstreams, url: str, **endpoint: Any) -> int | str:
    """The status of the answer, or the failure's message."""
    try:
        opened = await upstreams.open(Endpoint("far", url, None, {}, 2.0, **endpoint), CALL)
    except Refused as refused:
        return f"{refused.failure.kind}: {refused.failure.message}"
    await opened.read(1000)
    opened.close()
    return opened.status


async def test_a_public_name_on_a_private_address_is_not_connected_to(
    poisoned: type[Poisoned],
) -> None:
    """The message names the setting, and no address; with the setting it is connected to."""
    far = far_of("openai_chat")
    async with listening(far):
        async with running(one("openai_chat", at(far, "api.vendor.example"))) as run:
            status, error = await refusal(run)
        assert (502, "connect_failed", "far") == (status, error["kind"], error["upstream"])
        assert "private: true" in error["message"]
        assert "127.0.0.1" not in error["message"]
        assert 0 == far.connections
        async with running(one("openai_chat", at(far, "api.vendor.example"), private=True)) as run:
            async with run.session.post(
                f"{run.url}/v1/stream", json={"model": "m", "prompt": "x"}
            ) as response:
                assert 200 == response.status
    assert 1 == far.connections
    assert ["api.vendor.example"] * 2 == poisoned.asked


@pytest.mark.parametrize(
    "host",
    [
        "vllm",
        "llm.internal",
        "llm.default.svc",
        "llm.default.svc.cluster.local",
        "box.lan",
        "a.local",
        "a.home.arpa",
    ],
)
async def test_a_name_of_a_private_network_needs_nothing(
    host: str, poisoned: type[Poisoned]
) -> None:
    far = Far(answer(b"{}"))
    async with listening(far):
        upstreams = Upstreams()
        assert 200 == await asked(upstreams, at(far, host))
        await upstreams.close()


async def test_even_a_private_name_does_not_lead_to_credentials_of_the_cloud(
    poisoned: type[Poisoned],
) -> None:
    poisoned.addresses = ["169.254.169.254"]
    upstreams = Upstreams()
    said = await asked(upstreams, "http://metadata.google.internal")
    assert str(said).startswith(
        "connect_failed: far has a host name that stands for an address that is link-local"
    )
    await upstreams.close()


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "0.0.0.0", "[::ffff:169.254.169.254]"]
)
async def test_an_address_that_no_upstream_has_is_not_connected_to(host: str) -> None:
    """Also where nothing checked the configuration."""
    upstreams = Upstreams()
    assert "set private: true" in str(await asked(upstreams, f"http://{host}"))
    await upstreams.close()


async def test_a_name_that_turns_bad_between_two_requests_is_refused(
    poisoned: type[Poisoned], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: no look-up is trusted for longer than its own connection and the cache."""
    monkeypatch.setattr("proxy.upstream.connector._DNS_CACHE_S", 0)
    far = Far(answer(b"{}", Connection="close"))
    poisoned.addresses = ["127.0.0.1", "169.254.169.254"]
    async with listening(far):
        upstreams = Upstreams()
        assert 200 == await asked(upstreams, at(far, "llm.internal"))
        assert "link-local" in str(await asked(upstreams, at(far, "llm.internal")))
        await upstreams.close()
    assert 1 == far.connections


async def test_a_connection_that_one_may_use_is_not_lent_to_another(
    poisoned: type[Poisoned],
) -> None:
    """Two upstreams of one host, one of them allowed to be private: the other one's request finds
    no open connection, and no cached name."""
    far = Far(answer(b"{}"))
    async with listening(far):
        upstreams = Upstreams()
        url = at(far, "api.vendor.example")
        assert 200 == await asked(upstreams, url, private=True)
        assert "private: true" in str(await asked(upstreams, url))
        assert 200 == await asked(upstreams, url, private=True)
        assert (1, 2) == (far.connections, len(far.asked))
        await upstreams.close()


async def test_localhost_is_found_by_the_real_resolver() -> None:
    far = Far(answer(b"{}"))
    async with listening(far):
        upstreams = Upstreams()
        assert 200 == await asked(upstreams, at(far, "localhost"))
        assert 200 == await asked(upstreams, at(far, "127.0.0.1"))
        await upstreams.close()


@pytest.mark.parametrize("host", ["127.1", "0177.0.0.1", "2130706433"])
async def test_other_ways_to_write_an_address_are_no_way_round(host: str) -> None:
    far = Far(answer(b"{}"))
    async with listening(far):
        upstreams = Upstreams()
        assert isinstance(await asked(upstreams, at(far, host)), str)
        await upstreams.close()
    assert 0 == far.connections


async def test_an_address_that_an_answer_gives_goes_through_the_same_look_up(
    poisoned: type[Poisoned],
) -> None:
    """A neighbour of a public host may be followed, and yet not to a private address."""
    sample = SAMPLES["replicate"]
    far = Far(b"", good(sample))
    async with listening(far):
        port = far.url.rpartition(":")[2]
        where = f'{{"urls":{{"stream":"http://stream.vendor.example:{port}/s"}}}}'
        far.answers = (answer(where.encode(), "application/json", "201 Created"), good(sample))
        for private, status in ((False, 502), (True, 200)):
            far.asked.clear()
            # The first look-up is of the listed host alone: base_url is an address.
            options = {**sample.options, "stream_hosts": [f"stream.vendor.example:{port}"]}
            async with running(one("replicate", far.url, options=options, private=private)) as run:
                async with run.session.post(
                    f"{run.url}/v1/stream", json={"model": sample.model, "prompt": "x"}
                ) as response:
                    text = await response.text()
                    assert (status, not private) == (response.status, "private: true" in text), text
            assert (2 if private else 1) == len(far.asked)


async def test_the_environments_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would see prompts and keys, and look names up themselves."""
    proxy_, far = Far(answer(b"evil")), Far(answer(b"{}"))
    async with listening(proxy_, far):
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy_.url)
        monkeypatch.delenv("no_proxy", raising=False)
        upstreams = Upstreams()
        assert 200 == await asked(upstreams, far.url)
        await upstreams.close()
    assert (0, 1) == (proxy_.connections, far.connections)
