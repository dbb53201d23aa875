"""Kept streams: clients leave, come back, watch and cancel; there is one generation."""

import asyncio
import hashlib
import json
from typing import Any

import pytest

from proxy.dialects.registry import CLIENTS
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer
from tests.relay.far import ROLE, Far, delta, hangs_up, proxied, says, silent, status, until
from tests.running import Running
from tests.server.speaking import BODY, TEXT, WORDS, Speaks, asked

ANY = {"*": [{"upstream": "far"}]}
KEPT = {"resume": {}, "grace_s": 5}


def kept(**streams: Any) -> dict[str, Any]:
    return {"streams": {**KEPT, **streams}}


async def test_a_client_that_comes_back_gets_the_rest_and_there_is_one_generation() -> None:
    speaks = Speaks()
    far = Far(speaks)
    async with proxied(["far"], {"far": far}, **kept()) as run:
        speaks.say(10)
        async with asked(run) as first:
            await first.read(WORDS[9])
            first.response.close()
        speaks.say(40)
        async with asked(run, headers={"Last-Event-ID": first.ids[-1]}) as again:
            await again.read()
        assert TEXT == first.text + again.text
        assert [event["type"] for event in again.events[-2:]] == ["block.end", "stream.end"]
        ids = [int(seen.rpartition(":")[2]) for seen in first.ids + again.ids]
        assert list(range(len(ids))) == ids
        assert 1 == await run.metric('mainstem_resumes_total{result="attached"}')
        await until(lambda: run.metric('mainstem_streams_total{client_dialect="native",'))
        assert 1 == await run.metric(
            'mainstem_streams_total{client_dialect="native",model="m",outcome="completed",'
        )
    assert 1 == len(far.asked)


async def test_who_has_the_end_gets_204_and_who_names_nothing_known_too() -> None:
    async with proxied(["far"], {"far": Far(says("Hello"))}, **kept()) as run:
        async with asked(run) as whole:
            await whole.read()
        for seen in (whole.ids[-1], "no:1", "x", f"{whole.ids[0]}x", "0" * 5000):
            async with asked(run, method="GET", headers={"Last-Event-ID": seen}) as again:
                assert 204 == again.response.status


async def test_past_the_last_event_there_is_nothing_to_send() -> None:
    """Nobody can have seen it, of a stream that this process generates: also while it goes on."""
    speaks = Speaks()
    far = Far(speaks)
    async with proxied(["far"], {"far": far}, **kept()) as run:
        speaks.say(3)
        async with asked(run) as reading:
            await reading.read(WORDS[2])
            where = reading.response.headers["Location"]
            await past(run, where, reading.ids[-1])
            speaks.say(40)
            await reading.read()
        await past(run, where, reading.ids[-1])
    assert 1 == len(far.asked)


async def past(run: Running, where: str, newest: str) -> None:
    stream, _, last = newest.rpartition(":")
    for number in (int(last) + 1, int(last) + 2, 10**9, 10**11 - 1):
        seen = {"Last-Event-ID": f"{stream}:{number}"}
        for path, method in ((where, "GET"), ("/v1/stream", "POST")):
            async with asked(run, path, method, headers=seen) as again:
                assert (204, number) == (again.response.status, number)


async def test_a_stream_that_has_ended_can_be_read_again_in_every_dialect() -> None:
    async with proxied(["far"], {"far": Far(says("Hello"))}, **kept()) as run:
        async with asked(run) as whole:
            await whole.read()
            where = whole.response.headers["Location"]
            assert whole.response.headers["x-resumable-stream-id"] in where
        for dialect in CLIENTS:
            async with asked(run, f"{where}?dialect={dialect}", "GET") as again:
                assert 200 == again.response.status
                assert b"Hello" in await again.response.read()
        async with asked(run, where, "GET") as again:
            await again.read()
        assert whole.events == again.events
        assert whole.ids == again.ids


async def test_many_read_along_each_from_its_beginning() -> None:
    speaks = Speaks()
    far = Far(speaks)
    async with proxied(["far"], {"far": far}, **kept()) as run:
        speaks.say(5)
        async with asked(run) as first:
            await first.read(WORDS[4])
            where = first.response.headers["Location"]
            async with asked(run, where, "GET") as second, asked(run, where, "GET") as third:
                await second.read(WORDS[4])
                speaks.say(40)
                await asyncio.gather(first.read(), second.read(), third.read())
        assert [TEXT] * 3 == [each.text for each in (first, second, third)]
        assert ["stream.end"] * 3 == [each.last for each in (first, second, third)]
        assert 0 == await run.metric("mainstem_readers_open")
    assert 1 == len(far.asked)


async def test_a_stream_is_started_described_and_followed() -> None:
    speaks = Speaks()
    async with proxied(["far"], {"far": Far(speaks)}, **kept()) as run:
        async with asked(run, "/v1/streams") as started:
            assert 201 == started.response.status
            told = await started.response.json()
            assert told["url"] == started.response.headers["Location"]
        speaks.say(3)
        async with asked(run, told["url"], "GET") as reading:
            await reading.read(WORDS[2])
            async with asked(run, f"{told['url']}/status", "GET") as about:
                said = await about.response.json()
            assert ("in_progress", 1, "m") == (said["status"], said["readers"], said["model"])
            assert reading.ids[-1] == said["last_event_id"]
            speaks.say(40)
            await reading.read()
        assert TEXT == reading.text
        async with asked(run, f"{told['url']}/status", "GET") as about:
            assert "completed" == (await about.response.json())["status"]


async def test_cancelling_closes_the_upstream_and_tells_every_reader() -> None:
    speaks = Speaks()
    async with proxied(["far"], {"far": Far(speaks)}, **kept()) as run:
        speaks.say(3)
        async with asked(run) as first:
            await first.read(WORDS[2])
            where = first.response.headers["Location"]
            async with asked(run, where, "GET") as second:
                await second.read(WORDS[2])
                async with asked(run, where, "DELETE") as cancelled:
                    assert 204 == cancelled.response.status
                async with asyncio.timeout(1):
                    await speaks.gone.wait()
                await asyncio.gather(first.read(), second.read())
        kinds = [each.events[-1]["error"]["kind"] for each in (first, second)]
        assert ["cancelled", "cancelled"] == kinds
        async with asked(run, f"{where}/status", "GET") as about:
            assert "cancelled" == (await about.response.json())["status"]


async def test_a_stream_is_cancelled_before_it_has_an_answer() -> None:
    far = Far(silent)
    async with proxied(["far"], {"far": far}, **kept()) as run:
        async with asked(run, "/v1/streams") as started:
            told = await started.response.json()
        await until(lambda: far.asked)
        async with asked(run, told["url"], "GET") as reading:
            async with asked(run, told["url"], "DELETE"):
                pass
            await reading.read()
        assert ["stream.start", "stream.error"] == [event["type"] for event in reading.events]
        await until(lambda: far.left)


@pytest.mark.parametrize(
    ("streams", "headers"),
    [
        ({"grace_s": 0.2}, {}),
        ({"grace_s": 60, "on_disconnect": "cancel"}, {"x-mainstem-on-disconnect": "cancel"}),
    ],
)
async def test_a_stream_that_nobody_comes_back_to_ends(streams: Any, headers: Any) -> None:
    speaks = Speaks()
    async with proxied(["far"], {"far": Far(speaks)}, **kept(**streams)) as run:
        speaks.say(3)
        async with asked(run, headers=headers) as first:
            await first.read(WORDS[2])
            first.response.close()
        async with asyncio.timeout(5):
            await speaks.gone.wait()
        ended = 'mainstem_streams_total{client_dialect="native",model="m",outcome="client_gone",'
        await until(lambda: run.metric(ended))


async def test_a_failure_before_an_answer_is_a_status_as_ever() -> None:
    async with proxied(["far"], {"far": Far(status(429))}, **kept()) as run:
        async with asked(run) as refused:
            assert 429 == refused.response.status
        assert 1 == await run.metric(
            'mainstem_streams_total{client_dialect="native",model="m",outcome="rate_limited",'
        )


async def test_another_target_goes_on_though_nobody_is_there() -> None:
    async def breaks_off(peer: Peer) -> None:
        peer.write(CHUNKED)
        peer.send(ROLE + delta("Hel"))
        await asyncio.sleep(0.15)
        peer.write(LAST_CHUNK)

    model = {"targets": ["first", "second"], "continue_after_commit": True}
    fars = {"first": Far(breaks_off), "second": Far(says("lo"))}
    async with proxied(model, fars, **kept()) as run:
        async with asked(run) as first:
            await first.read("Hel")
            first.response.close()
        await asyncio.sleep(0.3)
        async with asked(run, headers={"Last-Event-ID": first.ids[-1]}) as again:
            await again.read()
    assert ("Hello", "stream.end") == (first.text + again.text, again.last)


async def test_the_same_request_again_goes_on_with_the_one_that_nobody_has_heard() -> None:
    """An SDK's retry, or a browser whose connection broke before it had an answer."""
    speaks = Speaks()
    far = Far(speaks)
    async with proxied(["far"], {"far": far}, **kept()) as run:
        asking = asyncio.create_task(run.session.post(f"{run.url}/v1/stream", json=BODY))
        await until(lambda: far.asked)
        asking.cancel()
        await asyncio.sleep(0.05)
        speaks.say(40)
        async with asked(run) as again:
            await again.read()
        assert TEXT == again.text
        speaks.say(40)
        async with asked(run) as another:  # that one was heard: this is another
            await another.read()
    assert 2 == len(far.asked)


async def test_what_is_not_kept_any_more_comes_as_a_snapshot_and_then_the_rest() -> None:
    speaks = Speaks()
    small = {"resume": {"max_bytes_per_stream": 3000}}
    async with proxied(["far"], {"far": Far(speaks)}, **kept(**small)) as run:
        speaks.say(3)
        async with asked(run) as first:
            await first.read(WORDS[2])
            first.response.close()
        speaks.say(27)
        where = first.response.headers["Location"]

        async def so_far() -> bool:
            async with asked(run, f"{where}/status", "GET") as about:
                return "w29" in TEXT and (await about.response.json())["last_event_id"].endswith(
                    ":31"
                )

        await until(so_far)
        async with asked(run, headers={"Last-Event-ID": first.ids[-1]}) as again:
            speaks.say(40)
            await again.read()
        assert 1 == await run.metric('mainstem_resumes_total{result="snapshot"}')
    assert (TEXT, "stream.end") == (again.text, again.last)
    assert again.ids[0] == first.ids[-1]  # cut in the snapshot, it would come again


async def test_the_oldest_that_have_ended_go_when_there_is_no_room() -> None:
    few = {"resume": {"max_bytes": 3000}}
    async with proxied(["far"], {"far": Far(says("Hello"))}, **kept(**few)) as run:
        where = []
        for number in range(6):
            async with asked(run, headers={"x-mock-n": str(number)}) as whole:
                await whole.read()
                where.append(whole.response.headers["Location"])
        found = []
        for path in where:
            async with asked(run, path, "GET") as again:
                found.append(again.response.status)
        assert (404, 200) == (found[0], found[-1])
        assert 3000 >= await run.metric("mainstem_log_bytes")


async def test_a_stream_is_forgotten_after_a_while_and_its_bytes_given_back() -> None:
    short = {"resume": {"keep_s": 0.1}}
    async with proxied(["far"], {"far": Far(says("Hello"))}, **kept(**short)) as run:
        async with asked(run) as whole:
            await whole.read()

        async def forgotten() -> bool:
            async with asked(run, whole.response.headers["Location"], "GET") as again:
                return 404 == again.response.status

        await until(forgotten)
        assert 0 == await run.metric("mainstem_log_bytes")


async def test_where_streams_are_not_kept_nothing_changes() -> None:
    async with proxied(["far"], {"far": Far(says("Hello"))}) as run:
        async with asked(run) as whole:
            await whole.read()
            assert "Location" not in whole.response.headers
        async with asked(run, headers={"Last-Event-ID": whole.ids[0]}) as again:
            assert 204 == again.response.status
        for path, method in (("/v1/streams", "POST"), ("/v1/streams/x", "GET")):
            async with asked(run, path, method) as refused:
                assert 404 == refused.response.status


async def test_a_stream_is_only_its_own_caller_s() -> None:
    keys = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest()}
        for name in ("ann", "bob")
    ]
    speaks = Speaks()
    far = Far(speaks)
    async with proxied(["far"], {"far": far}, auth={"keys": keys}, **kept()) as run:
        ann, bob = ({"Authorization": f"Bearer {name}"} for name in ("ann", "bob"))
        speaks.say(3)
        async with asked(run, headers=ann) as first:
            await first.read(WORDS[2])
            first.response.close()
            where = first.response.headers["Location"]
        for method, path in (("GET", where), ("DELETE", where), ("GET", f"{where}/status")):
            async with asked(run, path, method, headers=bob) as refused:
                assert 404 == refused.response.status
            async with asked(run, path, method) as refused:
                assert 401 == refused.response.status
        async with asked(run, headers={**bob, "Last-Event-ID": first.ids[-1]}) as refused:
            assert 204 == refused.response.status
        speaks.say(40)
        async with asked(run, headers={**ann, "Last-Event-ID": first.ids[-1]}) as again:
            await again.read()
        assert TEXT == first.text + again.text
    assert 1 == len(far.asked)


async def test_a_dify_client_stops_its_answer_by_its_task() -> None:
    speaks = Speaks()
    async with proxied(["far"], {"far": Far(speaks)}, models=ANY, **kept()) as run:
        speaks.say(3)
        body = {"query": "hi", "inputs": {}, "user": "u", "response_mode": "streaming"}
        async with run.session.post(f"{run.url}/v1/chat-messages", json=body) as answer:
            async for line in answer.content:
                if line.startswith(b"data: "):
                    task = json.loads(line[6:])["task_id"]
                    break
            stop = f"{run.url}/v1/chat-messages/{task}/stop"
            async with run.session.post(stop, json={"user": "u"}) as stopped:
                assert {"result": "success"} == await stopped.json()
            async with asyncio.timeout(1):
                await speaks.gone.wait()


async def test_a_dify_task_is_stopped_by_its_own_caller_alone() -> None:
    """Another one is told the same as of any task, and nothing is stopped."""
    keys = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest()}
        for name in ("ann", "bob")
    ]
    speaks = Speaks()
    config = kept() | {"auth": {"keys": keys}, "models": ANY}
    async with proxied(["far"], {"far": Far(speaks)}, **config) as run:
        ann, bob = ({"Authorization": f"Bearer {name}"} for name in ("ann", "bob"))
        speaks.say(3)
        body = {"query": "hi", "inputs": {}, "user": "u", "response_mode": "streaming"}
        url = f"{run.url}/v1/chat-messages"
        async with run.session.post(url, json=body, headers=ann) as answer:
            await answer.content.readuntil(b"w2 ")
            task = answer.headers["x-resumable-stream-id"]
            for name in (task, "unknown"):
                stop = f"{url}/{name}/stop"
                async with run.session.post(stop, json={"user": "u"}, headers=bob) as refused:
                    assert {"result": "success"} == await refused.json()
            async with run.session.post(f"{url}/{task}/stop", json={"user": "u"}) as refused:
                assert 401 == refused.status
            speaks.say(40)
            assert b"w39 " in await answer.read()


async def test_a_chat_is_only_its_own_caller_s() -> None:
    keys = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest()}
        for name in ("ann", "bob")
    ]
    speaks = Speaks()
    config = kept() | {"auth": {"keys": keys}, "models": ANY}
    async with proxied(["far"], {"far": Far(speaks)}, **config) as run:
        ann, bob = ({"Authorization": f"Bearer {name}"} for name in ("ann", "bob"))
        speaks.say(3)
        said = {"id": "u", "role": "user", "parts": [{"type": "text", "text": "hi"}]}
        body = {"id": "chat", "messages": [said]}
        async with run.session.post(f"{run.url}/v1/ai-sdk", json=body, headers=ann) as first:
            await first.content.readuntil(b"w2 ")
            where = f"{run.url}/v1/ai-sdk/chat"
            async with run.session.get(f"{where}/stream", headers=bob) as refused:
                assert 204 == refused.status
            async with run.session.post(f"{where}/stop", headers=bob) as refused:
                assert 204 == refused.status
            async with run.session.get(f"{where}/stream", headers=ann) as along:
                speaks.say(40)
                assert (await along.read()).endswith(b"data: [DONE]\n\n")
                assert b"w39 " in await first.read()


async def test_the_end_of_the_drain_is_told_to_every_reader() -> None:
    speaks = Speaks()
    async with proxied(["far"], {"far": Far(speaks)}, server={"drain_s": 0.05}, **kept()) as run:
        speaks.say(3)
        async with asked(run) as first:
            await first.read(WORDS[2])
            await run.process.gateway.drain(0.05)
            await first.read()
    assert "shutdown" == first.events[-1]["error"]["kind"]


async def test_a_target_that_fails_before_anything_leads_to_the_next_one() -> None:
    fars = {"first": Far(hangs_up), "second": Far(says("Hello"))}
    async with proxied(["first", "second"], fars, **kept()) as run:
        async with asked(run) as whole:
            await whole.read()
            assert "second" == whole.response.headers["x-mainstem-upstream"]
    assert "Hello" == whole.text
