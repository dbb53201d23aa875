"""A redirect is an answer, and a bad one: it is never followed, to the same host or another,
however it is said."""

import pytest

from tests.hostile.upstream import Far, answer, asked_in, far_of, listening, refusal
from tests.running import one, running

STATUSES = [
    "300 Multiple Choices",
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
    "305 Use Proxy",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    "where", ["another host", "the same host", "a path", "no scheme", "a file", "nothing"]
)
async def test_nobody_hears_of_it(status: str, where: str) -> None:
    """Neither the prompt nor the key goes to where it points: not even a connection does."""
    other = far_of("openai_chat")
    async with listening(other):
        far = Far(b"")
        async with listening(far):
            to = {
                "another host": f"{other.url}/v1/chat/completions",
                "the same host": f"{far.url}/elsewhere",
                "a path": "/elsewhere",
                "no scheme": f"//{other.url.removeprefix('http://')}/x",
                "a file": "file:///etc/passwd",
                "nothing": None,
            }[where]
            headers = {} if to is None else {"Location": to, "Refresh": f"0; url={to}"}
            far.answers = (answer(b"{}", "application/json", status, **headers),)
            async with running(one("openai_chat", far.url, api_key="OWNKEY-0123456789")) as run:
                got, error = await refusal(run)
    assert (502, "upstream_status", "far") == (got, error["kind"], error["upstream"])
    assert "which is not followed" in error["message"]
    assert str(to) not in error["message"]
    assert (1, 0) == (len(far.asked), other.connections)


@pytest.mark.parametrize("client", ["openai_chat", "anthropic", "gemini", "plain"])
async def test_its_address_does_not_reach_a_client(client: str) -> None:
    """It would be the upstream sending a browser somewhere."""
    far = Far(
        answer(b"", "application/json", "307 Go", Location="https://evil.example/", return_x="1")
    )
    async with listening(far), running(one("openai_chat", far.url, return_headers=["x-*"])) as run:
        status, body, headers = await asked_in(run, client)
    assert 502 == status
    assert "Location" not in headers
    assert b"evil" not in body
