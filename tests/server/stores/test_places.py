"""Redis as operators run it: a cluster, with users and encryption of its own."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from proxy.server.access.rates import Rates
from proxy.server.redis_address import moved_to, place_of
from tests.certificates import write_certificate
from tests.needs import requires
from tests.ports import free_port
from tests.redis_server import PASSWORD, move_slot, redis_cluster, redis_server
from tests.relay.far import Far, says
from tests.server.speaking import TEXT, WORDS, Speaks, asked
from tests.server.stores.test_shared import both, two

REDIS = requires("redis")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this machine is busy, a Redis that answers late is none that is away."""
    monkeypatch.setattr("proxy.server.access.rates._WAIT_S", 20.0)
    monkeypatch.setattr("proxy.server.stores.shared._ASK_S", 20.0)


@REDIS
async def test_any_node_of_a_cluster_leads_to_the_one_that_has_the_streams() -> None:
    async with redis_cluster() as nodes:
        for node in nodes:
            speaks = Speaks()
            small = {"max_bytes_per_stream": 2400}
            async with two(Far(speaks), node, rules=small) as (here, there):
                speaks.say(10)
                async with asked(here) as first:
                    await first.read(WORDS[9])
                    first.response.close()
                async with asked(there, headers={"Last-Event-ID": first.ids[-1]}) as again:
                    speaks.say(40)
                    await again.read()
                assert TEXT == first.text + again.text
            # what is shared of rates lies there too
            rates = [Rates(SecretStr(each.url)) for each in (node, nodes[0])]
            holder = node.place
            assert [None, None] == [await each.request(holder, 2) for each in rates]
            assert [True, True] == [bool(await each.request(holder, 2)) for each in rates]
            for each in rates:
                await each.close()


@REDIS
async def test_when_another_node_takes_over_no_reader_loses_a_word() -> None:
    speaks = Speaks()
    rules = {"lease_s": 30}
    async with redis_cluster() as nodes, two(Far(speaks), nodes[0], rules=rules) as (here, there):
        async with both(here, there, speaks) as (first, second, where):
            await move_slot(nodes, "{mainstem}")
            speaks.say(3)
            await asyncio.gather(first.read(WORDS[5]), second.read(WORDS[5]))
            speaks.say(40)
            await asyncio.gather(first.read(), second.read())
        assert (TEXT, TEXT) == (first.text, second.text)
        async with asked(there, where, "GET") as late:
            await late.read()
        assert first.events == late.events


# what SECURITY.md says that its user may do
ALLOWED = (
    "resetkeys",
    "~{mainstem}:*",
    "-@all",
    *("+@read", "+@write", "+@connection", "+@transaction", "+@scripting", "-@dangerous"),
)


@REDIS
async def test_a_user_with_few_rights_and_encryption_are_enough(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    port = free_port()
    options = {
        "tls-port": str(port),
        "tls-cert-file": f"{tmp_path}/tls.crt",
        "tls-key-file": f"{tmp_path}/tls.key",
        "tls-ca-cert-file": f"{tmp_path}/tls.crt",
        "tls-auth-clients": "no",
    }
    async with redis_server(**options) as redis:
        await redis.run("ACL", "SETUSER", "mainstem", "on", f">{PASSWORD}", *ALLOWED)
        url = f"rediss://mainstem:{PASSWORD}@localhost:{port}/0?ssl_ca_certs={tmp_path}/tls.crt"
        speaks = Speaks()
        rules = {"store": url, "max_bytes_per_stream": 2400}
        async with two(Far(speaks), redis, rules=rules) as (here, there):
            speaks.say(35)
            async with asked(here) as first:
                await first.read(WORDS[30])
                where = first.response.headers["Location"]
                async with asked(there, where, "GET") as second:
                    speaks.say(40)
                    await asyncio.gather(first.read(), second.read())
            assert (TEXT, TEXT) == (first.text, second.text)
            async with asked(there, where, "DELETE") as deleted:
                assert 204 == deleted.response.status
        rates = Rates(SecretStr(url))
        await rates.spend("ann", 2, 5)
        waits = [await rates.request("ann", 1), await rates.tokens("ann", 2)]
        assert (None, True) == (waits[0], bool(waits[1]))
        assert await rates.request("ann", 1)
        await rates.close()
        assert 2 == len(await redis.run("KEYS", "{mainstem}:*ann*"))


@REDIS
@pytest.mark.parametrize("user", ["nobody:wrong", f"mainstem:{PASSWORD}"])
async def test_a_user_without_rights_is_one_line_and_streams_go_on(
    user: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with redis_server() as redis:
        await redis.run("ACL", "SETUSER", "mainstem", "on", f">{PASSWORD}", "~other:*", "+@read")
        rules = {"store": f"redis://{user}@{redis.place}/0"}
        async with two(Far(says("Hello")), redis, rules=rules) as (here, _):
            for _ in range(3):
                async with asked(here) as whole:
                    await whole.read()
                assert "Hello" == whole.text
    said = capsys.readouterr().out
    assert 2 == said.count("the Redis of streams.resume.store is away")  # of two processes
    assert user.partition(":")[2] not in said


@pytest.mark.parametrize(
    ("address", "host", "new"),
    [
        ("redis://:pw@a:7000/0?x=1", "10.0.0.2", "redis://:pw@10.0.0.2:7001/0?x=1"),
        ("rediss://me:p%40w@a.example", "b.example", "rediss://me:p%40w@b.example:7001"),
        ("redis://a:7000", "", "redis://a:7001"),
        ("redis://[::1]:7000", "", "redis://[::1]:7001"),
        ("redis://a", "fd00::2", "redis://[fd00::2]:7001"),
    ],
)
def test_another_node_is_reached_with_the_same_secrets(address: str, host: str, new: str) -> None:
    moved = moved_to(SecretStr(address), host, 7001)
    assert new == moved.get_secret_value()
    assert "pw" not in place_of(moved)
    assert "p%40w" not in place_of(moved)
