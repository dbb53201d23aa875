"""Clients of dialects of their own that come back to a kept stream, from the frame that they had."""

import asyncio
import hashlib
import json
from typing import Any

import pytest

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer
from tests.relay.far import Far, proxied, says, until
from tests.running import Running
from tests.server.speaking import frames
from tests.server.test_resume import ANY, KEPT, TEXT, WORDS, Speaks

RUN = {"threadId": "t", "runId": "r", "messages": [{"id": "1", "role": "user", "content": "hi"}]}
AG_UI = "/v1/ag-ui"


async def takes_back(peer: Peer) -> None:
    """ChatGLM's snapshots: at first it says something else."""
    peer.write(CHUNKED)
    for said in ("a,", *("a-" + "y" * 15 * number for number in range(21))):
        peer.send(json.dumps({"id": 1, "time": "", "body": {"content": said}}).encode())
        await asyncio.sleep(0.001)
    peer.write(LAST_CHUNK)


Frame = tuple[str, dict[str, Any]]


async def read(response: Any, until_text: str | None = None) -> list[Frame]:
    """The ids and the data of frames, to the end of the body or until so much text has come."""
    found: list[Frame] = []
    async for name, said in frames(response):
        found.append((name, json.loads(said)))
        if until_text is not None and found[-1][1].get("delta") == until_text:
            break
    return found


def text(found: list[Frame]) -> str:
    return "".join(said["delta"] for _, said in found if said["type"] == "TEXT_MESSAGE_CONTENT")


async def ran(run: Running, until_text: str | None = None, **headers: str) -> list[Frame]:
    async with run.session.post(f"{run.url}{AG_UI}", json=RUN, headers=headers) as response:
        assert 200 == response.status
        return await read(response, until_text)


async def joined(run: Running, query: str, **headers: str) -> list[Frame] | int:
    async with run.session.get(f"{run.url}{AG_UI}{query}", headers=headers) as response:
        return await read(response) if response.status == 200 else response.status


async def test_a_run_goes_on_behind_any_frame_and_there_is_one_generation() -> None:
    speaks = Speaks()
    far = Far(speaks)
    async with proxied(["far"], {"far": far}, models=ANY, streams=KEPT) as run:
        speaks.say(10)
        first = await ran(run, WORDS[9])
        speaks.say(40)
        again = await ran(run, **{"Last-Event-ID": first[-1][0], "X-Run-Id": "r"})
        assert TEXT == text(first + again)
        whole = first + again
        assert [f"{first[0][0][:-2]}:{number}" for number in range(len(whole))] == [
            seen for seen, _ in whole
        ]
        where = f"{run.url}/v1/streams/{whole[0][0][:-2]}?dialect=ag_ui"
        for had in (0, 1, 7, len(whole) - 2):
            seen = {"Last-Event-ID": whole[had][0]}
            assert whole[had + 1 :] == await ran(run, **seen)
            assert whole[had + 1 :] == await joined(run, f"?runId=r&offset={whole[had][0]}")
            async with run.session.get(where, headers=seen) as response:
                assert whole[had + 1 :] == await read(response)
        assert 204 == await joined(run, f"?runId=r&offset={whole[-1][0]}")
    assert 1 == len(far.asked)


async def test_a_page_joins_a_run_by_its_own_name_for_it_while_it_goes_on_and_after() -> None:
    speaks = Speaks()
    async with proxied(["far"], {"far": Far(speaks)}, models=ANY, streams=KEPT) as run:
        speaks.say(3)
        await ran(run, WORDS[2])
        along = asyncio.create_task(joined(run, "?runId=r&offset=-1"))
        speaks.say(40)
        live = await along
        assert isinstance(live, list)
        assert TEXT == text(live)
        assert ("t", "r") == (live[0][1]["threadId"], live[0][1]["runId"])
        assert live == await joined(run, "?runId=r")


async def test_a_run_is_only_its_own_callers_and_an_unknown_one_is_none() -> None:
    keys = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest()}
        for name in ("ann", "bob")
    ]
    config = {"models": ANY, "streams": KEPT, "auth": {"keys": keys}}
    async with proxied(["far"], {"far": Far(says("Hello"))}, **config) as run:
        ann, bob = ({"Authorization": f"Bearer {name}"} for name in ("ann", "bob"))
        whole = await ran(run, **ann)
        assert whole == await joined(run, "?runId=r", **ann)
        assert [204, 204, 401] == [
            await joined(run, "?runId=r", **bob),
            await joined(run, "?runId=other", **ann),
            await joined(run, "?runId=r"),
        ]


@pytest.mark.parametrize("seen", ["x", "no:1", "no:" + "9" * 40, "-2"])
async def test_an_id_that_is_none_starts_no_run(seen: str) -> None:
    far = Far(says("Hello"))
    async with proxied(["far"], {"far": far}, models=ANY, streams=KEPT) as run:
        async with run.session.post(
            f"{run.url}{AG_UI}", json=RUN, headers={"Last-Event-ID": seen}
        ) as refused:
            assert 204 == refused.status
        assert 204 == await joined(run, f"?runId=no&offset={seen}")
        assert 400 == await joined(run, "")
    assert 0 == len(far.asked)


async def test_a_run_goes_on_behind_any_frame_also_where_its_beginning_is_a_summary() -> None:
    """Frames are counted, so that nothing may come again or in another number."""
    small = {**KEPT, "resume": {"max_bytes_per_stream": 3000}}
    speaks = Speaks()
    async with proxied(["far"], {"far": Far(speaks)}, models=ANY, streams=small) as run:
        speaks.say(3)
        first = await ran(run, WORDS[2])
        speaks.say(40)
        whole = await joined(run, "?runId=r")
        assert isinstance(whole, list)
        assert TEXT == text(whole)
        assert len(WORDS) < len(whole)
        for had in (len(first) - 1, len(first) + 5, len(whole) - 2):
            again = await ran(run, **{"Last-Event-ID": whole[had][0]})
            assert whole == whole[: had + 1] + again


async def test_who_has_a_part_of_what_nobody_knows_one_by_one_is_told_so() -> None:
    """Text was taken back, so that a summary would say again what the client has."""
    small = {**KEPT, "resume": {"max_bytes_per_stream": 3000}}
    fars, chatglm = {"far": Far(takes_back)}, {"dialect": "chatglm"}
    async with proxied(["far"], fars, chatglm, models=ANY, streams=small) as run:
        first = await ran(run)
        assert f"a-{'y' * 300}" == text(first)
        again = await ran(run, **{"Last-Event-ID": first[1][0]})
        assert ["RUN_ERROR"] == [said["type"] for _, said in again]
        assert "streams.resume.max_bytes_per_stream" in again[0][1]["message"]


PAGE = {
    "id": "chat",
    "messages": [{"id": "u", "role": "user", "parts": [{"type": "text", "text": "hi"}]}],
}
AI_SDK = "/v1/ai-sdk"


async def parts(response: Any, until_text: str | None = None) -> list[dict[str, Any]]:
    """The parts of a UI message stream."""
    found: list[dict[str, Any]] = []
    async for raw in response.content:
        if raw.startswith(b"data: {"):
            found.append(json.loads(raw[6:]))
            if until_text is not None and found[-1].get("delta") == until_text:
                break
    return found


async def test_a_page_goes_on_from_the_part_that_it_had() -> None:
    """By the run that the answer named, as WorkflowChatTransport does, while it goes on and after
    its end. Negative numbers count from the newest; where nothing is left there is 204."""
    speaks = Speaks()
    far = Far(speaks)
    cors = {"allow_origins": ["https://page.example"]}
    async with proxied(["far"], {"far": far}, models=ANY, streams=KEPT, cors=cors) as run:
        speaks.say(10)
        origin = {"Origin": "https://page.example"}
        async with run.session.post(f"{run.url}{AI_SDK}", json=PAGE, headers=origin) as response:
            first = await parts(response, WORDS[9])
            name = response.headers["x-workflow-run-id"]
            exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
            assert 1 == exposed.count("x-workflow-run-id") == exposed.count("location")
            assert f"/v1/streams/{name}?dialect=ai_sdk" == response.headers["Location"]
        where = f"{run.url}{AI_SDK}/{name}/stream?startIndex="
        async with run.session.get(f"{where}-3") as response:
            newest = await parts(response, WORDS[9])
            assert str(len(first) - 1) == response.headers["x-workflow-stream-tail-index"]
        assert first[-3:] == newest
        speaks.say(40)
        async with run.session.get(f"{where}{len(first)}") as response:
            whole = first + await parts(response)
        assert ["start", "finish"] == [whole[0]["type"], whole[-1]["type"]]
        assert TEXT == "".join(part.get("delta", "") for part in whole)
        for index, expected in ((0, whole), (5, whole[5:]), (-2, whole[-2:]), (-999, whole)):
            async with run.session.get(f"{where}{index}") as response:
                assert expected == await parts(response)
        for index, status in ((len(whole), 204), (9999, 204), ("x", 400), ("9" * 30, 400)):
            async with run.session.get(f"{where}{index}") as response:
                assert status == response.status
    assert 1 == len(far.asked)


async def test_a_page_whose_answer_ended_while_it_was_cut_off_gets_it_once() -> None:
    """As useChat comes back: without it, the page would take what it has for the whole answer."""
    speaks = Speaks()
    far = Far(speaks)
    async with proxied(["far"], {"far": far}, models=ANY, streams=KEPT) as run:
        speaks.say(10)
        async with run.session.post(f"{run.url}{AI_SDK}", json=PAGE) as response:
            await parts(response, WORDS[9])
            name = response.headers["x-resumable-stream-id"]
            response.close()
        speaks.say(40)
        await until(lambda: ended(run, name))
        where = f"{run.url}{AI_SDK}/chat/stream"
        async with run.session.get(where) as response:
            assert TEXT == "".join(part.get("delta", "") for part in await parts(response))
        async with run.session.get(where) as response:
            assert 204 == response.status
    assert 1 == len(far.asked)


async def test_a_page_whose_answer_was_cancelled_meanwhile_has_nothing_to_resume() -> None:
    speaks = Speaks()
    async with proxied(["far"], {"far": Far(speaks)}, models=ANY, streams=KEPT) as run:
        speaks.say(10)
        async with run.session.post(f"{run.url}{AI_SDK}", json=PAGE) as response:
            await parts(response, WORDS[9])
            response.close()
        async with run.session.post(f"{run.url}{AI_SDK}/chat/stop") as response:
            assert 204 == response.status
        async with run.session.get(f"{run.url}{AI_SDK}/chat/stream") as response:
            assert 204 == response.status


async def ended(run: Running, name: str) -> bool:
    async with run.session.get(f"{run.url}/v1/streams/{name}/status") as response:
        return (await response.json())["status"] == "completed"
