"""Every fault that the mock can play, for each dialect upstream, seen by three clients: a failure
of the right kind, or no failure at all.

A failed answer is an HTTP error, or one in-band error as the last frame of a body that ends
cleanly; it never looks like a success. A fault that harms nothing changes nothing. And the proxy
leaves no upstream running.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from proxy.errors import KINDS
from proxy.mock.faults import FAULTS
from tests.running import Running, running

DIALECTS = [
    "native",
    "openai_chat",
    "anthropic",
    "plain",
    "sider",
    "chatglm",
    "baidu_chat",
    "yiyan",
]
CLIENTS = ["native", "openai_chat", "anthropic"]
PROMPT = "今天 天气 怎么样 呢 😀 I think 今天 很 热 ， not so ？ 再见"

OK = "completed"
TRUNCATED, MALFORMED = "upstream_truncated", "upstream_malformed"
# Kind -> the faults that must end so.
ENDS: dict[str, tuple[str, ...]] = {
    OK: (
        *(
            "crlf",
            "bom",
            "gzip",
            "burst",
            "split_utf8",
            "bytewise",
            "slow:20000",
            "wrong_type",
            "comment_flood",
            "trailing",
        ),
        *("delay:0.02", "first_event_delay:0.02", "bytewise,crlf,bom", "split_utf8,comment_flood"),
    ),
    TRUNCATED: (
        "empty",
        "close@0",
        "half@0",
        "cut@0",
        "close@2",
        "half@2",
        "cut@2",
        "half@2,crlf",
        "cut@4,bytewise",
    ),
    MALFORMED: ("html", "garbage@0", "garbage@2", "huge_event@0", "huge_event@2"),
    "upstream_error": ("error@0", "error@2"),
    "upstream_status": ("status:401", "status:403", "status:500", "status:502", "redirect"),
    "bad_request": ("status:400", "status:422"),
    "model_not_found": ("status:404",),
    "too_large": ("status:413",),
    "rate_limited": ("status:429",),
    "overloaded": ("status:503", "status:529"),
}
STALLS = {
    "stall@0": "first_event_timeout",
    "delay:30": "first_event_timeout",
    "stall@2": "idle_timeout",
}
# Where a dialect cannot tell, or has a word of its own.
OTHERWISE: dict[tuple[str, str], str] = {
    ("chatglm", "close@2"): OK,  # it has no terminator: a clean end of the body is its end
    ("chatglm", "trailing"): MALFORMED,  # and for the same reason what comes late is no part of it
    # a vendor that is overloaded says so by the code of another limit
    ("sider", "error@0"): "rate_limited",
    ("sider", "error@2"): "rate_limited",
    ("baidu_chat", "error@0"): "rate_limited",
    ("baidu_chat", "error@2"): "rate_limited",
}
FAULTED = {fault: kind for kind, faults in ENDS.items() for fault in faults}
# The mock's own word for an answer that is over. None of it is being played to nobody.
CLOSED = {"complete", "closed", "cut", "client_gone"}


def must_be(dialect: str, fault: str) -> str:
    return OTHERWISE.get((dialect, fault)) or STALLS.get(fault) or FAULTED[fault]


class Seen(NamedTuple):
    """What a client saw. `kind` is "completed", or that of the error (where its dialect says
    it)."""

    status: int
    text: str
    kind: str


def config(patience_s: float = 30) -> dict[str, Any]:
    options: dict[str, Any] = {"plain": {"done": "[done]"}}
    upstreams = {
        name: {
            "dialect": name,
            "mock": {"scenario": "echo", "tokens_per_s": 0},
            "options": options.get(name, {}),
        }
        for name in DIALECTS
    }
    return {
        "upstreams": upstreams,
        "models": {name: [{"upstream": name}] for name in DIALECTS},
        "timeouts": {"first_event_s": patience_s, "idle_s": patience_s},
        "limits": {"max_event_bytes": 100_000},
    }


def json_frames(body: str) -> list[Any]:
    """The frames of an event stream of one data line each; what is no JSON stays text."""
    datas = [line[6:] for line in body.split("\n") if line.startswith("data: ")]
    return [json.loads(data) if data.startswith("{") else data for data in datas]


def native(frames: list[Any]) -> tuple[str, str]:
    text = ""
    for frame in frames:
        if frame["type"] in ("text.delta", "text.rewrite"):
            text = text[: frame.get("keep")] + frame["text"]
    ends = [frame for frame in frames if frame["type"] in ("stream.end", "stream.error")]
    assert frames[-1:] == ends
    return text, ends[0]["error"]["kind"] if "error" in ends[0] else OK


def openai_chat(frames: list[Any]) -> tuple[str, str]:
    chunks = [frame for frame in frames if isinstance(frame, dict)]
    text = "".join(
        choice["delta"].get("content") or ""
        for chunk in chunks
        for choice in chunk.get("choices", ())
    )
    finishes = [
        choice["finish_reason"]
        for chunk in chunks
        for choice in chunk.get("choices", ())
        if choice["finish_reason"]
    ]
    errors = [chunk["error"] for chunk in chunks if "error" in chunk]
    if errors:
        assert ([], 1, False) == (finishes, len(errors), "[DONE]" in frames)
        assert frames[-1] == {"error": errors[0]}
        assert errors[0]["message"]
        return text, "error"
    assert (["stop"], "[DONE]", 1) == (finishes, frames[-1], frames.count("[DONE]"))
    return text, OK


def anthropic(frames: list[Any]) -> tuple[str, str]:
    text = "".join(
        frame["delta"].get("text", "") for frame in frames if frame["type"] == "content_block_delta"
    )
    kinds = [frame["type"] for frame in frames]
    if "error" in kinds:
        assert (1, 0, 0) == (
            kinds.count("error"),
            kinds.count("message_stop"),
            kinds.count("message_delta"),
        )
        assert "error" == kinds[-1]
        assert frames[-1]["error"]["message"]
        return text, "error"
    assert ["message_delta", "message_stop"] == kinds[-2:]
    assert 1 == kinds.count("message_stop")
    return text, OK


READ: dict[str, tuple[str, Callable[[list[Any]], tuple[str, str]]]] = {
    "native": ("/v1/stream", native),
    "openai_chat": ("/v1/chat/completions", openai_chat),
    "anthropic": ("/v1/messages", anthropic),
}


async def ask(run: Running, client: str, dialect: str, fault: str) -> Seen:
    path, read = READ[client]
    body = {
        "model": dialect,
        "messages": [{"role": "user", "content": PROMPT}],
        "stream": True,
        "max_tokens": 99,
    }
    async with run.session.post(
        f"{run.url}{path}", json=body, headers={"x-mock-fault": fault}
    ) as response:
        said = await response.text()  # raises if the body does not end as HTTP has it
        if response.status == 200:
            assert response.content_type == "text/event-stream"
            return Seen(200, *read(json_frames(said)))
        assert response.content_type == "application/json"
        error = json.loads(said)["error"]
        assert error["message"]
        return Seen(response.status, "", error.get("kind", "error"))


def wrong_with(seen: Seen, dialect: str, client: str, fault: str) -> str | None:
    expected = must_be(dialect, fault)
    if expected == OK:
        whole = PROMPT.startswith(seen.text) if fault == "close@2" else seen.text == PROMPT
        return None if whole and seen.kind == OK else f"expected a good answer, got {seen}"
    kinds = {expected} if client == "native" else {"error"}
    if fault == "cut@0":  # the reset may overtake the head of the answer
        kinds |= {"connect_failed"}
    if seen.kind not in kinds:
        return f"expected {kinds}, got {seen}"
    if not PROMPT.startswith(seen.text):
        return f"garbled: {seen}"
    early = fault != "trailing" and ("@" not in fault or "@0" in fault)
    if early and seen.status == 200:
        return f"there was no content, so it should have been a status: {seen}"
    if not early and (seen.status != 200 or not seen.text):
        return f"there was content, so it should have been in band: {seen}"
    if (
        early
        and not fault.startswith(("status", "error"))
        and seen.status != KINDS[expected].status
    ):
        return f"expected status {KINDS[expected].status}, got {seen}"
    return None


async def account(run: Running, faults: list[str]) -> dict[str, str | None]:
    """How the mock says that each answer ended, once all have."""
    ended: dict[str, str | None] = {}
    for _ in range(100):
        async with run.session.get(f"{run.url}/mock/requests") as response:
            entries = await response.json()
        ended = {entry["fault"]: entry["ended"] for entry in entries}
        if set(ended) == set(faults) and None not in ended.values():
            break
        await asyncio.sleep(0.05)
    return ended


async def outcomes(run: Running, client: str) -> Counter[str]:
    async with run.session.get(f"{run.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    rows = [
        line
        for line in lines
        if line.startswith(f'mainstem_streams_total{{client_dialect="{client}"')
    ]
    return Counter(
        {
            row.partition('outcome="')[2].partition('"')[0]: int(float(row.rpartition(" ")[2]))
            for row in rows
        }
    )


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_fault_ends_as_it_must(dialect: str, client: str) -> None:
    async with running(config()) as run:
        seen = await asyncio.gather(*(ask(run, client, dialect, fault) for fault in FAULTED))
        wrong = {
            fault: problem
            for fault, said in zip(FAULTED, seen, strict=True)
            if (problem := wrong_with(said, dialect, client, fault))
        }
        ended = await account(run, [*FAULTED])
        counted = await outcomes(run, client)
        assert 0 == await run.metric(f'mainstem_streams_open{{upstream="{dialect}"}}')
    assert not wrong, json.dumps(wrong, indent=1, ensure_ascii=False)
    assert set(FAULTED) == set(ended)
    assert CLOSED >= set(ended.values()), ended
    expected = Counter(must_be(dialect, fault) for fault in FAULTED)
    overtaken = counted.pop("connect_failed", 0)  # as above
    assert expected - Counter({TRUNCATED: overtaken}) == counted


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_silent_upstream_is_given_up_and_hung_up_on(client: str) -> None:
    asked = [(dialect, fault) for dialect in DIALECTS for fault in STALLS]
    async with running(config(patience_s=0.4)) as run:
        seen = await asyncio.gather(*(ask(run, client, dialect, fault) for dialect, fault in asked))
        ended = await account(run, [*STALLS])
    wrong = {
        f"{row}": problem
        for row, said in zip(asked, seen, strict=True)
        if (problem := wrong_with(said, row[0], client, row[1]))
    }
    assert not wrong, json.dumps(wrong, indent=1, ensure_ascii=False)
    assert dict.fromkeys(STALLS, "client_gone") == ended


def test_every_fault_that_there_is_is_in_the_table() -> None:
    named = {
        part.split("@")[0].split(":")[0]
        for fault in (*FAULTED, *STALLS)
        for part in fault.split(",")
    }
    assert set(FAULTS) == named


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "fault",
    [
        "html",
        "empty",
        "status:401",
        "error@2",
        "cut@2",
        "close@2",
        "half@2",
        "huge_event@2",
        "stall@2",
    ],
)
async def test_a_fault_is_a_status_for_who_asked_for_one_document(fault: str, client: str) -> None:
    path, _ = READ[client]
    async with running(config(patience_s=0.4 if fault in STALLS else 30)) as run:
        for dialect in ("openai_chat", "anthropic", "sider"):
            body = {
                "model": dialect,
                "messages": [{"role": "user", "content": PROMPT}],
                "stream": False,
                "max_tokens": 99,
            }
            async with run.session.post(
                f"{run.url}{path}", json=body, headers={"x-mock-fault": fault}
            ) as response:
                error = (await response.json())["error"]
                assert response.status >= 400, dialect
                assert error["message"], dialect
                if client == "native":
                    assert must_be(dialect, fault) == error["kind"], dialect


@pytest.mark.parametrize(
    "fault",
    [
        "html",
        "empty",
        "status:500",
        "status:429",
        "error@0",
        "close@0",
        "half@0",
        "huge_event@0",
        "stall@0",
        "redirect",
    ],
)
async def test_before_content_a_fault_costs_the_client_only_time(fault: str) -> None:
    """A second target answers, and the client sees nothing of the first."""
    tree = config()
    tree["timeouts"]["first_event_s"] = 0.4 if fault in STALLS else 30
    tree["upstreams"]["spare"] = {
        "dialect": "openai_chat",
        "mock": {"scenario": "echo", "tokens_per_s": 0},
    }
    for dialect in DIALECTS:
        tree["upstreams"][dialect]["mock"]["fault"] = fault
    tree["models"] = {
        dialect: [{"upstream": dialect}, {"upstream": "spare"}] for dialect in DIALECTS
    }
    async with running(tree) as run:

        async def fallen_back(dialect: str) -> tuple[str, str]:
            body = {"model": dialect, "prompt": PROMPT}
            async with run.session.post(f"{run.url}/v1/stream", json=body) as response:
                frames = json_frames(await response.text())
                assert 200 == response.status
            return frames[0]["upstream"], native(frames)[0]

        assert [("spare", PROMPT)] * len(DIALECTS) == await asyncio.gather(
            *map(fallen_back, DIALECTS)
        )
