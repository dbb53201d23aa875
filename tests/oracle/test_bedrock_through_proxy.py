"""Bedrock's real bytes through the whole proxy, over sockets on both sides. The readers are the
SDKs of other vendors and a plain one."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import anthropic
import httpx
import openai
import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

from tests.aws_frames import chunk, event, exception
from tests.raw_upstream import LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running
from tests.support import facts, needs_recordings, recording_bytes

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nTransfer-Encoding: chunked\r\n\r\n"
DIALECTS = ("bedrock_converse", "bedrock_invoke")
# The recordings whose facts count what the decoder's own tests argue about.
ARGUED = ("code-execution-tool", "3091204960")
KEYS = {"region": "eu-west-1", "aws_access_key_id": "AK", "aws_secret_access_key": "SK"}
WEATHER = {
    "name": "weather",
    "description": "d",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class Bedrock:
    """An upstream that answers each request with the next of these bodies, and keeps what it was
    asked."""

    def __init__(self, *bodies: Sequence[bytes]) -> None:
        self._bodies = list(bodies)
        self.heads: list[str] = []
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, peer: Peer) -> None:
        while True:
            self.heads.append((await peer.request()).decode())
            self.asked.append(json.loads(peer.body))
            body = self._bodies.pop(0)
            if body[0].startswith(b"HTTP/"):
                peer.write(body[0])
                continue
            peer.write(HEAD)
            for piece in body:
                peer.send(piece)
                await peer.writer.drain()
            peer.write(LAST_CHUNK)


def plain(status: str, body: bytes, *headers: str) -> Sequence[bytes]:
    head = "".join(
        f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers)
    )
    return [f"{head}\r\n".encode() + body]


def recording(name: str) -> bytes:
    (row,) = (row for dialect in DIALECTS for row in facts(dialect) if name in row["file"])
    return recording_bytes(row)


async def native_events(run: Running, **ask: Any) -> list[dict[str, Any]]:
    async with run.session.post(f"{run.url}/v1/stream", json={"prompt": "x", **ask}) as response:
        text = await response.text()
        assert 200 == response.status, text
    return [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]


@needs_recordings
@pytest.mark.parametrize("cut", [1, 100, 1 << 20])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_recording_gives_what_it_holds(dialect: str, cut: int) -> None:
    """Text, reasoning and finish, in pieces of any size."""
    rows = [
        row
        for row in facts(dialect)
        if row["file"].endswith(".bin") and not any(name in row["file"] for name in ARGUED)
    ]
    bodies = [recording_bytes(row) for row in rows]
    least = max(cut, max(map(len, bodies)) // 3000)
    bedrock = Bedrock(
        *([body[at : at + least] for at in range(0, len(body), least)] for body in bodies)
    )
    async with (
        raw_upstream(bedrock) as url,
        running(
            one(
                dialect,
                url,
                options=KEYS if dialect == "bedrock_converse" else {**KEYS, "inner": "nova"},
            )
        ) as run,
    ):
        for row in rows:
            events = await native_events(run, model="m")
            assert "stream.end" == events[-1]["type"], (row["file"], events[-1])
            assert row["finish"] == events[-1]["finish"]["raw"]
            text = "".join(piece["text"] for piece in events if piece["type"] == "text.delta")
            assert row["text_sha256"] == hashlib.sha256(text.encode()).hexdigest()
            assert row["reasoning_chars"] == sum(
                len(piece["text"]) for piece in events if piece["type"] == "reasoning.delta"
            )
    assert len(rows) == len(bedrock.heads)
    assert all(
        "\r\nauthorization: AWS4-HMAC-SHA256 Credential=AK/" in head for head in bedrock.heads
    )


def valid(body: dict[str, Any]) -> None:
    """The body is one that botocore's model of the service allows."""
    shape = (
        get_session()
        .get_service_model("bedrock-runtime")
        .operation_model("ConverseStream")
        .input_shape
    )
    report = ParamValidator().validate({"modelId": "m", **body}, shape)
    assert not report.has_errors(), report.generate_report()


@needs_recordings
async def test_anthropics_sdk_gets_thinking_with_its_signature_and_sends_it_back() -> None:
    """The second turn holds it in Converse's form."""
    body = recording("thinking-part-stream")
    bedrock = Bedrock([body], [body])
    async with (
        raw_upstream(bedrock) as url,
        running(one("bedrock_converse", url, api_key="k")) as run,
    ):
        async with anthropic.AsyncAnthropic(base_url=run.url, api_key="x", max_retries=0) as api:
            async with api.messages.stream(
                model="m", max_tokens=99, messages=[{"role": "user", "content": "Hi"}]
            ) as stream:
                first = await stream.get_final_message()
            thought = first.content[0]
            assert "thinking" == thought.type
            turns: Any = [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": first.content},
                {"role": "user", "content": "Go on"},
            ]
            again = await api.messages.create(model="m", max_tokens=99, messages=turns)
    assert "end_turn" == again.stop_reason
    (sent,) = (
        block["reasoningContent"]["reasoningText"]
        for block in bedrock.asked[1]["messages"][1]["content"]
        if "reasoningContent" in block
    )
    assert {"text": thought.thinking, "signature": thought.signature} == sent
    valid(bedrock.asked[1])
    assert "\r\nauthorization: Bearer k\r\n" in bedrock.heads[0]


@needs_recordings
async def test_openais_sdk_gets_a_call_and_sends_its_result_back() -> None:
    """With usage, and the call's own id."""
    bedrock = Bedrock(
        [recording("anthropic-converse-stream-with-tool-use")],
        [recording("converse-stream-with-content")],
    )
    tool: Any = {
        "type": "function",
        "function": {"name": "get_weather", "parameters": {"type": "object"}},
    }
    async with (
        raw_upstream(bedrock) as url,
        running(one("bedrock_converse", url, api_key="k")) as run,
    ):
        async with openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="x", max_retries=0) as api:
            turns: Any = [{"role": "user", "content": "Weather?"}]
            async with api.chat.completions.stream(
                model="m", messages=turns, tools=[tool], stream_options={"include_usage": True}
            ) as stream:
                first = await stream.get_final_completion()
            call = (first.choices[0].message.tool_calls or [])[0]
            turns += [
                {
                    "role": "assistant",
                    "tool_calls": [call.model_dump(include={"id", "type", "function"})],
                },
                {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
            ]
            again = await api.chat.completions.create(model="m", messages=turns, tools=[tool])
    assert ("tool_calls", '{"location": "Barcelona"}') == (
        first.choices[0].finish_reason,
        call.function.arguments,
    )
    assert first.usage is not None
    assert (236, 58) == (first.usage.prompt_tokens, first.usage.completion_tokens)
    assert "length" == again.choices[0].finish_reason
    _, used, result = bedrock.asked[1]["messages"]
    assert {"toolUseId": call.id, "name": "get_weather", "input": {"location": "Barcelona"}} in [
        block.get("toolUse") for block in used["content"]
    ]
    assert [{"toolResult": {"toolUseId": call.id, "content": [{"text": "sunny"}]}}] == result[
        "content"
    ]
    valid(bedrock.asked[1])


HELLO = event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hello"}})
STOP = event("messageStop", {"stopReason": "end_turn"}) + event(
    "metadata", {"usage": {"inputTokens": 1, "outputTokens": 1}}
)


@pytest.mark.parametrize(
    ("status", "kind", "raised"),
    [
        ("429 Too Many Requests", "ThrottlingException", openai.RateLimitError),
        ("403 Forbidden", "AccessDeniedException", openai.PermissionDeniedError),
        ("404 Not Found", "ResourceNotFoundException", openai.NotFoundError),
        ("500 Internal Server Error", "InternalServerException", openai.InternalServerError),
    ],
)
async def test_http_errors_are_the_exceptions_that_a_user_knows(
    status: str, kind: str, raised: type[openai.APIStatusError]
) -> None:
    """With the service's own sentence."""
    bedrock = Bedrock(
        plain(status, b'{"message":"Not now."}', f"x-amzn-ErrorType: {kind}:http://x/")
    )
    async with (
        raw_upstream(bedrock) as url,
        running(one("bedrock_converse", url, api_key="k")) as run,
    ):
        async with openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="x", max_retries=0) as api:
            with pytest.raises(raised, match=r"Not now\."):
                await api.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": "x"}], stream=True
                )


async def test_an_exception_before_content_is_another_targets_chance() -> None:
    """Though it came under a status of 200."""
    bedrock = Bedrock([exception("throttlingException", {"message": "Slow down."})], [HELLO + STOP])
    async with raw_upstream(bedrock) as url:
        far = one("bedrock_converse", url, api_key="k")["upstreams"]["far"]
        config = {
            "upstreams": {"a": far, "b": far},
            "models": {"*": [{"upstream": "a"}, {"upstream": "b"}]},
        }
        async with running(config) as run:
            events = await native_events(run, model="m")
    assert ("b", "stream.end") == (events[0]["upstream"], events[-1]["type"])


async def test_an_exception_after_content_is_one_error_in_the_stream() -> None:
    """Of the kind that the SDK raises."""
    bedrock = Bedrock([HELLO, exception("modelStreamErrorException", {"message": "It broke."})])
    async with (
        raw_upstream(bedrock) as url,
        running(one("bedrock_converse", url, api_key="k")) as run,
    ):
        async with anthropic.AsyncAnthropic(base_url=run.url, api_key="x", max_retries=0) as api:
            with pytest.raises(anthropic.APIStatusError, match="It broke"):
                async with api.messages.stream(
                    model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]
                ) as stream:
                    await stream.get_final_message()


async def test_a_signed_request_follows_no_redirect() -> None:
    """The signature goes to nobody else, and the client is told."""
    bedrock = Bedrock(
        plain("307 Temporary Redirect", b"", "Location: http://127.0.0.1:9/elsewhere")
    )
    async with (
        raw_upstream(bedrock) as url,
        running(one("bedrock_converse", url, options=KEYS)) as run,
    ):
        async with httpx.AsyncClient() as api:
            answer = await api.post(f"{run.url}/v1/stream", json={"model": "m", "prompt": "x"})
    assert 502 == answer.status_code
    assert "redirect (307), which is not followed" in answer.text
    assert 1 == len(bedrock.heads)


async def test_claude_wrapped_is_claude() -> None:
    """Anthropic's SDK through us, to Anthropic's form inside Bedrock's, and back."""
    body = claude()
    bedrock = Bedrock([body])
    async with (
        raw_upstream(bedrock) as url,
        running(one("bedrock_invoke", url, api_key="k")) as run,
    ):
        async with anthropic.AsyncAnthropic(base_url=run.url, api_key="x", max_retries=0) as api:
            tools: Any = [WEATHER]
            asked: Any = {
                "model": "eu.anthropic.claude-x",
                "max_tokens": 9,
                "tools": tools,
                "messages": [{"role": "user", "content": "x"}],
            }
            async with api.messages.stream(**asked) as stream:
                message = await stream.get_final_message()
    (call,) = message.content
    assert "tool_use" == call.type
    assert ({"city": "Oslo"}, "tool_use", 7) == (
        call.input,
        message.stop_reason,
        message.usage.output_tokens,
    )
    assert [WEATHER] == bedrock.asked[0]["tools"]
    assert bedrock.heads[0].startswith(
        "POST /model/eu.anthropic.claude-x/invoke-with-response-stream HTTP/1.1\r\n"
    )


def claude() -> bytes:
    return b"".join(
        map(
            chunk,
            [
                {
                    "type": "message_start",
                    "message": {"id": "m", "usage": {"input_tokens": 5, "output_tokens": 1}},
                },
                {
                    "type": "content_block_start",
                    "index": 0,
                    "content_block": {
                        "type": "tool_use",
                        "id": "t",
                        "name": "weather",
                        "input": {},
                    },
                },
                {
                    "type": "content_block_delta",
                    "index": 0,
                    "delta": {"type": "input_json_delta", "partial_json": '{"city": "Oslo"}'},
                },
                {"type": "content_block_stop", "index": 0},
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": "tool_use"},
                    "usage": {"output_tokens": 7},
                },
                {
                    "type": "message_stop",
                    "amazon-bedrock-invocationMetrics": {
                        "inputTokenCount": 5,
                        "outputTokenCount": 7,
                    },
                },
            ],
        )
    )
