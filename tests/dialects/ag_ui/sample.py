"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from tests.dialects.sample import Asked

ASKED = Asked(
    "/v1/ag-ui",
    {
        "threadId": "t",
        "runId": "r",
        "protocolVersion": "1.0",
        "state": {},
        "messages": [
            {"id": "1", "role": "system", "content": "s"},
            {
                "id": "2",
                "role": "user",
                "content": [
                    {"type": "text", "text": "a"},
                    {
                        "type": "image",
                        "source": {"type": "data", "value": "AA==", "mimeType": "image/png"},
                    },
                ],
            },
            {"id": "3", "role": "reasoning", "content": "t"},
            {
                "id": "4",
                "role": "assistant",
                "toolCalls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "f", "arguments": "{}"},
                    }
                ],
            },
            {"id": "5", "role": "tool", "toolCallId": "c1", "content": "r"},
        ],
        "tools": [{"name": "f", "description": "d", "parameters": {"type": "object"}}],
        "context": [{"description": "d", "value": "v"}],
        "forwardedProps": {"model": "m", "maxTokens": 9},
    },
)
