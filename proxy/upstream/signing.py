"""Signs requests to AWS: Signature Version 4, by botocore. Part of the shell beside `upstream`, as
a signature holds the time.

botocore is an extra that few need (`pip install mainstem[bedrock]`), so it is imported by the first
request that is to be signed.
"""

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from yarl import URL

from proxy.codec.base import Outgoing, Signing
from proxy.errors import Refused, failure

# The region stands in the names of AWS's own endpoints: bedrock-runtime.eu-west-1.amazonaws.com,
# private ones too.
_REGION_IN_HOST = re.compile(r"\.([a-z]{2,3}(?:-[a-z]+)+-\d+)\.")
# What else the headers say (accept-encoding, ...) is for proxies on the way, which may change it.
_SIGNED = ("content-type", "host")
_SIGNED_PREFIX = "x-amz-"


class _Keys(NamedTuple):
    access_key_id: str
    secret_access_key: str
    session_token: str | None


def signed(call: Outgoing, url: URL, headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers of a request that asks to be signed, with its signature; one that does not ask
    keeps its own.

    Keys and region that the configuration does not give are those of the environment:
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION. Raises Refused
    (`internal`) where they, or the library, are missing.
    """
    if call.sign is None:
        return headers
    try:
        from botocore.auth import SigV4Auth  # noqa: PLC0415  see above
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.credentials import Credentials  # noqa: PLC0415
    except ImportError as error:
        raise _refused(
            "Requests to AWS cannot be signed: pip install mainstem[bedrock], or give the "
            "upstream an api_key."
        ) from error
    keys, region = _keys(call.sign), _region(call.sign, url)
    lower = {name.lower(): value for name, value in headers.items()}
    covered = {
        name: value
        for name, value in lower.items()
        if name in _SIGNED or name.startswith(_SIGNED_PREFIX)
    }
    request = AWSRequest(method=call.method, url=str(url), data=call.body, headers=covered)
    SigV4Auth(Credentials(*keys), call.sign.service, region).add_auth(request)
    return lower | {name.lower(): value for name, value in request.headers.items()}


def _keys(sign: Signing) -> _Keys:
    """The configured keys, or else those of the environment; never half of each."""
    if sign.access_key_id is not None or sign.secret_access_key is not None:
        found = (sign.access_key_id, sign.secret_access_key, sign.session_token)
    else:
        env = os.environ.get
        found = (env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"), env("AWS_SESSION_TOKEN"))
    key, secret, token = found
    if not key or not secret:
        raise _refused(
            "Requests to AWS need keys: set options.aws_access_key_id and "
            "options.aws_secret_access_key of the upstream, or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or give it an api_key."
        )
    return _Keys(key, secret, token or None)


def _region(sign: Signing, url: URL) -> str:
    in_host = _REGION_IN_HOST.search(url.host or "")
    env = os.environ.get
    found = (
        sign.region
        or (in_host[1] if in_host else None)
        or env("AWS_REGION")
        or env("AWS_DEFAULT_REGION")
    )
    if not found:
        raise _refused(
            "Requests to AWS need a region: set options.region of the upstream, or AWS_REGION "
            "in the environment."
        )
    return found


def _refused(message: str) -> Refused:
    return Refused(failure("internal", message))
