"""No page makes a browser run a prompt without `cors`: on every path that runs one."""

import re
from typing import Any

import pytest

from proxy.dialects.registry import CLIENTS
from tests.running import running
from tests.samples import ASKED

MOCKED: dict[str, Any] = {
    "upstreams": {"up": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}}},
    "models": {"*": [{"upstream": "up"}]},
}
IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


_FILLED = {
    "generation": "v1",
    "version": "v1",
    "parent": "projects/p/locations/l",
    "model": "m",
    "method": "streamGenerateContent",
    "form": "chat",
}


def filled(path: str) -> str:
    """A path's pattern with something for each of its variables."""
    return re.sub(r"\{(\w+)[^{}]*\}", lambda found: _FILLED.get(found[1], "x"), path)


ROUTES = sorted(
    {
        (route.method, filled(route.path), name)
        for name, half in CLIENTS.items()
        for route in half.routes
    }
)


@pytest.mark.parametrize(("method", "path", "name"), ROUTES)
async def test_an_image_and_a_link_run_nothing(method: str, path: str, name: str) -> None:
    body = {} if method == "GET" else {"json": ASKED[name].body}
    async with running(MOCKED) as run:
        for headers in (IMAGE, LINK):
            async with run.session.request(
                method, f"{run.url}{path}?model=m&prompt=x&query=x", headers=headers, **body
            ) as response:
                assert response.status == 403
        assert [] == run.mock.account.newest()


async def test_a_get_that_runs_a_prompt_can_be_switched_off() -> None:
    async with running({**MOCKED, "server": {"get_streams": False}}) as run:
        for path in ("/v1/stream?model=m&prompt=x", "/data?prompt=x"):
            async with run.session.get(f"{run.url}{path}") as response:
                assert (405, "POST, OPTIONS") == (response.status, response.headers["Allow"])
        assert [] == run.mock.account.newest()
        async with run.session.post(
            f"{run.url}/v1/stream", json={"model": "m", "prompt": "x"}
        ) as response:
            assert response.status == 200
