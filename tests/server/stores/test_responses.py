"""Responses' kept answers in a Redis: any process tells of them, goes on from them and lets them
go."""

from typing import Any

from tests.needs import requires
from tests.relay.far import Far, says, until
from tests.running import Running
from tests.server.speaking import Speaks
from tests.server.stores.test_shared import redis as redis_fixture
from tests.server.stores.test_shared import two

pytestmark = requires("redis")
redis = redis_fixture
ANY = {"models": {"*": [{"upstream": "far"}]}}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}


async def asked(run: Running, method: str, path: str = "", **body: Any) -> tuple[int, Any]:
    said = {"json": {"model": "m", **body}} if body else {}
    url = f"{run.url}/v1/responses{path}"
    async with run.session.request(method, url, **said) as response:
        return response.status, await response.json()


async def complete(run: Running, name: str) -> Any:
    """The answer, once it is there."""
    told: list[Any] = []

    async def found() -> bool:
        told[:] = [(await asked(run, "GET", f"/{name}"))[1]]
        return bool(told[0].get("status") == "completed")

    await until(found)
    return told[0]


async def test_any_process_tells_of_an_answer_and_goes_on_from_it(redis: Any) -> None:
    far = Far(says("Hello"))
    async with two(far, redis, **ANY) as (here, there):
        asking = {"input": "hi", "background": True, "tools": [TOOL], "metadata": {"a": "b"}}
        _, begun = await asked(here, "POST", **asking)
        whole = await complete(there, begun["id"])
        assert whole == (await asked(here, "GET", f"/{begun['id']}"))[1]
        assert ({"a": "b"}, [TOOL], True) == (
            whole["metadata"],
            whole["tools"],
            whole["background"],
        )
        _, items = await asked(there, "GET", f"/{begun['id']}/input_items")
        assert "hi" == items["data"][0]["content"][0]["text"]
        _, second = await asked(there, "POST", input="more", previous_response_id=begun["id"])
        assert "completed" == second["status"]
        assert ["hi", "Hello", "more"] == [each["content"] for each in far.asked[-1]["messages"]]


async def test_any_process_cancels_and_deletes_an_answer(redis: Any) -> None:
    speaks = Speaks()
    async with two(Far(speaks), redis, **ANY) as (here, there):
        _, begun = await asked(here, "POST", input="hi", background=True)
        speaks.say(3)
        _, cancelled = await asked(there, "POST", f"/{begun['id']}/cancel")
        assert "cancelled" == cancelled["status"]
        assert 200 == (await asked(there, "DELETE", f"/{begun['id']}"))[0]

        async def gone() -> bool:
            found = [(await asked(run, "GET", f"/{begun['id']}"))[0] for run in (here, there)]
            return found == [404, 404]

        await until(gone)
