"""Requests that are sent again: a retry goes on with the generation that runs, and no other does."""

import asyncio
import hashlib
import json
from typing import Any

from tests.relay.far import Far, proxied, says, status, until
from tests.running import Running
from tests.server.test_resume import ANY, TEXT, WORDS, Speaks, asked, kept

KEY = {"Idempotency-Key": "one"}
RETRY = {"x-stainless-retry-count": "1"}
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


async def answer(run: Running, headers: dict[str, str], **body: Any) -> tuple[int, Any]:
    """The status and the document of a chat completion."""
    url = f"{run.url}/v1/chat/completions"
    async with run.session.post(url, json=CHAT | body, headers=headers) as response:
        return response.status, await response.json()


def said(document: Any) -> str:
    return str(document["choices"][0]["message"]["content"])


async def test_who_sends_the_same_idempotency_key_reads_along_and_later_reads_again() -> None:
    speaks = Speaks()
    far = Far(speaks)
    async with proxied(["far"], {"far": far}, **kept()) as run:
        speaks.say(3)
        async with asked(run, headers=KEY) as first:
            await first.read(WORDS[2])
            async with asked(run, headers=KEY) as second:
                speaks.say(40)
                await asyncio.gather(first.read(), second.read())
        async with asked(run, headers=KEY) as third:
            await third.read()
        assert [TEXT] * 3 == [first.text, second.text, third.text]
        assert first.ids == second.ids == third.ids
        assert 2 == await run.metric('mainstem_resumes_total{result="attached"}')
    assert 1 == len(far.asked)


async def test_an_idempotency_key_stands_for_one_request() -> None:
    async with proxied(["far"], {"far": Far(says("Hello"))}, **kept()) as run:
        assert "Hello" == said((await answer(run, KEY))[1])
        code, document = await answer(run, KEY, temperature=1)
        assert (422, "invalid_request_error") == (code, document["error"]["type"])
        assert "Idempotency-Key" in document["error"]["message"]


async def test_another_caller_s_idempotency_key_is_another_one() -> None:
    keys = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest()}
        for name in ("ann", "bob")
    ]
    far = Far(says("Hello"))
    async with proxied(["far"], {"far": far}, auth={"keys": keys}, **kept()) as run:
        for name, more in (("ann", {}), ("bob", {}), ("bob", {"x-stainless-retry-count": "1"})):
            who = {"Authorization": f"Bearer {name}"}
            assert 200 == (await answer(run, KEY | who | more))[0]
        # bob's retry went on with bob's own
        assert 2 == len(far.asked)
        refused, _ = await answer(run, KEY | {"Authorization": "Bearer bob"}, temperature=1)
        assert 422 == refused
        async with run.session.post(
            f"{run.url}/v1/chat/completions",
            json=CHAT | {"temperature": 1},
            headers={"Authorization": "Bearer ann", "Idempotency-Key": "two"},
        ) as response:
            assert 200 == response.status


async def test_what_failed_is_tried_anew() -> None:
    far = Far(status(429), status(429), says("Hello"))
    async with proxied(["far"], {"far": far}, **kept()) as run:
        assert [429, 429, 200] == [(await answer(run, KEY))[0] for _ in range(3)]
    assert 3 == len(far.asked)


async def test_what_failed_is_tried_anew_without_a_key_too() -> None:
    far = Far(status(503), says("Hello"))
    async with proxied(["far"], {"far": far}, **kept()) as run:
        assert 503 == (await answer(run, {}))[0]
        assert "Hello" == said((await answer(run, RETRY))[1])
    assert 2 == len(far.asked)


async def test_a_document_that_its_client_did_not_wait_for_is_had_by_its_retry() -> None:
    speaks = Speaks()
    far = Far(speaks)
    async with proxied(["far"], {"far": far}, models=ANY, **kept()) as run:
        asking = asyncio.create_task(answer(run, {}))
        speaks.say(3)
        await until(lambda: far.asked)
        asking.cancel()
        await asyncio.sleep(0.05)
        speaks.say(40)
        code, document = await answer(run, RETRY)
        assert (200, TEXT) == (code, said(document))
    assert 1 == len(far.asked)


CHAT_LINE = "POST /v1/chat/completions HTTP/1.1"


async def lost_at(run: Running, most_bytes: int, line: str = CHAT_LINE) -> None:
    """Asks on a connection that breaks when so much of the answer has come."""
    host, _, port = run.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = json.dumps(CHAT).encode() if line == CHAT_LINE else b""
    head = f"{line}\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
    await reader.readexactly(most_bytes)
    writer.transport.abort()
    await asyncio.sleep(0.05)


async def test_a_retry_gets_what_was_sent_whole_to_a_connection_that_broke() -> None:
    far = Far(says("Hello"))
    async with proxied(["far"], {"far": far}, models=ANY, **kept()) as run:
        await lost_at(run, 100)
        document = json.dumps(CHAT).encode()
        url = f"{run.url}/v1/chat/completions"
        headers = {"Content-Type": "application/json"}
        async with run.session.post(url, data=document, headers=headers | RETRY) as again:
            assert "Hello" == said(await again.json())
        assert 1 == len(far.asked)
        async with run.session.post(url, data=document, headers=headers) as anew:
            assert 200 == anew.status
    assert 2 == len(far.asked)


async def test_an_event_source_that_lost_all_of_it_comes_back_to_the_same_generation() -> None:
    """It had no id yet, so it can only ask again. Whose connection stands asks for a new one."""
    far = Far(says("Hello"))
    path = "/v1/stream?model=m&prompt=hi"
    async with proxied(["far"], {"far": far}, models=ANY, **kept()) as run:
        for _ in range(2):
            await lost_at(run, 100, f"GET {path} HTTP/1.1")
        async with asked(run, path, "GET") as again:
            await again.read()
        assert ("Hello", 1) == (again.text, len(far.asked))
        async with asked(run, path, "GET") as anew:
            await anew.read()
        assert ("Hello", 2) == (anew.text, len(far.asked))


async def test_a_retry_of_one_that_was_turned_away_has_nobody_else_s_answer() -> None:
    """The same prompt many times at once is not one request: each wants an answer of its own."""
    one, two = Speaks(), Speaks()
    far = Far(one, two)
    async with proxied(["far"], {"far": far}, **kept()) as run:
        for each in (one, two):
            each.say(1)
        async with asked(run) as first:
            await first.read(WORDS[0])
            async with asked(run, headers=RETRY) as second:
                for each in (one, two):
                    each.say(40)
                await asyncio.gather(first.read(), second.read())
        assert [TEXT, TEXT] == [first.text, second.text]
        assert first.ids[0] != second.ids[0]
    assert 2 == len(far.asked)


async def test_of_several_in_the_same_words_a_retry_gets_the_one_that_was_lost() -> None:
    one, two = Speaks(), Speaks()
    far = Far(one, two)
    async with proxied(["far"], {"far": far}, **kept()) as run:
        for each in (one, two):
            each.say(1)
        async with asked(run) as lost:
            await lost.read(WORDS[0])
            async with asked(run) as other:
                await other.read(WORDS[0])
                lost.response.close()
                await asyncio.sleep(0.05)
                async with asked(run, headers=RETRY) as again:
                    for each in (one, two):
                        each.say(40)
                    await asyncio.gather(other.read(), again.read())
        assert (TEXT, lost.ids[0]) == (again.text, again.ids[0])
    assert 2 == len(far.asked)


async def test_where_streams_are_not_kept_the_key_says_nothing() -> None:
    far = Far(says("Hello"))
    async with proxied(["far"], {"far": far}) as run:
        for body in ({}, {}, {"temperature": 1}):
            assert 200 == (await answer(run, KEY, **body))[0]
    assert 3 == len(far.asked)
