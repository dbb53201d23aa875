"""Yiyan's errors: `{code, msg}` with a code that is not 0, in an event or, as JSON, in place of the
stream.
"""

from collections.abc import Mapping

from proxy.codec.failures import http_failure, read_error
from proxy.errors import Failure, failure

_SHOWN_CHARS = 300


def code_failure(code: int | str, message: str | None) -> Failure:
    """The codes' meanings are not known: the vendor's words are all there is."""
    said = message[:_SHOWN_CHARS] if message else "no message"
    return failure("upstream_error", f"Yiyan answered with error {code}: {said}", code=str(code))


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """HTTP errors, and the JSON that stands under 200 where a stream was expected."""
    if status >= 400:
        return http_failure(status, headers, body)
    said = read_error(body)
    code = said.document.get("code") if said.document is not None else None
    return code_failure(code, said.message) if isinstance(code, int) and code != 0 else None
