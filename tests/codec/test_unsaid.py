"""A newest turn of which nothing would reach the vendor is refused with what is wrong."""

from typing import Any

import pytest

from proxy.errors import Refused
from tests.dialects.asking import HI, ask

_WAV = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
_PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
_AUDIO = "Audio cannot be said in this upstream's dialect."


def _talk(*parts: Any, before: Any = ()) -> dict[str, Any]:
    return {"model": "m", "messages": [*before, {"role": "user", "content": [*parts]}]}


@pytest.mark.parametrize("vendor", ["anthropic", "bedrock", "cohere", "ollama", "dashscope"])
@pytest.mark.parametrize("before", [(), (HI, {"role": "assistant", "content": "yes?"})])
def test_it_is_said_what_was_lost(vendor: str, before: Any) -> None:
    """Alone, and behind turns that the vendor would answer in its place."""
    with pytest.raises(Refused) as refused:
        ask("openai_chat", _talk(_WAV, _WAV, before=before), vendor, "m")
    said = f"Nothing of the newest turn can be told to up: {_AUDIO}"
    assert (said, 400) == (refused.value.failure.message, refused.value.failure.status)


@pytest.mark.parametrize(
    "talk",
    [
        _talk(_WAV, {"type": "text", "text": "What is it?"}),
        _talk(_WAV, _PNG),
        _talk(
            _WAV,
            before=[
                HI,
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "c",
                            "type": "function",
                            "function": {"name": "f", "arguments": "{}"},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "c", "content": "7"},
            ],
        ),
    ],
)
def test_what_is_left_of_a_turn_or_of_results_goes_on(talk: dict[str, Any]) -> None:
    assert ("dropped", "messages.audio") in ask("openai_chat", talk, "anthropic", "m").notes


def test_a_vendor_that_takes_it_gets_it() -> None:
    part = ask("openai_chat", _talk(_WAV), "gemini", "m").body["contents"][0]["parts"]
    assert [{"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}] == part


_VIDEO = {"type": "file", "mediaType": "video/mp4", "url": "data:video/mp4;base64,AAAA"}


@pytest.mark.parametrize(
    ("client", "turn"),
    [
        ("ai_sdk", {"role": "user", "parts": [_VIDEO]}),
        (
            "ag_ui",
            {
                "role": "user",
                "content": [
                    {"type": "video", "source": {"type": "url", "value": "https://a.test/v"}}
                ],
            },
        ),
        ("openai_chat", {"role": "user", "content": [{"type": "video_url", "video_url": {}}]}),
    ],
)
def test_a_turn_of_which_nothing_could_be_read(client: str, turn: dict[str, Any]) -> None:
    body = {"model": "m", "messages": [turn], "forwardedProps": {"model": "m"}}
    for vendor in ("anthropic", "ollama"):
        with pytest.raises(Refused) as refused:
            ask(client, body, vendor, "m")
        said = "The newest turn holds only what up cannot be told, such as a video or a file of an "
        assert f"{said}unknown kind: say it in words." == refused.value.failure.message
