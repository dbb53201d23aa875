"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from tests.dialects.sample import Asked

ASKED = Asked(
    "/v1/ai-sdk",
    {
        "id": "c",
        "model": "m",
        "trigger": "submit-message",
        "messages": [
            {"id": "1", "role": "system", "parts": [{"type": "text", "text": "s"}]},
            {
                "id": "2",
                "role": "user",
                "parts": [
                    {"type": "text", "text": "a"},
                    {"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,AA=="},
                ],
            },
            {
                "id": "3",
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "text": "t"},
                    {
                        "type": "tool-f",
                        "toolCallId": "c1",
                        "state": "output-available",
                        "input": {},
                        "output": "r",
                    },
                ],
            },
        ],
    },
    error_is_text=True,
)
