"""What clients send."""

from typing import Any

import openai

from proxy.request import (
    Message,
)
from tests.dialects.openai_chat.test_parse import parse
from tests.oracle.dialects.openai_chat.sdk import http


def test_what_the_sdk_sends_is_taken_without_a_note() -> None:
    sent: list[bytes] = []

    def keep(request: Any) -> Any:
        sent.append(request.content)
        return http.Response(
            200, content=b"data: [DONE]\n\n", headers={"content-type": "text/event-stream"}
        )

    client = openai.OpenAI(
        api_key="k",
        base_url="http://x.test/v1",
        http_client=http.Client(transport=http.MockTransport(keep)),
    )
    with client.chat.completions.create(
        model="fast",
        messages=[{"role": "system", "content": "S"}, {"role": "user", "content": "hi"}],
        stream=True,
        stream_options={"include_usage": True},
        max_completion_tokens=5,
        stop=None,
        tools=[
            {
                "type": "function",
                "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
            }
        ],
        tool_choice="auto",
    ) as stream:
        list(stream)
    parsed = parse(sent[0])
    assert ("S", [Message("user", "hi")], 5, True, ()) == (
        parsed.request.system,
        parsed.request.messages,
        parsed.request.max_tokens,
        parsed.options.include_usage,
        parsed.notes,
    )
