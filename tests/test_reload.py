"""Reading the configuration again: when, how often, and what a bad one changes."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from proxy.mock.script import MockError
from proxy.observe.metrics import make_metrics
from proxy.reload import LOST, Reloader
from proxy.settings.files import Files
from proxy.settings.load import load
from proxy.settings.mistakes import ConfigError
from proxy.settings.model import Settings

LOOK_S = 0.02
SERVER = f"server: {{reload_check_s: {LOOK_S}}}\n"
GOOD = SERVER + "upstreams: {%s: {dialect: plain, mock: {}}}\nmodels: {m: [{upstream: %s}]}\n"


class Scene:
    """A configuration file, and what becomes of it."""

    def __init__(self, folder: Path, text: str) -> None:
        self.file = folder / "mainstem.yaml"
        self.file.write_text(text)
        self.metrics = make_metrics()
        self.adopted: list[Settings] = []
        self.read = 0  # how often
        self.fault: Exception | None = None  # raised by the next adoption
        files = Files()
        self.reloader = Reloader(self._load(files), files, self._load, self._adopt, self.metrics)

    def _load(self, files: Files) -> Settings:
        self.read += 1
        return load(self.file, {}, files)

    async def _adopt(self, settings: Settings) -> None:
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        self.adopted.append(settings)

    def count(self, result: str) -> float:
        return (
            self.metrics.registry.get_sample_value(
                "mainstem_config_reloads_total", {"result": result}
            )
            or 0
        )

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():  # noqa: ASYNC110  a thread makes it true
                await asyncio.sleep(LOOK_S / 2)

    async def looked(self, times: int = 4) -> None:
        """Until its files have been looked at so often."""
        looks, files = 0, self.reloader._files

        def changed(look: Callable[[], bool] = files.changed) -> bool:
            nonlocal looks
            looks += 1
            return look()

        files.changed = changed  # type: ignore[method-assign]
        await self.until(lambda: looks >= times)
        assert files is self.reloader._files, "it was read meanwhile"


@asynccontextmanager
async def scene(folder: Path, text: str = GOOD % ("a", "a")) -> AsyncIterator[Scene]:
    made = Scene(folder, text)
    task = asyncio.create_task(made.reloader.run())
    try:
        yield made
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task])


def upstreams(settings: Settings) -> list[str]:
    return list(settings.upstreams)


async def test_a_changed_file_is_read_and_one_that_has_not_changed_is_not(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        await it.looked()
        assert 1 == it.read
        it.file.write_text(GOOD % ("b", "b"))
        await it.until(lambda: it.count("ok") == 1)
        assert [["b"]] == [upstreams(settings) for settings in it.adopted]
        assert it.adopted[-1] is it.reloader.settings
        await it.looked()
        assert 2 == it.read


async def test_a_key_file_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("first")
    text = (
        SERVER
        + 'upstreams: {a: {dialect: anthropic, base_url: "https://x", api_key_file: key}}\nmodels: {m: [{upstream: a}]}\n'
    )
    async with scene(tmp_path, text) as it:
        (tmp_path / "key").write_text("second")
        await it.until(lambda: it.count("ok") == 1)
        assert "second" == it.adopted[-1].upstreams["a"].key()


@pytest.mark.parametrize("text", ["sever: {}", "a: [", GOOD % ("a", "nobody")])
async def test_a_bad_file_is_said_once_and_changes_nothing_until_it_is_mended(
    tmp_path: Path, text: str
) -> None:
    async with scene(tmp_path) as it:
        before = it.reloader.settings
        with capture_logs() as lines:
            it.file.write_text(text)
            await it.until(lambda: it.count("failed") == 1)
            await it.looked()
        assert ["configuration not reloaded: nothing was changed"] == [
            line["event"] for line in lines
        ]
        assert lines[0]["problems"][0].startswith(str(it.file))
        assert (before, []) == (it.reloader.settings, it.adopted)
        it.file.write_text(GOOD % ("c", "c"))
        await it.until(lambda: it.count("ok") == 1)
        assert ["c"] == upstreams(it.reloader.settings)
        assert 1 == it.count("failed")


async def test_a_missing_key_file_is_waited_for(tmp_path: Path) -> None:
    """The configuration that names it is bad until it is there; then its coming is the change."""
    async with scene(tmp_path) as it:
        it.file.write_text(
            SERVER
            + 'upstreams: {a: {dialect: anthropic, base_url: "https://x", api_key_file: new}}\nmodels: {m: [{upstream: a}]}'
        )
        await it.until(lambda: it.count("failed") == 1)
        (tmp_path / "new").write_text("secret")
        await it.until(lambda: it.count("ok") == 1)


@pytest.mark.parametrize(
    "text", ["", "# all gone\n", "upstreams: {}\nmodels: {}\n", "upstreams:\nmodels:\n"]
)
async def test_a_file_that_has_lost_its_upstreams_is_refused(tmp_path: Path, text: str) -> None:
    async with scene(tmp_path) as it:
        with capture_logs() as lines:
            it.file.write_text(text)
            await it.until(lambda: it.count("failed") == 1)
        assert [[LOST]] == [line["problems"] for line in lines]
        assert [] == it.adopted


@pytest.mark.parametrize(
    "text", ["upstreams: {a: {dialect: plain, mock: {}}}", "models: {m: [{upstream: a}]}"]
)
async def test_so_is_one_that_has_lost_half_of_them(tmp_path: Path, text: str) -> None:
    async with scene(tmp_path) as it:
        it.file.write_text(text)
        await it.until(lambda: it.count("failed") == 1)
        assert [] == it.adopted


async def test_what_began_with_the_embedded_mock_may_gain_upstreams_but_not_lose_them_again(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, SERVER) as it:
        it.file.write_text(SERVER + "logs: {level: error}")
        await it.until(lambda: it.count("ok") == 1)
        it.file.write_text(GOOD % ("a", "a"))
        await it.until(lambda: it.count("ok") == 2)
        it.file.write_text(SERVER)
        await it.until(lambda: it.count("failed") == 1)
        assert ["a"] == upstreams(it.reloader.settings)


async def test_a_file_that_is_gone_for_a_moment_is_no_error(tmp_path: Path) -> None:
    it = Scene(tmp_path, GOOD % ("a", "a"))
    looks = [await it.reloader._changed()]
    aside = it.file.rename(tmp_path / "aside")
    looks.append(await it.reloader._changed())
    aside.rename(it.file)
    looks.append(await it.reloader._changed())
    assert [False] * 3 == looks
    if await it.reloader._changed():  # a file system may count a renaming as a change
        await it.reloader.reload()
    assert 0 == it.count("failed")


async def test_with_0_it_is_read_only_when_asked(tmp_path: Path) -> None:
    async with scene(tmp_path, GOOD.replace(str(LOOK_S), "0") % ("a", "a")) as it:
        looks = 0

        def changed() -> bool:
            nonlocal looks
            looks += 1
            return True

        it.reloader._files.changed = changed  # type: ignore[method-assign]
        await asyncio.sleep(0.1)
        assert (0, 1) == (looks, it.read)
        it.reloader.ask()
        await it.until(lambda: it.count("ok") == 1)


async def test_those_who_ask_while_it_is_read_get_one_more_reading_between_them(
    tmp_path: Path,
) -> None:
    """So that the newest file wins, and a storm of signals is no work."""
    async with scene(tmp_path) as it:
        reading, go = threading.Event(), threading.Event()
        fast = it.reloader._load

        def slow(files: Files) -> Settings:
            reading.set()
            assert go.wait(10)
            return fast(files)

        it.reloader._load = slow
        it.reloader.ask()
        await it.until(reading.is_set)
        for _ in range(20):
            it.reloader.ask()
        go.set()
        await it.until(lambda: it.count("ok") == 2)
        await it.looked()
        assert 2 == it.count("ok")


@pytest.mark.parametrize(
    "fault",
    [
        MockError("it cannot be played"),
        OSError("no port"),
        ConfigError(["no"]),
        KeyError("a defect"),
    ],
)
async def test_what_cannot_be_adopted_changes_nothing_and_ends_nothing(
    tmp_path: Path, fault: Exception
) -> None:
    async with scene(tmp_path) as it:
        before, it.fault = it.reloader.settings, fault
        it.reloader.ask()
        await it.until(lambda: it.count("failed") == 1)
        assert before is it.reloader.settings
        it.reloader.ask()
        await it.until(lambda: it.count("ok") == 1)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (
            "server: {port: 9, request_body_s: 3, drain_s: 3}",
            [["server.port", "server.request_body_s"]],
        ),
        ("server: {workers: 2}\nadmin: {port: 9}", [["server.workers", "admin"]]),
        ("server: {drain_s: 3}", []),
        ("logs: {level: error}", []),
        ("streams: {resume: {keep_s: 5}}", []),
        ("streams: {resume: {store: 'redis://x'}}", [["streams.resume.store"]]),
    ],
)
async def test_what_needs_a_restart_is_said_by_name(tmp_path: Path, more: str, named: Any) -> None:
    async with scene(tmp_path) as it:
        it.file.write_text((GOOD % ("a", "a")).replace(SERVER, "") + more)
        with capture_logs() as lines:
            it.reloader.ask()
            await it.until(lambda: it.count("ok") == 1)
        warnings = [line for line in lines if line["log_level"] == "warning"]
        assert named == [line["settings"] for line in warnings]
        by_itself = "port" not in more  # as a process of many would do it
        assert [by_itself] * len(named) == [
            "With server.workers over 1" in line["remedy"] for line in warnings
        ]
