"""ChatGLM2's own OpenAI-like server speaks `openai_chat`: CRLF, pings as comments, chunks without
id and created."""

import json

import pytest

from proxy.dialects.openai_chat import DIALECT
from tests.dialects.answers import LIMIT, folded, same_however_cut
from tests.support import needs_recordings, seed_bytes


@needs_recordings
@pytest.mark.parametrize(
    "name", ["d-chatglm2-openai-api.body.sse", "d-chatglm2-openai-api.with-ping.body.sse"]
)
def test_chatglm2s_openai_like_server(name):
    """The text is the contents joined, whatever the split; its pings are nothing."""
    body = seed_bytes(name)
    payloads = [line[6:] for line in body.decode().split("\r\n") if line.startswith("data: {")]
    deltas = [json.loads(payload)["choices"][0]["delta"] for payload in payloads]
    answer = folded(same_however_cut(lambda: DIALECT.upstream.decoder(LIMIT, {}), body))
    assert "".join(delta.get("content", "") for delta in deltas) == answer.text()
    assert answer.text()
    assert ("stop", "stop") == (answer.finish.reason, answer.finish.raw)
