"""Signatures for AWS. The judge is Signature Version 4 written out by hand, which itself must
reproduce what AWS published."""

import builtins
import hashlib
import hmac
from typing import Any
from urllib.parse import quote

import pytest
from yarl import URL

from proxy.codec.base import Outgoing, Signing
from proxy.errors import Refused
from proxy.upstream.client import Endpoint, Upstreams
from proxy.upstream.signing import signed
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ARN = "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Ainference-profile%2Feu.some.model-v1%3A0/converse-stream"
HOST = "https://bedrock-runtime.eu-west-1.amazonaws.com"
SIGN = Signing("bedrock", None, KEY, SECRET, "some-token")
HEADERS = {"content-type": "application/json", "Accept-Encoding": "identity", "x-mine": "1"}


def by_hand(method: str, path: str, headers: dict[str, str], body: bytes, scope: str) -> str:
    """The signature over these headers. `path` is as sent; the standard has it encoded once
    more."""
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    canonical = "\n".join(
        [
            method,
            quote(path, safe="/-_.~"),
            "",
            lines,
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        ]
    )
    to_sign = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            headers["x-amz-date"],
            scope,
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def test_the_hand_reproduces_what_aws_published() -> None:
    """`get-vanilla` of AWS's test suite for Signature Version 4."""
    headers = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"}
    found = by_hand("GET", "/", headers, b"", "20150830/us-east-1/service/aws4_request")
    assert "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" == found


def sent(call: Outgoing, base: str = HOST, **more: str) -> dict[str, str]:
    return signed(call, URL(base + call.path, encoded=True), {**HEADERS, **more})


def judged(headers: dict[str, str], region: str, host: str, path: str, body: bytes) -> None:
    """The authorization is what the hand makes of the same date, token, type, host, path and
    body."""
    scope = f"{headers['x-amz-date'][:8]}/{region}/bedrock/aws4_request"
    covered = {
        name: headers[name]
        for name in ("content-type", "x-amz-date", "x-amz-security-token")
        if name in headers
    }
    signature = by_hand("POST", path, covered | {"host": host}, body, scope)
    names = ";".join(sorted({*covered, "host"}))
    assert (
        f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={names}, Signature={signature}"
        == headers["authorization"]
    )


@pytest.mark.parametrize("path", ["/model/amazon.nova-lite-v1%3A0/converse-stream", ARN])
def test_a_signature_is_that_of_the_standard(path: str) -> None:
    """For the path as it is sent, with the region from the host's name; other headers stay as they
    are."""
    headers = sent(Outgoing(path, b'{"x": 1}', HEADERS, sign=SIGN))
    judged(headers, "eu-west-1", HOST.removeprefix("https://"), path, b'{"x": 1}')
    assert ("identity", "1", "some-token") == (
        headers["accept-encoding"],
        headers["x-mine"],
        headers["x-amz-security-token"],
    )


def test_the_configured_region_goes_before_that_of_the_host() -> None:
    """And a host that the operator's headers name is the one that is signed."""
    call = Outgoing("/x", b"", {}, sign=SIGN._replace(region="ap-south-1", session_token=None))
    judged(sent(call, Host="other.example"), "ap-south-1", "other.example", "/x", b"")


def test_an_authorization_of_the_operators_own_gives_way() -> None:
    """Two of them would be refused."""
    headers = sent(Outgoing("/x", b"", {}, sign=SIGN), Authorization="Bearer x")
    assert [name for name in headers if name.lower() == "authorization"] == ["authorization"]
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 ")


def test_keys_and_region_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the configuration has none."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-environment")
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    headers = sent(Outgoing("/x", b"", {}, sign=Signing("bedrock")), "http://127.0.0.1:9")
    judged(headers, "us-west-2", "127.0.0.1:9", "/x", b"")
    assert "of-the-environment" == headers["x-amz-security-token"]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("sign", "base", "said"),
    [
        (Signing("bedrock", "us-east-1"), HOST, "aws_access_key_id"),
        (Signing("bedrock", "us-east-1", KEY), HOST, "aws_secret_access_key"),
        (SIGN, "https://gateway.example", "options.region"),
    ],
)
def test_what_is_missing_is_said(sign: Signing, base: str, said: str) -> None:
    """One sentence, for the operator."""
    with pytest.raises(Refused, match=said) as refused:
        sent(Outgoing("/x", b"", {}, sign=sign), base)
    assert "internal" == refused.value.failure.kind


def test_half_of_a_configured_key_is_not_filled_up_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They would belong to two accounts."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with pytest.raises(Refused, match="need keys"):
        sent(Outgoing("/x", b"", {}, sign=Signing("bedrock", "us-east-1", KEY)))


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("botocore"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Refused, match=r"pip install mainstem\[bedrock\]"):
        sent(Outgoing("/x", b"", {}, sign=SIGN))


def test_a_request_that_is_not_to_be_signed_stays_as_it_is() -> None:
    """Names of headers too."""
    assert HEADERS == sent(Outgoing("/x", b"", {}))


async def test_what_is_signed_is_what_is_sent() -> None:
    """The request line, the host and the headers on the wire are those of the signature."""
    heads: list[bytes] = []

    async def script(peer: Peer) -> None:
        heads.append(await peer.request())
        peer.write(CHUNKED + LAST_CHUNK)
        await peer.left()

    async with raw_upstream(script) as url:
        upstreams = Upstreams()
        call = Outgoing(
            ARN,
            b'{"y": 2}',
            {"content-type": "application/json"},
            sign=SIGN._replace(region="eu-west-1"),
        )
        answer = await upstreams.open(Endpoint("far", url, None, {}, 2.0), call)
        answer.close()
        await upstreams.close()
    line, *rest = heads[0].decode().split("\r\n")
    headers = {
        name.lower(): value for name, _, value in (one.partition(": ") for one in rest if one)
    }
    assert f"POST {ARN} HTTP/1.1" == line
    judged(headers, "eu-west-1", headers["host"], ARN, b'{"y": 2}')
