"""What the clients of the soak set out to do, drawn at random: who asks, in which dialect, for
which model, and how it behaves."""

import json
import random
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.bench.asking import ASKING
from tests.bench.wire import VENDORS
from tests.load.plays import PLAYS
from tests.load.scripts import Asked

KEY, NARROW_KEY, WRONG_KEY, OPERATOR_KEY = (
    "soak-key",
    "soak-narrow-key",
    "soak-no-key",
    "soak-operator-key",
)
POLICIES = ("cancel", "grace", "finish")
NOWHERE = "nowhere"  # a model that is not configured
DEAD, STUCK = "dead", "stuck"  # upstreams: nobody listens there; nobody accepts there
# What a model may have besides its targets, said before them in its name. The last two are of its
# upstreams: a circuit breaker, few places.
HEDGED, CONTINUED, FRAGILE, NARROW = "hedged", "continued", "fragile", "narrow"

RARE = (DEAD, STUCK, *(f"{name}-{next(iter(VENDORS))}" for name in (DEAD, STUCK)))
_RARELY = 0.05
# How often each manner is drawn. What each does is in tests/load/manners.py.
MANNERS: Mapping[str, int] = {
    "read": 45,
    "document": 10,
    "read_slowly": 5,
    "stop_reading": 3,
    "leave_midway": 16,
    "leave_early": 8,
    "resume": 6,
    "watch": 4,
    "cut_body": 2,
    "not_http": 1,
    "crowd_in": 3,
    "come_back": 1,
    "bad_body": 3,
    "large_body": 2,
    "wrong_key": 1,
    "unknown_model": 1,
}


# These read a stream twice, which must not end when its first reader leaves.
_KEPT = ("resume", "watch")


class Client(NamedTuple):
    """A client dialect. `document` is where one document is asked for, where that is another path;
    `terminal` stands only in the last frame of a complete answer; `repeats`: the last frames say
    the whole text again.
    """

    path: str
    terminal: bytes
    document: str = ""
    repeats: bool = False


CLIENTS: Mapping[str, Client] = {
    "native": Client("/v1/stream", ASKING["native"].terminal),
    "openai_chat": Client("/v1/chat/completions", ASKING["openai_chat"].terminal),
    "anthropic": Client("/v1/messages", ASKING["anthropic"].terminal),
    "gemini": Client(
        ASKING["gemini"].path, ASKING["gemini"].terminal, "/v1beta/models/{model}:generateContent"
    ),
    "openai_responses": Client("/v1/responses", ASKING["openai_responses"].terminal, repeats=True),
    "ollama": Client("/api/chat", b'"done":true'),
    "cohere": Client("/v2/chat", b"data: [DONE]"),
}


class Errand(NamedTuple):
    """One request to be made. `leave_at`: the piece, or the moment in seconds, at which the client
    goes; `reset`: how."""

    asked: Asked
    dialect: str
    model: str
    manner: str
    policy: str
    leave_at: float
    reset: bool

    @property
    def key(self) -> str:
        return {"crowd_in": NARROW_KEY, "wrong_key": WRONG_KEY}.get(self.manner, KEY)

    @property
    def document(self) -> bool:
        return self.manner == "document"

    def path(self) -> str:
        client = CLIENTS[self.dialect]
        return ((self.document and client.document) or client.path).format(model=self.model)

    def body(self) -> bytes:
        return json.dumps(
            _body(self.dialect, self.model, self.asked.prompt(), stream=not self.document)
        ).encode()

    def along(self) -> "Errand":
        """The second request of a client that comes back to its stream, or reads it twice."""
        return self._replace(manner="along", asked=self.asked._replace(id=f"{self.asked.id}-2"))

    def watching(self, location: str) -> bytes:
        """The request for a kept stream."""
        lines = [
            f"GET {location} HTTP/1.1",
            "host: localhost",
            f"authorization: Bearer {self.key}",
            f"x-request-id: {self.asked.id}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def head(self, length: int, *fields: str) -> bytes:
        lines = [
            f"POST {self.path()} HTTP/1.1",
            "host: localhost",
            f"authorization: Bearer {self.key}",
            "content-type: application/json",
            f"content-length: {length}",
            f"x-request-id: {self.asked.id}",
            f"x-mainstem-on-disconnect: {self.policy}",
            *fields,
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _body(dialect: str, model: str, prompt: str, *, stream: bool) -> dict[str, Any]:
    if dialect == "gemini":
        return {"contents": [{"role": "user", "parts": [{"text": prompt}]}]}
    if dialect == "openai_responses":
        return {"model": model, "input": prompt, "stream": stream}
    return {
        "model": model,
        "max_tokens": 1024,
        "stream": stream,
        "messages": [{"role": "user", "content": prompt}],
    }


def model_names() -> list[str]:
    """All models; `targets_of` reads such a name. For each upstream dialect one with one target,
    and one with two, of which the second is of the next dialect; behind a dead or a stuck upstream
    stands one that answers.
    """
    first, second, *_ = VENDORS
    pairs = [f"{one}-{two}" for one, two in zip(VENDORS, [*list(VENDORS)[1:], first], strict=True)]
    special = [
        f"{HEDGED}+{first}-{second}",
        f"{CONTINUED}+{first}-{second}",
        f"{FRAGILE}+{first}",
        f"{NARROW}+{first}",
    ]
    return [*VENDORS, *pairs, *special, *RARE]


def targets_of(model: str) -> tuple[str, list[str]]:
    """What the model has besides, "" for nothing, and its targets: dialects, or DEAD, or STUCK."""
    special, _, targets = model.rpartition("+")
    return special, targets.split("-")


def draw(rng: random.Random, name: str) -> Errand:
    """The next errand; `name` is its id."""
    manner = _drawn(rng, MANNERS)
    first, second = (_play(rng, manner) for _ in range(2))
    pieces = 2 if "byte_by_byte" in (first, second) else rng.randint(1, 40)
    asked = Asked(name, pieces, round(rng.uniform(0.02, 0.3), 3), (first, second))
    leave_at = rng.uniform(0, 1.5) if manner == "leave_early" else rng.randint(1, pieces)
    kept = manner in _KEPT
    return Errand(
        asked,
        "native" if kept else rng.choice(list(CLIENTS)),
        _model(rng, manner),
        manner,
        rng.choice(POLICIES[1:] if kept else POLICIES),
        leave_at,
        rng.random() < 0.5,
    )


def _model(rng: random.Random, manner: str) -> str:
    if manner == "unknown_model":
        return NOWHERE
    if manner in ("read_slowly", "stop_reading"):
        return rng.choice(list(VENDORS))
    return rng.choice(RARE if rng.random() < _RARELY else model_names()[: -len(RARE)])


def _play(rng: random.Random, manner: str) -> str:
    if manner == "stop_reading":
        return "flood"
    if manner == "read_slowly":
        return rng.choice(["good", "large_events", "bulk"])
    return _drawn(rng, {name: play.weight for name, play in PLAYS.items()})


def _drawn(rng: random.Random, weights: Mapping[str, int]) -> str:
    names = list(weights)
    return rng.choices(names, [weights[name] for name in names])[0]
