"""The clients of the soak, a process of its own: `python -m tests.load.clients JSON` runs one
`Crew` and prints a JSON line for each request.

As many clients as there are to be streams, each with one request at a time and no pause between
two. At the end nobody begins another one; what runs is seen to its end.
"""

import asyncio
import dataclasses
import json
import random
import sys
import time
from dataclasses import dataclass

import uvloop

from tests.load.errands import draw
from tests.load.manners import Line, carry_out
from tests.load.scripts import FIRST_EVENT_S, TOTAL_S

# Two targets may be tried, one after the other, and both once more; longer than that nothing may
# last.
HUNG_S = 4 * FIRST_EVENT_S + TOTAL_S + 20
_FLUSH_S = 0.5


@dataclass(frozen=True)
class Crew:
    """How many clients, against which port, for how long, drawn from which seed. Reused connections
    hold several requests."""

    streams: int
    port: int
    seconds: float
    seed: int


class Clients:
    """All clients of a crew, until its time is up."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._until = time.monotonic() + crew.seconds

    async def run(self) -> None:
        flushing = asyncio.create_task(self._flush())
        await asyncio.gather(*(self._client(number) for number in range(self._crew.streams)))
        flushing.cancel()

    async def _client(self, number: int) -> None:
        rng = random.Random(f"{self._crew.seed}/{number}")
        kept: Line | None = None
        count = 0
        await asyncio.sleep(rng.uniform(0, min(5.0, self._crew.seconds / 10)))  # not all at once
        while time.monotonic() < self._until:
            errand = draw(rng, f"{self._crew.seed:x}-{number:x}-{count:x}")
            count += 1
            # these want a narrow one
            if kept is not None and errand.manner in ("read_slowly", "stop_reading"):
                kept.close()
                kept = None
            row, kept = await carry_out(errand, self._crew.port, kept, HUNG_S)
            print(json.dumps([errand, dataclasses.asdict(row)], separators=(",", ":")))
        if kept is not None:
            kept.close()

    @staticmethod
    async def _flush() -> None:
        while True:
            await asyncio.sleep(_FLUSH_S)
            sys.stdout.flush()


async def main() -> None:
    await Clients(Crew(**json.loads(sys.argv[1]))).run()
    print(json.dumps("done"), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
