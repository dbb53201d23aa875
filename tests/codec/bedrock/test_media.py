"""Media as Converse takes them."""

from typing import Any

import pytest

from proxy.codec.bedrock.media import document_block, image_block
from proxy.codec.bedrock.turns import Talk
from proxy.codec.rules import NO_RULES
from proxy.events import Note
from proxy.request import AudioPart, ChatRequest, DocumentPart, ImagePart, Message, TextPart


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("s3://bucket/a.pdf", "pdf"),
        ("s3://bucket/a.exe", None),
        ("data:application/pdf;base64,aGk=", "pdf"),
        ("data:application/pdf;base64,?", None),
        ("data:text/x-log;base64,aGk=", "txt"),
        ("data:application/zip;base64,aGk=", None),
        ("https://a.test/a.pdf", None),
    ],
)
def test_documents_of_the_kinds_that_are_read(url: str, form: str | None) -> None:
    """By their data or from S3; of any other a note says that it is lost."""
    notes: list[Note] = []
    block = document_block(DocumentPart(url), notes)
    assert form == (None if block is None else block["document"]["format"])
    assert ["messages.document"] * (form is None) == [note.param for note in notes]


def test_a_picture_from_s3_has_no_detail() -> None:
    notes: list[Note] = []
    block: dict[str, Any] | None = image_block(ImagePart("s3://b/a.png", "high"), "at", notes)
    source = {"s3Location": {"uri": "s3://b/a.png"}}
    assert {"image": {"format": "png", "source": source}} == block
    assert ["messages.image_url.detail"] == [note.param for note in notes]


def test_system_texts_before_the_first_turn_and_sound() -> None:
    """The former are the system's, the latter is lost."""
    notes: list[Note] = []
    turns = [
        Message("system", [TextPart("Be brief.")]),
        Message("user", [TextPart("a"), AudioPart("data:audio/wav;base64,aGk=")]),
    ]
    talk = Talk(ChatRequest(model="m", messages=turns), NO_RULES, notes)
    assert ([{"text": "Be brief."}], [{"role": "user", "content": [{"text": "a"}]}]) == (
        talk.system,
        talk.messages,
    )
    assert ["messages.audio"] == [note.param for note in notes]
