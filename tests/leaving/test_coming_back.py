"""Who leaves and comes back, again and again, with answers that are to be finished, has no more of
them open than any other client may."""

import hashlib
from collections import Counter
from pathlib import Path

from tests.cli.tools import Client, metric, until
from tests.leaving.scene import asked, closes, config, first_words, mock, proxies

TRIES = 10


async def status_of(client: Client) -> int:
    """The status of the answer, of which some text has come if it is 200."""
    head = await client.reader.readuntil(b"\r\n\r\n")
    status = int(head.split()[1])
    if status == 200:
        await first_words(client)
    return status


async def test_streams_without_a_client_count_for_the_key_the_upstream_and_the_proxy(
    tmp_path: Path,
) -> None:
    keys = [
        {
            "name": name,
            "sha256": hashlib.sha256(name.encode()).hexdigest(),
            "admin": name == "admin",
        }
        for name in ("bound", "free")
    ]
    keys[0]["max_streams"] = 2
    async with mock(tmp_path) as account:
        tree = config(
            account.url,
            "cancel",
            auth={"keys": keys},
            limits={"max_streams": 7},
            admin={"port": 0},
            retry={"retries": 0},
        )
        tree["upstreams"]["narrow"] |= {"max_streams": 4, "queue_s": 0}
        async with proxies(tree) as (proxy,):
            admin = proxy.process.log.split("metrics  ")[1].split("/metrics")[0]

            async def statuses(key: str, model: str) -> Counter[int]:
                """Comes and leaves, each time with an answer that is to be finished."""
                found: Counter[int] = Counter()
                for _ in range(TRIES):
                    async with asked(
                        proxy,
                        model,
                        x_mainstem_on_disconnect="finish",
                        authorization=f"Bearer {key}",
                    ) as (client, _mark):
                        found[await status_of(client)] += 1
                        closes(client)
                return found

            assert {200: 2, 429: TRIES - 2} == await statuses("bound", "steady")
            assert {200: 4, 503: TRIES - 4} == await statuses("free", "narrow")
            assert {200: 1, 503: TRIES - 1} == await statuses("free", "steady")
            assert 7 == await metric(admin, "mainstem_streams_open")
            assert 7 == len([entry for entry in await account.all(2000) if entry["open"]])
            await account.stop()

            async def none_open() -> bool:
                return 0 == await metric(admin, "mainstem_streams_open")

            await until(none_open)
            # its places are free again, and its upstream is gone
            assert {502: TRIES} == await statuses("bound", "steady")
