"""How a model is called: its path, and the key or the signature that goes with the request.

Options of both dialects: `region`, `aws_access_key_id`, `aws_secret_access_key`,
`aws_session_token`. Where they are not given, the signature takes them from the environment (see
`proxy/upstream/signing.py`). An upstream with an `api_key`, a Bedrock API key, is not signed.
"""

from typing import Any
from urllib.parse import quote

import msgspec

from proxy.codec.base import JSON, Outgoing, Signing, TargetConfig
from proxy.events import Note
from proxy.request import ChatRequest

_SERVICE = "bedrock"


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is configured of an AWS account."""

    region: str | None = None
    aws_access_key_id: str | None = None
    aws_secret_access_key: str | None = None
    aws_session_token: str | None = None


def model_of(request: ChatRequest, target: TargetConfig) -> str:
    """The model's id, or the ARN of an inference profile and the like."""
    return target.model or request.model


def model_path(model: str, operation: str) -> str:
    """The path of an operation on a model. An ARN has slashes and colons: it is one segment all the
    same.
    """
    return f"/model/{quote(model, safe='')}/{operation}"


def called(
    path: str, body: dict[str, Any], api_key: str | None, options: Options, notes: list[Note]
) -> Outgoing:
    """The request for a stream, with the key, or to be signed where there is none."""
    headers = {"content-type": JSON, "accept": "application/vnd.amazon.eventstream"}
    if api_key is not None:
        headers["authorization"] = f"Bearer {api_key}"
    return Outgoing(
        path,
        msgspec.json.encode(body),
        headers,
        tuple(notes),
        sign=_signing(options) if api_key is None else None,
    )


def _signing(options: Options) -> Signing:
    return Signing(
        _SERVICE,
        options.region,
        options.aws_access_key_id,
        options.aws_secret_access_key,
        options.aws_session_token,
    )
