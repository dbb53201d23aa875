"""A login service for tests: signs tokens with real keys, and publishes them as a JWK set."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, NamedTuple

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ISSUER, AUDIENCE = "https://login.example", "mainstem"
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Made once for each number, as making one takes long."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def ed_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def public(key: Private, kid: str | None, **more: Any) -> dict[str, Any]:
    """The public half, as a JWK set lists it."""
    kind = {rsa.RSAPrivateKey: "RS256", ec.EllipticCurvePrivateKey: "ES256"}
    algorithm = next((name for type_, name in kind.items() if isinstance(key, type_)), "EdDSA")
    jwk = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    return {**jwk, **({} if kid is None else {"kid": kid}), **more}


def key_set(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def claims(**changed: Any) -> dict[str, Any]:
    """Those of a good token, with these changes; what is None is left out."""
    now = int(time.time())
    good = {"sub": "ann", "iss": ISSUER, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 600}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def token(
    key: Private | None = None, algorithm: str = "RS256", kid: str | None = "a", **changed: Any
) -> str:
    return jwt.encode(
        claims(**changed), key or rsa_key(), algorithm, headers={} if kid is None else {"kid": kid}
    )


def raw_token(header: Any, payload: Any, signature: bytes = b"") -> str:
    """A token of which nothing need be right."""
    parts = (
        *(
            part if isinstance(part, bytes) else json.dumps(part).encode()
            for part in (header, payload)
        ),
        signature,
    )
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


class Published(NamedTuple):
    """What the service answers next, and what it was asked; `begun` is set by a question. `hold`
    keeps its answers back."""

    url: str
    answer: list[web.Response | bytes]
    asked: list[str]
    begun: asyncio.Event
    hold: asyncio.Event


@asynccontextmanager
async def publishing(document: bytes) -> AsyncIterator[Published]:
    published = Published("", [document], [], asyncio.Event(), asyncio.Event())
    published.hold.set()

    async def answer(request: web.Request) -> web.Response:
        published.asked.append(request.path)
        published.begun.set()
        await published.hold.wait()
        said = published.answer[0]
        return (
            web.Response(body=said, content_type="application/json")
            if isinstance(said, bytes)
            else said
        )

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield published._replace(url=f"http://127.0.0.1:{runner.addresses[0][1]}/jwks.json")
    finally:
        published.hold.set()
        await runner.cleanup()
