"""One dialect's part of the matrix: every fault, before and after commit, for each client, with and
without another target to go to."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import structlog.testing

from proxy.errors import KINDS
from tests.dialects.sample import Sample, data
from tests.faults.clients import PATHS, Seen, refused, streamed
from tests.faults.faults import FAULTS, MOMENTS, Fault, Moment, Outcome, outcome
from tests.faults.places import places
from tests.faults.stage import After, Part, Play, Playing, Stage
from tests.running import Running, running
from tests.samples import SAMPLES

SPARE, SPARE_TEXT = "spare", "The spare answers."
# The timeout that is to end a cell is short, and all others are far away, so that a busy machine
# changes nothing.
_LONG = {"connect_s": 40.0, "first_event_s": 40.0, "idle_s": 40.0, "total_s": 80.0}
_SHORT: dict[Outcome, dict[str, float]] = {
    "connect_timeout": {"connect_s": 0.5},
    "first_event_timeout": {"first_event_s": 2.4, "idle_s": 1.6},
    "idle_timeout": {"idle_s": 0.5},
    "total_timeout": {"total_s": 2.4, "idle_s": 1.6},
}
_PATIENCE_S = 30.0  # of a client, for a cell that hangs
_AT_ONCE = 16  # of the cells that wait for no timeout
_COUNTED = ("mainstem_streams_total", "mainstem_fallbacks_total", "mainstem_streams_open")


class Cell(NamedTuple):
    """One request. `spared`: its model has another target."""

    number: int
    fault_name: str
    dialect: str
    moment: Moment
    client: str
    spared: bool

    @property
    def name(self) -> str:
        """Of the upstream, the model and the request alike."""
        return f"c{self.number}"

    @property
    def fault(self) -> Fault:
        return FAULTS[self.fault_name]

    @property
    def outcome(self) -> Outcome:
        return outcome(self.fault, self.dialect, self.moment) or "internal"

    @property
    def moves_on(self) -> bool:
        """Whether the next target must be asked."""
        kind = self.outcome
        return (
            self.spared
            and self.moment == "before"
            and kind != "completed"
            and KINDS[kind].next_target
        )

    def __str__(self) -> str:
        return f"{self.fault_name!r} {self.moment} commit, {self.client}{', spared' if self.spared else ''}"


def cells(dialect: str) -> list[Cell]:
    rows = (
        (name, dialect, moment, client, spared)
        for name, fault in FAULTS.items()
        for moment in MOMENTS
        if outcome(fault, dialect, moment) is not None
        for client in PATHS
        for spared in (False, True)
    )
    return [Cell(number, *row) for number, row in enumerate(rows)]


async def _good(playing: Playing) -> After:
    playing.head()
    playing.send(playing.sample.whole)
    return playing.end()


async def _spare(playing: Playing) -> After:
    playing.head()
    for choice in (
        {"delta": {"content": SPARE_TEXT}, "finish_reason": None},
        {"delta": {}, "finish_reason": "stop"},
    ):
        playing.send(data({"choices": [{"index": 0, **choice}]}))
    playing.send(data("[DONE]"))
    return playing.end()


def _part(sample: Sample, play: Play) -> Part:
    return Part(sample, play, early=True, at_head=False)


def stage_for(dialect: str, played: Iterable[Cell]) -> Stage:
    """What the upstream plays in each cell, the spare, and what no request must ever reach: the
    place that a redirect names."""
    sample, stage = SAMPLES[dialect], Stage()
    for cell in played:
        fault = cell.fault
        if fault.play is not None:
            stage.parts[cell.name] = Part(
                sample, fault.play, early=cell.moment == "before", at_head=fault.at_head
            )
    stage.parts[SPARE] = _part(SAMPLES["openai_chat"], _spare)
    stage.parts["trap"] = _part(sample._replace(follows=False), _good)
    stage.parts["good"] = _part(sample, _good)
    return stage


def config_for(dialect: str, played: Iterable[Cell], urls: dict[Any, str]) -> dict[str, Any]:
    """An upstream of its own for each cell, so that no failure of one is held against another."""
    sample = SAMPLES[dialect]
    far = {"dialect": dialect, "api_key": "key", "options": dict(sample.options)}
    upstreams: dict[str, Any] = {
        SPARE: {"dialect": "openai_chat", "base_url": f"{urls['stage']}/{SPARE}"},
        "good": far | {"base_url": f"{urls['stage']}/good"},
    }
    models: dict[str, Any] = {"good": [{"upstream": "good", "model": sample.model}]}
    for cell in played:
        patience = _LONG | _SHORT.get(cell.outcome, {})
        upstreams[cell.name] = far | {
            "base_url": f"{urls[cell.fault.place]}/{cell.name}",
            "timeouts": patience,
        }
        spare = [{"upstream": SPARE, "model": "m"}] if cell.spared else []
        models[cell.name] = [{"upstream": cell.name, "model": sample.model}, *spare]
    return {
        "upstreams": upstreams,
        "models": models,
        "limits": {"max_event_bytes": 20_000},
        "timeouts": _LONG,
    }


async def ask(run: Running, client: str, model: str, committed: asyncio.Event) -> Seen:
    """Raises what the client's library does where an answer does not end as HTTP has it, and
    TimeoutError where it never ends."""
    headers = {"x-request-id": model}
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "Hello?"}],
        "stream": True,
        "max_tokens": 99,
    }
    try:
        async with (
            asyncio.timeout(_PATIENCE_S),
            run.session.post(f"{run.url}{PATHS[client]}", json=body, headers=headers) as response,
        ):
            committed.set()
            said = await response.read()
            return Seen(
                response.status,
                {name.lower(): value for name, value in response.headers.items()},
                said.decode(),
            )
    finally:
        committed.set()


class Counted(NamedTuple):
    """What the proxy's metrics say, by upstream or model."""

    # model -> (client, upstream, outcome, how many)
    streams: dict[str, list[tuple[str, str, str, int]]]
    # from upstream -> (to upstream, kind, how many)
    fallbacks: dict[str, list[tuple[str, str, int]]]
    open: int


def counted(run: Running) -> Counted:
    """Read from the registry: with an upstream for each cell the page of all metrics takes as long as
    half of the cells."""
    streams, fallbacks, still_open = defaultdict(list), defaultdict(list), 0
    registry = run.process.metrics.registry.restricted_registry(_COUNTED)
    for sample in (sample for metric in registry.collect() for sample in metric.samples):
        labels, many = sample.labels, int(sample.value)
        if sample.name == "mainstem_streams_total":
            streams[labels["model"]].append(
                (labels["client_dialect"], labels["upstream"], labels["outcome"], many)
            )
        elif sample.name == "mainstem_fallbacks_total":
            fallbacks[labels["from_upstream"]].append((labels["to_upstream"], labels["kind"], many))
        elif sample.name == "mainstem_streams_open":
            still_open += many
    return Counted(streams, fallbacks, still_open)


def wrong_answer(cell: Cell, seen: Seen | BaseException) -> Iterator[str]:
    """What is wrong with what the client got."""
    if isinstance(seen, BaseException):
        yield f"the answer did not end as it must: {type(seen).__name__} {seen}"
    elif cell.moves_on:
        yield from streamed(cell.client, seen, "completed", SPARE_TEXT)
    elif cell.moment == "before" and cell.outcome != "completed":
        yield from refused(cell.client, seen, cell.outcome, cell.fault)
    else:
        yield from streamed(cell.client, seen, cell.outcome, cell.fault.text)


def wrong_books(cell: Cell, counts: Counted, lines: list[Any]) -> Iterator[str]:
    """What is wrong with metrics and log."""
    upstream, ended = (SPARE, "completed") if cell.moves_on else (cell.name, cell.outcome)
    expected = [(cell.client, upstream, ended, 1)]
    if counts.streams.get(cell.name) != expected:
        yield f"streams_total is {counts.streams.get(cell.name)} instead of {expected}"
    moves = [(SPARE, cell.outcome, 1)] if cell.moves_on else []
    if counts.fallbacks.get(cell.name, []) != moves:
        yield f"fallbacks_total is {counts.fallbacks.get(cell.name)} instead of {moves}"
    logged = [line.get("outcome") for line in lines]
    if logged != [ended]:
        yield f"the log has lines with {logged} instead of one with {ended}"
    elif lines[0].get("fallbacks", []) != [f"{cell.name}>{SPARE}:{kind}" for _, kind, _ in moves]:
        yield f"the log's fallbacks are {lines[0].get('fallbacks')}"


def wrong_upstream(cell: Cell, stage: Stage) -> Iterator[str]:
    """What is wrong with how the upstream was treated."""
    part = stage.parts.get(cell.name)
    if part is None or cell.fault.place != "stage":
        return
    follows = part.sample.follows and not part.at_head
    if part.asked != 1 + follows:
        yield f"the upstream was asked {part.asked} times"
    if part.held:
        yield "the connection to the upstream was left open"


async def played(dialect: str, folder: Path) -> list[str]:
    """Play all of it. Gives what was wrong, a line each."""
    row = cells(dialect)
    stage = stage_for(dialect, row)
    few = asyncio.Semaphore(_AT_ONCE)
    async with places(stage.script, folder) as urls:
        with structlog.testing.capture_logs() as log:
            async with running(config_for(dialect, row, urls)) as run:

                async def one(cell: Cell) -> Seen:
                    part = stage.parts.get(cell.name)
                    committed = part.committed if part is not None else asyncio.Event()
                    if cell.outcome in _SHORT:
                        return await ask(run, cell.client, cell.name, committed)
                    async with few:
                        return await ask(run, cell.client, cell.name, committed)

                seen = await asyncio.gather(*map(one, row), return_exceptions=True)
                await stage.settled(closed=False)
                counts = counted(run)
        await stage.settled(closed=True)
        lines: dict[str, list[Any]] = defaultdict(list)
        for line in log:
            lines[line.get("request_id", "") if line["event"] == "stream" else "other"].append(line)
        wrong = []
        for cell, each in zip(row, seen, strict=True):
            told = (
                *wrong_answer(cell, each),
                *wrong_books(cell, counts, lines[cell.name]),
                *wrong_upstream(cell, stage),
            )
            wrong += [f"{cell}: {'; '.join(told)}"] if told else []
        wrong += [
            f"the log has {line}"
            for line in lines["other"]
            if line["log_level"] in ("error", "critical")
        ]
        wrong += ["a redirect was followed"] if stage.parts["trap"].asked else []
        wrong += [f"{counts.open} streams are open after all have ended"] if counts.open else []
        wrong += (
            [f"{stage.open} connections are open after the proxy has stopped"] if stage.open else []
        )
    return wrong
