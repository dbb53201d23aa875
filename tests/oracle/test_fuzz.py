"""Garbage from upstreams: bytes mutated in every way, error bodies, and streams without an end.

Everything is drawn from fixed seeds, so a run is the same as the last one.
"""

import itertools
import json
import random
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.dialects.base import JSON
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import StreamError
from proxy.framing import sse
from proxy.mock.scenarios import SCENARIOS, Ask
from proxy.request import ChatRequest, Message
from tests.oracle.endless import COMMON, OWN, held
from tests.oracle.fuzzed import MUTATION, START, encoder_of, parsed_by, readable, steady
from tests.support import check_grammar, decode, facts, recording_bytes, recordings_dir, seed_bytes


@cache
def bodies(name: str) -> list[bytes]:
    """Streams of a dialect: what its own client half writes of every scenario, its smaller recordings, and what each endless one begins with."""
    found = []
    if name in CLIENTS and parsed_by(name) is not None:
        request = ChatRequest(model="m", messages=[Message("user", "你好")])
        for scenario in SCENARIOS.values():
            encoder = CLIENTS[name].encoder(parsed_by(name))  # type: ignore[arg-type]
            events = [START, *itertools.islice(scenario(Ask(request, CLIENTS[name].rewrites)), 60)]
            found.append(b"".join(encoder.encode(event) for event in events))
    found += [b"".join(map(endless, range(12))) for endless in OWN.get(name, {}).values()]
    if recordings_dir() is not None:
        rows = sorted(facts(name), key=lambda row: row["bytes"])
        found += [recording_bytes(row) for row in rows[:: max(len(rows) // 25, 1)] if row["bytes"] < 40_000]
        seeds = {"plain": "a-minimal.body.sse", "sider": "b-sider-shaped.body.sse", "chatglm": "c-chatglm2-report.body.bin"}
        authored = {"baidu_chat": ("baidu-2023-ok", "baidu-2026-ok", "baidu-2026-error-1005"), "yiyan": ("yiyan-v2-ok",)}
        found += [seed_bytes(seeds[name])] if name in seeds else []
        found += [seed_bytes(f"authored/{file}.sse") for file in authored.get(name, ())]
    return found or [b"data: {}\n\n"]


def mutated(name: str, which: int, mutations: list[Any]) -> bytes:
    known = bodies(name)
    data = bytearray(known[which % len(known)])
    for what, where, size, piece in mutations:
        at = int(where * len(data))
        end = min(at + size, len(data))
        if what == "flip":
            data[at:end] = bytes(byte ^ (1 << (size + at) % 8) for byte in data[at:end])
        elif what == "delete":
            del data[at:end]
        elif what == "duplicate":
            data[at:at] = data[at:end]
        elif what == "splice":
            other = known[(which + size) % len(known)]
            data[at:end] = other[at : at + size]
        elif what == "insert":
            data[at:at] = piece
        else:
            del data[at:]
    return bytes(data)


def chunks(data: bytes, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    longest = chance.choice((1, 30, 500, 1 << 20))
    if longest == 1 and len(data) > 3000:
        longest = 7
    cuts = [0]
    while cuts[-1] < len(data):
        cuts.append(min(cuts[-1] + chance.randint(1, longest), len(data)))
    return [data[a:b] for a, b in itertools.pairwise(cuts)]


@pytest.mark.parametrize("name", UPSTREAMS)
def test_a_decoder_takes_any_bytes(name: str) -> None:
    """It never raises, keeps the grammar, gives one terminal event and holds little; and a client's encoder can say what it gave."""

    @settings(steady, max_examples=100)
    @given(
        st.integers(0, 200),
        st.lists(MUTATION, min_size=1, max_size=4),
        st.integers(0, 1 << 20),
        st.sampled_from([48, 2048, 1 << 15, 1 << 20]),
        st.sampled_from([{}, {"text_in_msg": True, "br": "newline", "done": "", "empty": "newline"}, {"done": "[END]"}]),
    )
    def check(which: int, mutations: list[Any], seed: int, most: int, options: dict[str, Any]) -> None:
        body = mutated(name, which, mutations)
        decoder = UPSTREAMS[name].decoder(most, options)
        events = decode(decoder, chunks(body, seed))
        assert held(decoder) <= 4 * most + 2 * sse.STRAY_BYTES
        client = [*CLIENTS][seed % len(CLIENTS)]
        encoder = encoder_of(client)
        if encoder is not None:
            readable(client, encoder, b"".join([encoder.encode(event) for event in [START, *events]]))

    check()


@pytest.mark.parametrize("name", UPSTREAMS)
def test_an_error_body_of_any_bytes_is_a_failure_that_every_client_can_be_told(name: str) -> None:
    @settings(steady, max_examples=40)
    @given(
        st.sampled_from(
            [
                b'{"error":{"message":"m","type":"t","code":"c","param":"p","status":429,"retry_after_s":1,"kind":"k"}}',
                b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}',
                b'{"detail":[{"loc":["body","x"],"msg":"m"}]}',
                b'{"code":1001,"msg":"m"}',
                b'{"status":1005,"data":{"message":{"content":{"hints":{"parts":[{"text":"m"}]}}}}}',
                b'[{"error":{"code":400,"message":"m"}}]',
                b"<html><body>no</body></html>",
            ]
        ),
        st.lists(MUTATION, max_size=3),
        st.sampled_from([200, 400, 401, 404, 429, 451, 499, 500, 503, 529, 599]),
        st.sampled_from(["", "5", "-1", "1e9", "99999999999999999999", "²", "Wed, 21 Oct 2026 07:28:00 GMT"]),
    )
    def check(body: bytes, mutations: list[Any], status: int, wait: str) -> None:
        data = bytearray(body)
        for _, where, size, piece in mutations:
            at = int(where * len(data))
            data[at : at + size] = piece
        why = UPSTREAMS[name].parse_error(status, {"retry-after": wait}, bytes(data))
        assert why is not None or status < 400
        if why is None:
            return
        check_grammar([StreamError(why)])
        for client in CLIENTS.values():
            reply = client.render_error(why)
            assert 400 <= reply.status < 600
            assert all(value.isascii() and value.isprintable() and len(value) < 40 for value in reply.headers.values())
            assert reply.body.decode().strip()
            if reply.content_type == JSON:
                json.loads(reply.body)

    check()


# Upstreams without an end.
_MOST = 8192
_FED = 400_000
ENDLESS = [
    pytest.param(name, endless, id=f"{name}: {kind}") for name in UPSTREAMS for kind, endless in {**COMMON, **OWN.get(name, {})}.items()
]
_NUMBERED = re.compile(rb'("(?:index|output_index|content_index|seq|id|item_id|cid|url|name)": ?"?)(\w+)')


def hold_no_more(name: str, endless: Callable[[int], bytes]) -> None:
    """What it holds late is what it held in the middle, and a few times the largest event at most; or it has given up."""
    decoder = UPSTREAMS[name].decoder(_MOST, {})
    fed, numbers, events = 0, itertools.count(), []
    middle = None
    while fed < _FED and not decoder.done:
        data = endless(next(numbers))
        while len(data) < 2000:
            data += endless(next(numbers))
        fed += len(data)
        events += decoder.feed(data)
        if middle is None and fed > _FED // 2:
            middle = held(decoder)
    late = held(decoder)
    events += decoder.close()
    check_grammar(events)
    assert late <= 20 * _MOST
    assert middle is None or late <= middle * 1.1 + _MOST, f"held {middle} bytes in the middle and {late} late"


@pytest.mark.parametrize(("name", "endless"), ENDLESS)
def test_an_endless_upstream_makes_a_decoder_hold_no_more(
    name: str, endless: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "STRAY_BYTES", _MOST)
    hold_no_more(name, endless)


@pytest.mark.parametrize("name", UPSTREAMS)
def test_an_answer_that_begins_again_and_again_makes_a_decoder_hold_no_more(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first part of a real stream, without its end, and with other ids and numbers every other time."""
    monkeypatch.setattr(sse, "STRAY_BYTES", _MOST)
    known = sorted(bodies(name), key=len)
    for body in known[:: max(len(known) // 6, 1)]:
        half = body[: len(body) * 2 // 3]
        at = max(half.rfind(b"\n\n") + 2, half.rfind(b"\r\n\r\n") + 4)
        part = half[:at] if at > 3 else half
        hold_no_more(name, lambda n, part=part: _NUMBERED.sub(rb"\g<1>\g<2>%d" % n, part) if n % 2 else part)
