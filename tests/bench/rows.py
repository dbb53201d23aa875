"""The rows of the table: each proxy on each path, one after the other."""

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import rivals
from tests.bench.measure import Measurement, Row, Scale, Way
from tests.bench.proxies import (
    Proxy,
    Served,
    client_path,
    mainstem,
    mainstem_config,
    nginx,
    passed_path,
)
from tests.needs import path_of

# (client dialect, upstream dialect)
PATHS = (("native", "openai_chat"), ("openai_chat", "anthropic"), ("openai_chat", "openai_chat"))
DIRECT_WINDOW_S = 3.0


class Bench:
    """A run: its folder, its scale and the vendor's port."""

    def __init__(
        self, folder: Path, scale: Scale, upstream_port: int, say: Callable[[str], None]
    ) -> None:
        self.folder = folder
        self.say = say
        self.log = folder / "bench.log"
        self.scale = scale
        self.upstream_port = upstream_port
        self.modes = scale.mode_paths()

    def passing(self, dialect: str) -> Way:
        """Through something that passes bytes on: the client speaks the vendor's own dialect, to
        the vendor's own paths."""
        return Way(dialect, lambda mode: passed_path(dialect, self.modes[mode]), lambda mode: mode)

    def measurement(
        self, row: Row, proxy: Proxy, way: Way, *, accounted: bool = True
    ) -> Measurement:
        return Measurement(
            row, proxy, way, self.upstream_port, scale=self.scale, log=self.log, accounted=accounted
        )

    def direct(self) -> Row:
        """What the harness itself takes: clients straight at the vendor."""
        self.say("no proxy ...")
        row = Row("no proxy", "openai_chat", "none")
        scale = self.scale._replace(window_s=min(DIRECT_WINDOW_S, self.scale.window_s))
        bench = Bench(self.folder, scale, self.upstream_port, self.say)
        bench.measurement(
            row, Proxy(self.upstream_port, 0), bench.passing("openai_chat"), accounted=False
        ).paced()
        return row

    def mainstem(self, client: str, dialect: str) -> Row:
        self.say(f"Mainstem, {dialect} -> {client} ...")
        row = Row(f"Mainstem  {dialect} -> {client}", dialect, "mainstem")
        config = mainstem_config(
            self.upstream_port, {mode: Served(dialect, path) for mode, path in self.modes.items()}
        )
        with mainstem(config, self.folder, self.log) as proxy:
            return self.measurement(
                row, proxy, Way(client, lambda mode: client_path(client, mode), lambda mode: mode)
            ).all()

    def nginx(self, dialect: str) -> Row:
        self.say(f"nginx, {dialect} passed through ...")
        row = Row(f"nginx     {dialect} passed through", dialect, "nginx")
        with nginx(self.upstream_port, self.folder, self.log) as proxy:
            return self.measurement(row, proxy, self.passing(dialect)).all()

    def envoy(self, program: Path, dialect: str) -> Row:
        self.say(f"Envoy, {dialect} passed through ...")
        row = Row(f"Envoy     {dialect} passed through", dialect, "envoy")
        with rivals.envoy(program, self.upstream_port, self.folder, self.log) as proxy:
            return self.measurement(row, proxy, self.passing(dialect)).all()

    def litellm(self, program: Path) -> Row:
        self.say("LiteLLM, openai_chat -> openai_chat ...")
        row = Row("LiteLLM   openai_chat -> openai_chat", "openai_chat", "litellm")
        scale = self.scale._replace(
            rate=rivals.LITELLM_RATE, open_streams=rivals.LITELLM_STREAMS, burst_chunks=100
        )
        bench = Bench(self.folder, scale, self.upstream_port, self.say)
        way = Way("openai_chat", lambda mode: client_path("openai_chat", mode), lambda mode: mode)
        with rivals.litellm(
            program, self.upstream_port, bench.modes, self.folder, self.log
        ) as proxy:
            return bench.measurement(row, proxy, way).all()

    def portkey(self, program: Path) -> Row:
        self.say("Portkey, openai_chat -> openai_chat ...")
        row = Row("Portkey   openai_chat -> openai_chat", "openai_chat", "portkey")
        way = Way(
            "openai_chat",
            lambda mode: client_path("openai_chat", mode),
            lambda mode: mode,
            lambda mode: rivals.portkey_headers(self.upstream_port, self.modes[mode]),
        )
        with rivals.portkey(program, self.log) as proxy:
            return self.measurement(row, proxy, way).all()

    def rows(self, only: str | None) -> Iterator[Row]:
        for client, dialect in PATHS:
            if only != "nginx":
                yield self.mainstem(client, dialect)
        if only == "mainstem":
            return
        for dialect in dict.fromkeys(dialect for _, dialect in PATHS):
            if path_of("nginx") is not None:
                yield self.nginx(dialect)
            if only is None and (program := rivals.rival("Envoy")) is not None:
                yield self.envoy(program, dialect)
        if only is not None:
            return
        if (program := rivals.rival("Portkey")) is not None:
            yield self.portkey(program)
        if (program := rivals.rival("LiteLLM")) is not None:
            yield self.litellm(program)


def count() -> int:
    """How many rows there are, with what is on this machine."""
    passing = (path_of("nginx") is not None) + (rivals.rival("Envoy") is not None)
    translating = sum(rivals.rival(name) is not None for name in ("Portkey", "LiteLLM"))
    return len(PATHS) + passing * len({dialect for _, dialect in PATHS}) + translating
