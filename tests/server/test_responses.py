"""Responses' kept answers: what they hold, and when it is let go."""

import asyncio
import json
from typing import Any

from tests.relay.far import Far, proxied, says, until
from tests.running import Running
from tests.server.test_resume import ANY, TEXT, WORDS, Speaks, kept
from tests.server.test_returning import takes_back

UNKNOWN = "resp_" + "0" * 32


async def asked(run: Running, method: str, path: str = "", **body: Any) -> tuple[int, Any]:
    said = {"json": {"model": "m", **body}} if body else {}
    url = f"{run.url}/v1/responses{path}"
    async with run.session.request(method, url, **said) as response:
        return response.status, await response.json()


async def test_deleting_an_answer_that_is_being_made_ends_it() -> None:
    speaks = Speaks()
    async with proxied(["far"], {"far": Far(speaks)}, models=ANY, **kept()) as run:
        _, begun = await asked(run, "POST", input="hi", background=True)
        speaks.say(3)
        async with run.session.get(
            f"{run.url}/v1/responses/{begun['id']}", params={"stream": "true"}
        ) as reading:
            await reading.content.readuntil(WORDS[2].encode())
            deleted = {"id": begun["id"], "object": "response", "deleted": True}
            assert (200, deleted) == await asked(run, "DELETE", f"/{begun['id']}")
            assert b"response.failed" in await reading.read()
        async with asyncio.timeout(1):
            await speaks.gone.wait()
        assert 404 == (await asked(run, "GET", f"/{begun['id']}"))[0]
        assert 0 == await run.metric("mainstem_log_bytes")


async def test_what_is_made_in_the_background_goes_on_with_nobody() -> None:
    speaks = Speaks()
    async with proxied(["far"], {"far": Far(speaks)}, models=ANY, **kept(grace_s=0.05)) as run:
        _, begun = await asked(run, "POST", input="hi", background=True)
        speaks.say(1)
        await asyncio.sleep(0.2)
        assert "in_progress" == (await asked(run, "GET", f"/{begun['id']}"))[1]["status"]
        speaks.say(40)

        async def complete() -> bool:
            return (await asked(run, "GET", f"/{begun['id']}"))[1]["status"] == "completed"

        await until(complete)
        _, whole = await asked(run, "GET", f"/{begun['id']}")
        assert TEXT == whole["output"][0]["content"][0]["text"]


async def test_what_is_kept_of_requests_is_counted_and_given_back() -> None:
    """The oldest goes when there is no room; what a long talk holds is bounded as a body is."""
    long = "x" * 20_000
    rooms = {"resume": {"max_bytes": 50_000, "keep_s": 0.5}}
    config = kept(**rooms) | {"models": ANY, "limits": {"max_body_bytes": 35_000}}
    async with proxied(["far"], {"far": Far(says("Hello"))}, **config) as run:
        names = [(await asked(run, "POST", input=long + str(n)))[1]["id"] for n in range(3)]
        assert 404 == (await asked(run, "GET", f"/{names[0]}"))[0]
        assert 40_000 < await run.metric("mainstem_log_bytes") < 50_000
        code, refused = await asked(run, "POST", input=long, previous_response_id=names[2])
        assert (413, "request_too_large") == (code, refused["error"]["code"])

        async def forgotten() -> bool:
            return await run.metric("mainstem_log_bytes") == 0

        await until(forgotten)
        code, refused = await asked(run, "POST", input="x", previous_response_id=names[2])
        assert (400, "previous_response_not_found") == (code, refused["error"]["code"])


async def test_a_stream_of_another_dialect_is_no_answer_of_this_one() -> None:
    async with proxied(["far"], {"far": Far(says("Hello"))}, models=ANY, **kept()) as run:
        body = {"model": "m", "prompt": "hi"}
        async with run.session.post(f"{run.url}/v1/stream", json=body) as native:
            await native.read()
            name = f"resp_{native.headers['x-resumable-stream-id']}"
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel")):
            code, refused = await asked(run, method, f"/{name}{path}")
            assert (404, "invalid_request_error") == (code, refused["error"]["type"])


async def test_odd_numbers_and_methods_are_refused() -> None:
    async with proxied(["far"], {"far": Far(says("Hello"))}, models=ANY, **kept()) as run:
        _, said = await asked(run, "POST", input="hi")
        for after in ("x", "-1", "1" * 40, "٣"):
            url = f"{run.url}/v1/responses/{said['id']}"
            query = {"stream": "true", "starting_after": after}
            async with run.session.get(url, params=query) as refused:
                error = (await refused.json())["error"]
                assert (400, "starting_after") == (refused.status, error["param"])
        assert 405 == (await asked(run, "PATCH", f"/{said['id']}"))[0]
        assert 404 == (await asked(run, "GET", f"/{UNKNOWN}/input_items"))[0]


async def streamed(run: Running, name: str, **query: str) -> list[tuple[int, dict[str, Any]]]:
    """The numbers and the events of an answer."""
    url = f"{run.url}/v1/responses/{name}"
    async with run.session.get(url, params={"stream": "true", **query}) as response:
        assert 200 == response.status, await response.text()
        lines = (await response.text()).splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    return [(event["sequence_number"], event) for event in events]


async def test_a_long_answer_is_gone_on_with_behind_any_event() -> None:
    """Its beginning is a summary by now: nothing comes twice, nothing in another number."""
    speaks = Speaks()
    small = {"resume": {"max_bytes_per_stream": 3000}}
    async with proxied(["far"], {"far": Far(speaks)}, models=ANY, **kept(**small)) as run:
        _, begun = await asked(run, "POST", input="hi", background=True)
        speaks.say(40)
        whole = await streamed(run, begun["id"])
        assert list(range(len(whole))) == [number for number, _ in whole]
        deltas = [each["delta"] for _, each in whole if "text.delta" in each["type"]]
        assert WORDS == deltas
        kinds = ["response.created", "response.queued", "response.in_progress"]
        assert kinds == [each["type"] for _, each in whole[:3]]
        states = ["queued", "queued", "in_progress"]
        assert states == [each["response"]["status"] for _, each in whole[:3]]
        for after in (0, 2, 3, 7, 20, len(whole) - 2):
            assert whole[after + 1 :] == await streamed(run, begun["id"], starting_after=str(after))


async def test_of_an_answer_that_took_text_back_nobody_says_what_is_new() -> None:
    """Where its events are not kept one by one any more: asked without a number, all comes."""
    small = {"resume": {"max_bytes_per_stream": 3000}}
    fars, chatglm = {"far": Far(takes_back)}, {"dialect": "chatglm"}
    async with proxied(["far"], fars, chatglm, models=ANY, **kept(**small)) as run:
        _, said = await asked(run, "POST", input="hi")
        query = {"stream": "true", "starting_after": "4"}
        async with run.session.get(f"{run.url}/v1/responses/{said['id']}", params=query) as refused:
            error = (await refused.json())["error"]
            assert (400, "starting_after") == (refused.status, error["param"])
        events = await streamed(run, said["id"])
        assert f"a-{'y' * 300}" == events[-1][1]["response"]["output"][0]["content"][0]["text"]
