"""Which of a browser's requests run a prompt, by the way they were made: the headers that Chromium
sends for each.
"""

import pytest

from proxy.server.access.origins import unasked

PAGE = "https://a.example"


def fetched(site: str, mode: str, dest: str, origin: str = "", **more: str) -> dict[str, str]:
    said = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest, **more}
    return {**said, "Origin": origin} if origin else said


RUN = {
    "no browser": {},
    "no browser that says an origin": {"Origin": PAGE},
    "a fetch of our own page": fetched("same-origin", "cors", "empty"),
    "its POST": fetched("same-origin", "cors", "empty", "http://127.0.0.1:8080"),
    "its EventSource": fetched("same-origin", "cors", "empty"),
    "a fetch in the mode same-origin": fetched("same-origin", "same-origin", "empty"),
    "a fetch of another page": fetched("cross-site", "cors", "empty", PAGE),
    "its EventSource, or its worker's": fetched("same-site", "cors", "empty", PAGE),
    "its WebSocket": fetched("cross-site", "websocket", "empty", PAGE),
    "a WebSocket as Firefox says it": fetched("cross-site", "websocket", "websocket", PAGE),
    "an address that somebody typed": fetched("none", "navigate", "document"),
    "an extension": fetched("none", "cors", "empty", "chrome-extension://a"),
}
REFUSED = {
    "an image": fetched("cross-site", "no-cors", "image"),
    "an image of a neighbour": fetched("same-site", "no-cors", "image"),
    "an image in our own page": fetched("same-origin", "no-cors", "image"),
    "an image with CORS": fetched("cross-site", "cors", "image", PAGE),
    "a script": fetched("cross-site", "no-cors", "script"),
    "a module": fetched("cross-site", "cors", "script", PAGE),
    "a style": fetched("cross-site", "no-cors", "style"),
    "a font": fetched("cross-site", "cors", "font", PAGE),
    "a video": fetched("cross-site", "no-cors", "video"),
    "an object": fetched("cross-site", "no-cors", "object"),
    "a frame": fetched("cross-site", "navigate", "iframe"),
    "a frame in our own page": fetched("same-origin", "navigate", "iframe"),
    "a link or a redirect": fetched("cross-site", "navigate", "document"),
    "a link of a neighbour": fetched("same-site", "navigate", "document"),
    "a form": fetched("cross-site", "navigate", "document", PAGE),
    "a form without an origin": fetched("cross-site", "navigate", "document", "null"),
    "a fetch without CORS": fetched("cross-site", "no-cors", "empty"),
    "a beacon": fetched("cross-site", "no-cors", "empty", PAGE),
    "a fetch without CORS of our own page": fetched("same-origin", "no-cors", "empty"),
    "CORS without an origin": fetched("cross-site", "cors", "empty"),
    "a worker's script": fetched("same-origin", "same-origin", "serviceworker"),
    "a prefetch": fetched("none", "navigate", "document", **{"Sec-Purpose": "prefetch;prerender"}),
    "a prefetch as it was said before": fetched("none", "cors", "empty", Purpose="prefetch"),
    "the site alone": {"Sec-Fetch-Site": "cross-site"},
    "the mode alone": {"Sec-Fetch-Mode": "no-cors"},
    "the destination alone": {"Sec-Fetch-Dest": "image"},
    "a site that nobody knows": fetched("elsewhere", "cors", "empty"),
    "a mode that nobody knows": fetched("same-origin", "webtransport", "empty"),
}


@pytest.mark.parametrize("what", RUN)
def test_what_was_asked_for_runs(what: str) -> None:
    assert unasked(RUN[what]) is None


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_page_embeds_or_leads_to_does_not_run(what: str) -> None:
    said = unasked(REFUSED[what])
    assert said is not None
    assert said.endswith(".")


def test_the_refusal_shows_little_of_what_was_sent() -> None:
    said = unasked(fetched("x" * 999, "y" * 999, "z" * 999))
    assert said is not None
    assert len(said) < 400
