"""`mainstem streams`: what a running proxy has open."""

import argparse
import asyncio
import json
import os
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from proxy.cli import common, local_key
from proxy.cli.plain import columns, in_json, plain
from proxy.net.ports import authority
from proxy.settings.load import load_places
from proxy.settings.model import Settings

_PATH = "/admin/streams"
_KEY = "MAINSTEM_ADMIN_KEY"
_WAIT_S = 10
_COLUMNS = ("id", "state", "age", "key", "model", "upstream", "tokens", "waiting", "worker")
_MAX_CHARS = 40  # of one column


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", does: str) -> None:
    """Add this command to the command line; `does` is its line in the list of commands."""
    parser = commands.add_parser(
        "streams",
        help=does,
        description=(
            "List what a running proxy has open, in all of its workers, the oldest first; or "
            "cancel one stream. The proxy is asked at its admin listener, or where it has none at "
            "its own. On its machine its user and root need nothing else: the key that it has made "
            f"is read from its file. Anybody else gives a key that has admin: true, in ${_KEY}."
        ),
    )
    common.add_config(parser)
    parser.add_argument("--url", help="where to ask, instead of what the configuration says")
    parser.add_argument("--json", action="store_true", help="print JSON, with all that is known")
    parser.add_argument("--cancel", metavar="ID", help="end this stream; its client is told")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    settings = None if options.url else _places_of(options)
    url = (options.url if settings is None else _url_of(settings)).rstrip("/")
    path = _PATH if options.cancel is None else f"{_PATH}/{quote(options.cancel, safe='')}"
    method = "GET" if options.cancel is None else "DELETE"
    status, body = asyncio.run(_asked(method, url + path, _trusted(settings)))
    if status not in (200, 204):
        print(plain(_why(status, body)), file=sys.stderr)
        return 1
    if options.cancel is not None:
        print("cancelled")
    elif options.json:
        print(in_json(body))
    else:
        print(plain("\n".join(_table(json.loads(body)["streams"]))))
    return 0


def _places_of(options: argparse.Namespace) -> Settings:
    """An operator's shell has not the keys that the proxy's environment has."""
    path = Path(options.config) if options.config else None
    return load_places(path, common.environ_of(options))


def _url_of(settings: Settings) -> str:
    place = settings.admin or settings.server
    if place.port == 0:
        raise common.WrongInputError(
            "The port is the system's choice (0), so give --url, as the proxy printed it."
        )
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(place.host, place.host)  # noqa: S104
    scheme = "https" if settings.admin is None and settings.server.tls else "http"
    return f"{scheme}://{authority(host)}:{place.port}"


def _trusted(settings: Settings | None) -> ssl.SSLContext | None:
    """Where the configuration says which certificate the proxy has, that one, by whatever name it
    is asked; else None: whatever the system trusts. Raises WrongInputError.
    """
    if settings is None or settings.admin is not None or settings.server.tls is None:
        return None
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it need not have signed itself
    try:
        made.load_verify_locations(settings.server.tls.cert_file)
    except OSError as error:
        said = f"{settings.server.tls.cert_file} cannot be read ({error}): give --url"
        raise common.WrongInputError(said) from error
    return made


async def _asked(method: str, url: str, trusted: ssl.SSLContext | None) -> tuple[int, str]:
    """Raises WrongInputError when nobody answers."""
    import aiohttp  # noqa: PLC0415  help needs none

    timeout = aiohttp.ClientTimeout(total=_WAIT_S)
    try:
        key = os.environ.get(_KEY) or local_key.found(url)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.request(method, url, ssl=trusted or True) as response,
        ):
            return response.status, await response.text()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        said = str(error) or type(error).__name__
        raise common.WrongInputError(f"No proxy answers at {url}: {said}") from error


def _why(status: int, body: str) -> str:
    try:
        said = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"The proxy answered {status}: is it a Mainstem, and this its address?"
    return f"{said} (Such a key is taken from ${_KEY}.)" if status in (401, 403) else said


def _table(streams: Sequence[dict[str, Any]]) -> list[str]:
    rows = [_COLUMNS, *(_row(each) for each in streams)]
    widths = [max(columns(row[at]) for row in rows) for at in range(len(_COLUMNS))]
    lines = [
        "  ".join(
            cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    return [*lines, f"{len(streams)} open"]


def _row(stream: dict[str, Any]) -> tuple[str, ...]:
    cells = (
        stream["id"],
        stream["state"] if stream["work"] == "stream" else stream["work"],
        f"{stream['age_s']:.1f} s",
        stream["key"] or "-",
        stream["model"] or "-",
        stream["upstream"] or "-",
        f"{'' if stream['counted'] else '~'}{stream['output_tokens']}",
        f"{stream['bytes_waiting']} B",
        str(stream["worker"]),
    )
    return tuple(_plain(cell) for cell in cells)


def _plain(text: str) -> str:
    """A client chose some of it: no control character reaches the terminal."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text)
    return shown if len(shown) <= _MAX_CHARS else f"{shown[: _MAX_CHARS - 3]}..."
