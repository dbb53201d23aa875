"""The documents of a whole request: names and number."""

from base64 import b64encode
from typing import Any

import pytest

from proxy.codec.bedrock.documents import fit_documents
from proxy.events import Note
from tests.dialects.asking import ask

_LOST = "messages.document"


def _document(name: str, form: str = "pdf", data: bytes | None = b"hi") -> dict[str, Any]:
    source = {"s3Location": {"uri": "s3://b/a"}} if data is None else _bytes(data)
    return {"document": {"format": form, "name": name, "source": source}}


def _bytes(data: bytes) -> dict[str, str]:
    return {"bytes": b64encode(data).decode()}


def test_documents_of_one_name_are_told_apart() -> None:
    """The service refuses two of one name in a request, those of tools' results among them."""
    blocks = [_document(name) for name in ["a", "a", "document", "a (2)"]]
    result = {"toolResult": {"toolUseId": "c", "content": [{"text": "x"}, _document("a")]}}
    notes: list[Note] = []
    fit_documents([{"role": "user", "content": [*blocks, result]}], notes)
    names = [block["document"]["name"] for block in blocks]
    assert ["a", "a (2)", "document", "a (2) (2)"] == names
    assert "a (3)" == result["toolResult"]["content"][1]["document"]["name"]  # type: ignore[index]
    assert [] == notes


@pytest.mark.parametrize(
    ("document", "text", "how"),
    [
        (_document("a"), "(The document a is left out here.)", "dropped"),
        (_document("a", "md", "é".encode()), "a:\né", "changed"),
        (_document("a", "txt", b"\xff"), "(The document a is left out here.)", "dropped"),
        (_document("a", "txt", None), "(The document a is left out here.)", "dropped"),
    ],
)
def test_of_more_than_five_the_newest_stay(document: Any, text: str, how: str) -> None:
    """An earlier one that is a text is said as such."""
    held = [document]
    result = {"toolResult": {"toolUseId": "c", "content": held}}
    newest = [_document(str(number)) for number in range(5)]
    notes: list[Note] = []
    fit_documents(
        [{"role": "user", "content": [result]}, {"role": "user", "content": newest}], notes
    )
    assert [{"text": text}] == held
    assert all("document" in block for block in newest)
    assert [(how, _LOST)] == [(note.note, note.param) for note in notes]


def test_a_client_of_another_dialect_with_seven_documents() -> None:
    """Two of them are named in words, and the request is taken."""
    url = "data:application/pdf;base64,aGk="
    files = [{"type": "file", "file": {"filename": "a", "file_data": url}} for _ in range(7)]
    body = {"model": "m", "messages": [{"role": "user", "content": files}]}
    sent = ask("openai_chat", body, "bedrock", "m")
    blocks = sent.body["messages"][0]["content"]
    assert ["text"] * 2 + ["document"] * 5 == [next(iter(block)) for block in blocks]
    assert ("dropped", _LOST) in sent.notes
