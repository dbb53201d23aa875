"""What only Gemini itself can answer: it goes to an upstream of this dialect as it is, and is
refused for any other.
"""

from typing import Any

import pytest

from proxy.errors import Refused
from tests.dialects.asking import ask

_HI = {"role": "user", "parts": [{"text": "hi"}]}
_VIDEO = {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}}
_PDF = "application/pdf"
_KEPT = "it is a file that Google keeps, which only Google reads: send its data, as inlineData."


def _file(uri: str, kind: str | None = None) -> dict[str, Any]:
    return {"fileData": {"fileUri": uri} | ({"mimeType": kind} if kind else {})}


def _turn(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "parts": [*parts]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"contents": [_HI], "cachedContent": "cachedContents/a"},
            (
                "up cannot take cachedContent: it begins in Gemini's cache, which only Gemini knows: "
                "send the whole conversation."
            ),
        ),
        *(
            (
                {"contents": [_turn({"text": "See."}, _file(uri, kind))]},
                f"up cannot take fileData.fileUri: {_KEPT}",
            )
            for uri, kind in (
                ("gs://bucket/a.png", "image/png"),
                ("https://generativelanguage.googleapis.com/v1beta/files/abc", _PDF),
                ("files/abc", None),
            )
        ),
        *(
            (
                {"contents": [_HI, {"role": "model", "parts": [{"text": "yes?"}]}, _turn(part)]},
                (
                    "up cannot take contents[2]: it holds only what no other vendor can be told, such "
                    "as a video: say it in words."
                ),
            )
            for part in (_VIDEO, _file("https://youtu.be/9hE5"), {"executableCode": {"code": "1"}})
        ),
    ],
)
def test_it_is_refused_elsewhere_with_what_to_do(body: dict[str, Any], said: str) -> None:
    for vendor in ("openai", "anthropic", "ollama"):
        with pytest.raises(Refused) as refused:
            ask("gemini", body, vendor, "m")
        assert said == refused.value.failure.message
    own = ask("gemini", body, "gemini", "gemini-2.5-flash")
    assert (body, set()) == (own.body, own.notes)


def test_a_video_beside_words_is_left_out_with_a_note() -> None:
    for video in (_VIDEO, _file("https://www.youtube.com/watch?v=9hE5"), _file("https://a/v", "video/mp4")):  # fmt: skip
        sent = ask("gemini", {"contents": [_turn({"text": "What?"}, video)]}, "openai", "m")
        assert "What?" in str(sent.body["messages"])
        assert {"inline_data", "file_data"} & {param for _, param in sent.notes}


@pytest.mark.parametrize("parts", [[], [{"text": ""}], [{"text": "Hm.", "thought": True}]])
def test_an_empty_newest_turn_is_no_loss(parts: list[Any]) -> None:
    contents = [_HI, {"role": "model", "parts": parts}]
    assert set() == ask("gemini", {"contents": contents}, "openai-responses", "m").notes - {
        ("dropped", "messages.reasoning")
    }


@pytest.mark.parametrize(
    ("tier", "sent"),
    [("flex", "flex"), ("SERVICE_TIER_PRIORITY", "priority"), ("standard", "default"), ("unspecified", None)],
)  # fmt: skip
def test_a_tier_in_the_words_of_others(tier: str, sent: str | None) -> None:
    asked = {"contents": [_HI], "serviceTier": tier}
    assert sent == ask("gemini", asked, "openai-responses", "m").body.get("service_tier")


def test_a_system_text_that_the_vendor_would_refuse_is_said_in_parts() -> None:
    for key in ("systemInstruction", "system_instruction"):
        sent = ask("gemini", {"contents": [_HI], key: "Be brief."}, "gemini", "m")
        assert {"parts": [{"text": "Be brief."}]} == sent.body[key]


def test_text_alone_is_what_every_vendor_answers() -> None:
    asked = {"contents": [_HI], "generationConfig": {"responseModalities": ["TEXT"]}}
    assert set() == ask("gemini", asked, "openai", "m").notes
