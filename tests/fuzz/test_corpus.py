"""What once broke something does so no more."""

import pytest

from proxy.dialects.registry import CLIENTS
from tests.fuzz.corpora import Kept, corpus
from tests.fuzz.framing import TARGETS
from tests.fuzz.judge import Trial, judge, judge_client, judge_cuts

CORPUS = corpus()
DECODED = {name: kept for name, kept in CORPUS.items() if kept.most}
FRAMED = {name: kept for name, kept in CORPUS.items() if not kept.most}


@pytest.mark.parametrize("name", DECODED)
def test_a_decoder_answers_well(name: str) -> None:
    """Whole, in two and byte by byte; and every client can be told."""
    kept = DECODED[name]
    size = len(kept.body)
    for cuts in ((), (size // 2,), tuple(range(1, size))):
        judge(_trial(kept, cuts, "native"))
        judge_cuts(_trial(kept, cuts, "native"))
    for client in CLIENTS:
        judge_client(_trial(kept, (), client))


@pytest.mark.parametrize("name", FRAMED)
def test_a_splitter_keeps_its_promise(name: str) -> None:
    TARGETS[FRAMED[name].name](FRAMED[name].body)


def _trial(kept: Kept, cuts: tuple[int, ...], client: str) -> Trial:
    return Trial(kept.name, kept.body, cuts, kept.most, kept.options, client)
