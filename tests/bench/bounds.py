"""What a chunk and a short request may cost, in opcodes, and what an open stream may keep: up to a
tenth above what they did when these numbers were written (Python 3.11), a request and the relay's
step 3 % above. Who makes the path longer sees it here, on any machine and under any load; who makes
it shorter lowers them, to what `make micro` prints.
"""

from collections.abc import Iterator, Mapping

from tests.bench.matrix import Pair
from tests.bench.through import Cost

_CLIENTS = ("openai_chat", "anthropic", "gemini", "openai_responses", "native")
# Of the relay's step: a row for each upstream, a column for each client.
_STEP: Mapping[str, tuple[int, ...]] = {
    "openai_chat": (290, 295, 341, 380, 292),
    "anthropic": (290, 295, 341, 380, 292),
    "gemini": (721, 727, 773, 812, 724),
    "openai_responses": (540, 545, 592, 631, 542),
    "ollama": (492, 497, 543, 582, 494),
}
STEP: Mapping[Pair, int] = {
    Pair(upstream, client): most
    for upstream, row in _STEP.items()
    for client, most in zip(_CLIENTS, row, strict=True)
}
# From socket to socket.
WHOLE: Mapping[Pair, Cost] = {
    Pair("openai_chat", "native"): Cost(chunk=520, request=12490),
    Pair("anthropic", "openai_chat"): Cost(chunk=520, request=14830),
    Pair("ollama", "openai_responses"): Cost(chunk=820, request=16810),
}
# What a chunk costs beside that where its stream is kept, and where it is sent to a Redis as well.
KEPT, SENT = 160, 125
# Opcodes that a kept stream takes more than another: before its upstream is asked, and before its
# first frame goes out.
FIRST = (790, 400)
# Of them those that note what metrics and log lines are made of, for any pair.
OBSERVING = 97
# What an open stream keeps, in bytes, as `python -m tests.bench.held` counts them.
HELD: Mapping[Pair, int] = {
    Pair("openai_chat", "native"): 19800,
    Pair("anthropic", "openai_chat"): 19200,
}


def beyond(step: Mapping[Pair, int], whole: Mapping[Pair, Cost]) -> Iterator[str]:
    """A line for each bound that what was counted is above."""
    for pair, count in step.items():
        if count > STEP[pair]:
            yield f"{pair}: {count} opcodes per chunk in the relay's step, more than {STEP[pair]}"
    for pair, cost in whole.items():
        for name, count, most in zip(Cost._fields, cost, WHOLE[pair], strict=True):
            if count > most:
                yield f"{pair}: {count:.0f} opcodes per {name} from socket to socket, more than {most}"
