"""Pages that read plain text, cut off and come back with the id of the last frame that they had."""

from typing import Any

import pytest

from tests.relay.far import Far, proxied, says
from tests.running import Running
from tests.server.speaking import TEXT, WORDS, Speaks, frames
from tests.server.test_resume import ANY, KEPT

PATH = "/data?model=m&prompt=hi"
Frame = tuple[str, str]
# {} is the stream's id
ODD = ("x", "{}", "{}:", "{}:-1", "{}:1.5", ":1", "0" * 32 + ":1", "{}:" + "9" * 40)


async def read(response: Any, until_text: str | None = None) -> list[Frame]:
    """The ids and the data of frames, to the end of the body or until so much text has come."""
    found: list[Frame] = []
    async for frame in frames(response):
        found.append(frame)
        if frame[1] == until_text:
            break
    return found


async def came(run: Running, path: str, seen: str = "", method: str = "GET") -> list[Frame] | int:
    headers = {"Last-Event-ID": seen} if seen else {}
    async with run.session.request(method, run.url + path, headers=headers) as response:
        return await read(response) if response.status == 200 else response.status


async def test_a_page_goes_on_behind_any_frame_and_there_is_one_generation() -> None:
    """As its EventSource asks by itself, at the path that it asked first or at the stream's own."""
    speaks = Speaks()
    far = Far(speaks)
    async with proxied(["far"], {"far": far}, models=ANY, streams=KEPT) as run:
        speaks.say(10)
        async with run.session.get(run.url + PATH) as response:
            first = await read(response, WORDS[9])
            where = response.headers["Location"]
            response.close()
        speaks.say(40)
        rest = await came(run, PATH, first[-1][0])
        assert isinstance(rest, list)
        whole = first + rest
        assert f"{TEXT}[done]" == "".join(said for _, said in whole)
        assert len(whole) == len({seen for seen, _ in whole})
        for had in (1, 7, len(whole) - 1):
            for path, method in ((PATH, "GET"), (where, "GET"), ("/data?prompt=hi", "POST")):
                assert whole[had:] == await came(run, path, whole[had - 1][0], method)
        for path in (PATH, where):
            assert 204 == await came(run, path, whole[-1][0])
    assert 1 == len(far.asked)


async def test_frames_have_the_same_numbers_where_the_beginning_is_a_summary() -> None:
    """So that a page that came late goes on from any of them, too."""
    speaks = Speaks()
    small = {**KEPT, "resume": {"max_bytes_per_stream": 3000}}
    async with proxied(["far"], {"far": Far(speaks)}, models=ANY, streams=small) as run:
        speaks.say(40)
        async with run.session.get(run.url + PATH) as response:
            whole = await read(response)
            where = response.headers["Location"]
        assert whole == await came(run, where)
        for had in (1, 20, len(whole) - 1):
            assert whole[had:] == await came(run, where, whole[had - 1][0])


@pytest.mark.parametrize("path", [PATH, "/v1/streams/{}?dialect=plain"])
async def test_an_id_that_is_none_starts_nothing(path: str) -> None:
    far = Far(says("Hello"))
    async with proxied(["far"], {"far": far}, models=ANY, streams=KEPT) as run:
        whole = await came(run, PATH)
        assert isinstance(whole, list)
        stream = whole[0][0].partition(":")[0]
        for odd in ODD:
            assert 204 == await came(run, path.format(stream), odd.format(stream))
        assert 204 == await came(run, path.format(stream), f"{stream}:{len(whole) + 1}")
    assert 1 == len(far.asked)
