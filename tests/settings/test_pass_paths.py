"""Patterns of paths that are passed on."""

import pytest
from pydantic import TypeAdapter, ValidationError

from proxy.settings.pass_paths import PassPath, passes

PATTERN = TypeAdapter(PassPath)


@pytest.mark.parametrize(
    ("pattern", "method", "path", "expected"),
    [
        ("*", "DELETE", "/any/thing", True),
        ("/embeddings", "POST", "/embeddings", True),
        ("/embeddings", "POST", "/embeddings/x", False),
        ("/embeddings", "POST", "/v1/embeddings", False),
        ("/files*", "GET", "/files/f1/content", True),
        ("GET /files*", "GET", "/files", True),
        ("GET /files*", "DELETE", "/files", False),
        ("POST *", "POST", "/x", True),
        ("POST *", "GET", "/x", False),
    ],
)
def test_a_pattern_matches(pattern: str, method: str, path: str, expected: bool) -> None:
    assert expected == passes([PATTERN.validate_python(pattern)], method, path)


@pytest.mark.parametrize("pattern", ["", "files", "get /files", "/a b", "/[a-z]", "/a?b", "GET"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="which is none"):
        PATTERN.validate_python(pattern)
