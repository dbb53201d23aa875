"""What Replicate sends, as far as it is used."""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.failures import Told, text_of

NAME = "replicate"
_FAILED = ("failed", "canceled", "aborted")


class Urls(msgspec.Struct):
    """`stream` is absent where the model cannot stream."""

    stream: str | None = None


class Prediction(msgspec.Struct):
    """The answer to the request."""

    urls: Urls | None = None


class Done(msgspec.Struct):
    """The data of the last event: `{}` after a whole answer. Known reasons: `canceled`, `error`."""

    reason: str | None = None


def error_of(document: Mapping[str, Any]) -> Told | None:
    """A problem document (RFC 9457), `{title, detail, status}`; or a prediction that has failed:
    `{status: "failed", error}`.
    """
    status = document.get("status")
    if status in _FAILED:
        return Told(
            text_of(document, "error") or f"Replicate's prediction is {status}.", str(status)
        )
    message = text_of(document, "detail", "title")
    return Told(message, None, status if type(status) is int else None) if message else None
