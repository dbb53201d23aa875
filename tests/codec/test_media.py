"""Media: what a URL holds, and where it may stand."""

import pytest

from proxy.codec.media import (
    BEHIND,
    CITATIONS_LOST,
    DETAIL_LOST,
    Data,
    data_of,
    data_url,
    is_web,
    media_behind,
    media_notes,
    text_of,
    true_picture,
)
from proxy.events import Note
from proxy.request import (
    DocumentPart,
    ImagePart,
    Message,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

PICTURE = ImagePart("data:image/png;base64,iVBORw==")
PAPER = DocumentPart("data:application/pdf;base64,JVBERg==")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("data:image/png;base64,iVBORw==", Data("image/png", "iVBORw==")),
        ("DATA:Application/PDF;base64,JVBERg==", Data("application/pdf", "JVBERg==")),
        ("data:text/plain;charset=utf-8;base64,aGk=", Data("text/plain", "aGk=")),
        ("data:text/plain,hi", None),
        ("data:;base64,aGk=", None),
        ("data:image/png;base64,", None),
        ("https://a.test/b.png", None),
    ],
)
def test_a_data_url_is_read(url: str, expected: Data | None) -> None:
    assert expected == data_of(url)


def test_a_data_url_is_made() -> None:
    assert Data("image/png", "AA==") == data_of(data_url("image/png", "AA=="))


def test_what_a_vendor_can_fetch() -> None:
    assert [True, True, False] == [
        is_web(url) for url in ("http://a.test", "https://a.test", "file:///etc/passwd")
    ]


def test_media_of_results_stand_behind_the_last_result_of_the_turn() -> None:
    """Each with the call that it belongs to; the results keep their text."""
    notes: list[Note] = []
    calls = Message("assistant", [ToolCallPart("1", "f"), ToolCallPart("2", "f")])
    first = Message("tool", [ToolResultPart("1", [TextPart("here"), PICTURE])])
    second = Message("tool", [ToolResultPart("2", [PAPER], is_error=True)])
    after = Message("user", "and?")
    assert [
        calls,
        Message("tool", [ToolResultPart("1", "here")]),
        Message("tool", [ToolResultPart("2", "(see below)", is_error=True)]),
        Message(
            "user",
            [
                TextPart("From the result of the tool call 1:"),
                PICTURE,
                TextPart("From the result of the tool call 2:"),
                PAPER,
            ],
        ),
        after,
    ] == media_behind([calls, first, second, after], notes)
    assert [BEHIND] == notes


def test_only_what_may_not_stay_in_a_result_moves() -> None:
    results = [ToolResultPart("1", [PICTURE, PAPER]), ToolResultPart("2", [PAPER])]
    notes: list[Note] = []
    moved = media_behind([Message("tool", [*results])], notes, lambda part: part == PAPER)
    assert [
        Message("tool", [ToolResultPart("1", [PAPER]), results[1]]),
        Message("user", [TextPart("From the result of the tool call 1:"), PICTURE]),
    ] == moved


def test_what_is_lost_beside_media_that_arrive() -> None:
    parts = [
        ImagePart(PICTURE.url, "high"),
        DocumentPart("data:text/plain;base64,aGk=", citations=True),
    ]
    assert [DETAIL_LOST, CITATIONS_LOST] == list(media_notes(parts, images=True))


def test_a_text_that_is_none() -> None:
    """No base64, or no UTF-8."""
    assert [None, None, "hi"] == [
        text_of(DocumentPart(f"data:text/plain;base64,{data}")) for data in ("?", "/w==", "aGk=")
    ]


def test_results_without_media_stay_the_same_list() -> None:
    turns = [Message("tool", [ToolResultPart("1", "x")])]
    notes: list[Note] = []
    assert turns is media_behind(turns, notes)
    assert [] == notes


@pytest.mark.parametrize(
    ("url", "true"),
    [
        ("data:image/jpeg;base64,iVBORw0KGgoAAA", "data:image/png;base64,iVBORw0KGgoAAA"),
        ("data:application/octet-stream;base64,/9j/4AAQ", "data:image/jpeg;base64,/9j/4AAQ"),
        ("data:image/png;base64,R0lGODlhAQAB", "data:image/gif;base64,R0lGODlhAQAB"),
        (
            "data:image/png;base64,UklGRiQAAABXRUJQVlA4",
            "data:image/webp;base64,UklGRiQAAABXRUJQVlA4",
        ),
        ("data:image/png;base64,iVBORw0KGgo\nAAA\r\n", "data:image/png;base64,iVBORw0KGgoAAA"),
        ("data:image/x;base64,AA AA", "data:image/x;base64,AAAA"),
    ],
)
def test_a_picture_is_said_to_be_what_it_is(url: str, true: str) -> None:
    assert true == true_picture(url)
    assert true_picture(true) is true


@pytest.mark.parametrize(
    "url", ["https://a.test/b.jpg", "data:image/svg+xml;base64,PHN2Zy8+", "data:,hi"]
)
def test_what_is_not_known_stays_the_very_same(url: str) -> None:
    assert true_picture(url) is url
