"""Pictures of kinds that a vendor does not take are left out with a note, or the request is refused
where they are all that is said.
"""

from typing import Any

import pytest

from proxy.errors import Refused
from tests.dialects.asking import Asked, ask

_LOST = ("dropped", "messages.image_url")
_FOUR = ("png", "jpg", "gif", "webp")
_TAKEN = {
    "openai": _FOUR,
    "openai-responses": _FOUR,
    "anthropic": _FOUR,
    "bedrock": _FOUR,
    "cohere": _FOUR,
    "mistral": _FOUR,
    "gemini": ("png", "jpg", "webp", "heic"),
    "xai": ("png", "jpg"),
    "vllm": (*_FOUR, "bmp", "heic"),  # it has no list
}


def _picture(kind: str) -> dict[str, Any]:
    return {"inlineData": {"mimeType": f"image/{kind}", "data": "aGVsbG8="}}


def _ask(vendor: str, *parts: Any) -> Asked:
    """From a Gemini client; to Gemini from one of OpenAI's."""
    if vendor != "gemini":
        return ask("gemini", {"contents": [{"role": "user", "parts": list(parts)}]}, vendor, "m")
    content = [_as_openai(part) for part in parts]
    body = {"model": "m", "messages": [{"role": "user", "content": content}]}
    return ask("openai_chat", body, vendor, "m")


def _as_openai(part: Any) -> dict[str, Any]:
    if "text" in part:
        return {"type": "text", **part}
    data = part["inlineData"]
    url = f"data:{data['mimeType']};base64,{data['data']}"
    return {"type": "image_url", "image_url": {"url": url}}


@pytest.mark.parametrize("kind", ["png", "jpg", "gif", "heic", "bmp"])
@pytest.mark.parametrize("vendor", [*_TAKEN])
def test_a_picture_goes_where_its_kind_is_taken(vendor: str, kind: str) -> None:
    """Elsewhere the text beside it goes alone."""
    sent = _ask(vendor, {"text": "So?"}, _picture(kind))
    taken = kind in _TAKEN[vendor]
    assert "So?" in str(sent.body)
    assert (taken, not taken) == ("aGVsbG8=" in str(sent.body), _LOST in sent.notes)


@pytest.mark.parametrize("vendor", ["openai", "anthropic", "bedrock", "gemini"])
def test_a_picture_alone_of_no_kind_that_is_taken_is_refused(vendor: str) -> None:
    """Without it the vendor would answer an earlier turn."""
    with pytest.raises(Refused) as caught:
        _ask(vendor, _picture("bmp"))
    assert "messages" == caught.value.failure.param


def test_the_vendor_of_the_dialect_itself_judges_its_pictures() -> None:
    """What its client wrote goes to it unchanged."""
    parts = [{"text": "So?"}, _picture("bmp")]
    sent = ask("gemini", {"contents": [{"role": "user", "parts": parts}]}, "gemini", "m")
    assert parts == sent.body["contents"][0]["parts"]


@pytest.mark.parametrize("vendor", ["openai", "gemini", "bedrock"])
@pytest.mark.parametrize("beside", [[], [{"type": "text", "text": "seen"}]])
def test_a_result_goes_without_its_picture(vendor: str, beside: list[dict[str, str]]) -> None:
    """The vendor wants a result for each call."""
    source = {"type": "base64", "media_type": "image/bmp", "data": "aGVsbG8="}
    content = [*beside, {"type": "image", "source": source}]
    turns: list[tuple[str, Any]] = [
        ("user", "look"),
        ("assistant", [{"type": "tool_use", "id": "c1", "name": "look", "input": {}}]),
        ("user", [{"type": "tool_result", "tool_use_id": "c1", "content": content}]),
    ]
    messages = [{"role": role, "content": said} for role, said in turns]
    sent = ask("anthropic", {"model": "m", "max_tokens": 9, "messages": messages}, vendor, "m")
    assert _LOST in sent.notes
    assert "aGVsbG8=" not in str(sent.body)
    assert bool(beside) == ("seen" in str(sent.body))
    assert len(messages) == len(sent.body.get("messages") or sent.body["contents"])
