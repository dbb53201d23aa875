"""Garbage from clients: whatever it is, it is parsed or refused in a sentence, and what was parsed
can be sent to every upstream.

Everything is drawn from fixed seeds, so a run is the same as the last one.
"""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.codec.base import Incoming, Parsed
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import Finish, StreamEnd
from tests.fuzz.bodies import incoming
from tests.fuzz.readers import START, readable
from tests.fuzz.requests import answered, sent, wrong
from tests.fuzz.strategies import SPOILING, shaped, spoiled, steady
from tests.properties import scaled
from tests.samples import ASKED

pytestmark = pytest.mark.timeout(300)  # seconds of work at most, but a machine may be loaded

DEEP: Any = 1
for _ in range(300):
    DEEP = [DEEP]
ODD = (
    None,
    True,
    0,
    -1,
    1.5,
    2**70,
    "",
    "x",
    "\0\r\nset-cookie: a=b",
    "模型" * 50,
    [],
    {},
    [[]],
    [{}],
    {"type": "text"},
    ["a", 1],
    {"": {}},
)
ODD_VALUES = st.sampled_from(
    [*ODD, DEEP, "stream.end", "tool", "../../x", "\ud800", 1e300, {"type": "tool_call"}]
)
_NAMES = itertools.cycle(UPSTREAMS)


def body_of(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("name", CLIENTS)
def test_a_value_that_is_wrong_anywhere_is_taken_or_refused(name: str) -> None:
    """At every place of a good body, each of the odd values. What is refused names a field; what is
    taken can be sent on."""
    for way, changed in wrong(ASKED[name].body, ODD):
        body = body_of(changed)
        result = answered(name, incoming(body))
        if isinstance(result, Parsed):
            sent(result, len(body), (next(_NAMES), next(_NAMES)))
        else:
            assert isinstance(result.param, str), f"{way}: {result.message}"
            assert way[0] in result.param or "tool_choice" in result.param, (
                f"{way}: {result.param}: {result.message}"
            )


@pytest.mark.parametrize("name", CLIENTS)
def test_a_request_of_its_dialects_shape_is_taken_or_refused(name: str) -> None:
    """Keys left out, lists longer and shorter, odd values here and there; for every upstream, and
    with an encoder that can answer."""

    @settings(steady, max_examples=scaled(80))
    @given(shaped(ASKED[name].body, ODD_VALUES))
    def check(value: Any) -> None:
        body = body_of(value)
        result = answered(name, incoming(body))
        if isinstance(result, Parsed):
            encoder = CLIENTS[name].encoder(result)
            readable(
                name,
                encoder,
                b"".join(encoder.encode(event) for event in (START, StreamEnd(Finish("stop")))),
            )
            sent(result, len(body))

    check()


@pytest.mark.parametrize("name", CLIENTS)
def test_a_body_of_any_bytes_is_taken_or_refused(name: str) -> None:
    @settings(steady, max_examples=scaled(50))
    @given(st.lists(SPOILING, min_size=1, max_size=3))
    def check(how: list[Any]) -> None:
        data = spoiled(body_of(ASKED[name].body), how)
        for half in CLIENTS.values():
            half.claims(incoming(data))
        answered(name, incoming(data))

    check()


_WORDS = st.sampled_from(
    [
        "",
        "m",
        "模型",
        "../../x",
        "a/b",
        "%2f..",
        "m\r\nx: y",
        "\0",
        "streamGenerateContent",
        "x" * 3000,
        "@host",
        "a?b#c",
    ]
)


@pytest.mark.parametrize("name", CLIENTS)
def test_any_path_query_and_headers_are_taken_or_refused(name: str) -> None:
    """Also of a GET without a body, where the dialect has one: the query is then the whole
    request."""

    @settings(steady, max_examples=scaled(60))
    @given(
        st.sampled_from(["GET", "POST"]),
        st.dictionaries(st.sampled_from(["model", "version", "method", "form"]), _WORDS),
        st.dictionaries(
            st.sampled_from(["model", "prompt", "system", "alt", "key", "stream", "n", "on_loss"]),
            _WORDS,
        ),
        st.dictionaries(
            st.sampled_from(
                [
                    "content-type",
                    "accept",
                    "authorization",
                    "x-api-key",
                    "last-event-id",
                    "user-agent",
                ]
            ),
            _WORDS,
        ),
    )
    def check(
        method: str, path: dict[str, str], query: dict[str, str], headers: dict[str, str]
    ) -> None:
        body = b"" if method == "GET" else body_of(ASKED[name].body)
        known = {**incoming(b"").path, **path}
        result = answered(name, Incoming(method, known, query, headers, body))
        if isinstance(result, Parsed):
            sent(result, len(body) + sum(map(len, (*known.values(), *query.values()))))

    check()
