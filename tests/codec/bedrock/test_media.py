"""Media as Converse takes them."""

from typing import Any

import pytest

from proxy.codec.bedrock.media import document_block, image_block
from proxy.events import Note
from proxy.request import DocumentPart, ImagePart


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
