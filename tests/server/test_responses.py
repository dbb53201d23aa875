"""Responses' kept answers: what they hold, and when it is let go."""

import asyncio
from typing import Any

from tests.relay.far import Far, proxied, says, until
from tests.running import Running
from tests.server.test_resume import ANY, TEXT, WORDS, Speaks, kept

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
