"""Upstreams, and the models that lead to them: the sections that hold a row for each name.

A field's description is its documentation: config/mainstem.yaml is written from these words.
"""

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from proxy.settings.costs import Prices
from proxy.settings.headers import ForwardHeader, ReturnHeader
from proxy.settings.pass_paths import PassPath
from proxy.settings.recording import Record
from proxy.settings.sections import Breaker, OnDisconnect, Timeouts
from proxy.settings.tree import Tree
from proxy.settings.values import (
    ApiKey,
    BaseUrl,
    Count,
    Headers,
    Patience,
    Rate,
    Seconds,
    UrlPath,
    Whole,
)


class Mock(Tree):
    """An upstream that is played here instead of called."""

    scenario: str = Field(
        "hello",
        description=(
            "What it plays: a built-in scenario, or the path of YAML (a script, or fixtures: "
            "docs/MOCK.md), of a recording, or "
            "of a folder of Mainstem's own recordings (with a / in it), of which each request gets "
            "the one that fits."
        ),
    )
    tokens_per_s: Rate = Field(40, description="Its pace; 0 is as fast as can be.")
    fault: str | None = Field(
        None, description="A fault to play, for example cut@3 (see mainstem mock --help)."
    )
    speed: Rate = Field(
        1,
        description=(
            "How many times faster than it came a recording of Mainstem's own is played; 0 is as "
            "fast as can be."
        ),
    )
    match: Literal["nearest", "exact", "model", "order"] = Field(
        "nearest",
        description=(
            "Which of such recordings fits a request: one of the same body (exact), of the same "
            "model, or the next one (order); nearest: the first of these that finds one."
        ),
    )


class Upstream(Tree):
    """A configured endpoint."""

    vendor: str | None = Field(
        None,
        description=(
            "A vendor of config/vendors.yaml: it gives dialect, base_url, options and key, where "
            "they are not said here."
        ),
    )
    dialect: str = Field(description="The wire format that it speaks.")
    base_url: BaseUrl | None = Field(
        None, description="Its address, to which the dialect's path is added."
    )
    path: UrlPath | None = Field(None, description="Path to call instead of the dialect's own.")
    api_key: ApiKey | None = Field(
        None, description='Its key; "${NAME}" reads an environment variable.'
    )
    api_key_file: str | None = Field(
        None, description="A file that holds its key; a relative path starts at this file's folder."
    )
    pass_through: bool = Field(
        False,
        description=(
            "Bring your own key: the key that a client sends goes up as this upstream's. "
            "Otherwise no credential of a client does."
        ),
    )
    pass_paths: tuple[PassPath, ...] = Field(
        (),
        description=(
            "Paths of its own that clients may call at /pass/NAME/..., with its key and as they "
            'are: "/embeddings", "GET /files*" (* is any text), or "*" for all. Neither models, '
            "budgets of tokens or of money nor options hold there, so only keys that may ask for "
            "any model and have no such budget get through."
        ),
    )
    headers: Headers = Field(
        {}, description="Further request headers, for example a cookie; never printed."
    )
    forward_headers: tuple[ForwardHeader, ...] = Field(
        (),
        description=(
            "Names of clients' request headers that go up, for example traceparent; no other does."
        ),
    )
    return_headers: tuple[ReturnHeader, ...] = Field(
        (),
        description=(
            "Names of its response headers that go to clients, or beginnings such as "
            '"x-ratelimit-*"; no other does.'
        ),
    )
    private: bool = Field(
        False,
        description=(
            "Whether the host of base_url may stand for any address. Without it a name that looks "
            "public may only stand for public "
            "ones. Private by themselves are addresses, localhost, names without a dot, and those "
            "under .local, .internal, .svc, "
            ".cluster.local, .lan, .home.arpa and .localhost."
        ),
    )
    options: dict[str, Any] = Field(
        {},
        repr=False,
        description=(
            "Settings of the dialect itself; build_request in its folder under proxy/dialects "
            "lists them."
        ),
    )
    timeouts: Timeouts | None = Field(
        None, description="Timeouts for this upstream alone; what is left out is as in timeouts."
    )
    breaker: Breaker | None = Field(
        None,
        description=(
            "For this upstream alone; what is left out is as in breaker. A mock has one only "
            "where it is given here."
        ),
    )
    prices: dict[str, Prices] = Field(
        {},
        description=(
            'What its models cost, by the vendor\'s name of the model, or "*" for any other; see '
            "costs. Without them, and where the table does not know it, a cost is null."
        ),
    )
    max_streams: Count | None = Field(
        None,
        description="Streams that one process may have open there at once; further requests wait.",
    )
    queue_s: Patience = Field(
        5,
        description=(
            "How long a request may wait for a place there, where no other target is left; then "
            "it gets 503."
        ),
    )
    max_queue: Whole = Field(1000, description="How many requests may wait there.")
    record: Record | None = Field(
        None, description="For this upstream alone, in place of the whole section record."
    )
    mock: Mock | None = Field(
        None, description="Play it here instead of calling it: scenario, tokens_per_s, fault."
    )

    @model_validator(mode="after")
    def _has_one_place(self) -> "Upstream":
        if (self.base_url is None) == (self.mock is None):
            raise ValueError(
                "needs either base_url (a real endpoint) or mock (played here), and not both"
            )
        if self.api_key is not None and self.api_key_file is not None:
            raise ValueError("has both api_key and api_key_file: keep one")
        return self

    def key(self) -> str | None:
        """The API key in plain text, for the header that carries it. None: the endpoint wants
        none.
        """
        return (self.api_key.get_secret_value() or None) if self.api_key is not None else None


class ModelTarget(Tree):
    """One place where a model can be had."""

    upstream: str = Field(description="Name of the upstream.")
    model: str = Field(
        "", description="The vendor's name of the model; empty: the name that the client asked for."
    )
    weight: Count | None = Field(
        None,
        description=(
            "Its share. Targets with a weight come first, in an order drawn by weight for each "
            "request; the others follow."
        ),
    )


class Model(Tree):
    """What a client may ask for. A list of targets is short for a section that has nothing else."""

    targets: tuple[ModelTarget, ...] = Field(
        description="Where it can be had, in the order in which they are tried."
    )
    on_disconnect: OnDisconnect | None = Field(
        None, description="For this model alone; left out: as in streams."
    )
    grace_s: Seconds | None = Field(
        None, description="For this model alone; left out: as in streams."
    )
    hedge_after_s: Seconds | None = Field(
        None,
        description=(
            "When the first target has said nothing for this long, the next one is asked too; the "
            "first content wins."
        ),
    )
    continue_after_commit: bool = Field(
        False,
        description=(
            "When an answer breaks off midway, whether the next target is asked to go on from the "
            "text so far."
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _targets_alone(cls, given: Any) -> Any:
        return {"targets": given} if isinstance(given, list | tuple) else given

    @model_serializer(mode="wrap")
    def _short(self, dump: SerializerFunctionWrapHandler) -> Any:
        full = dump(self)
        return full["targets"] if self.model_fields_set <= {"targets"} else full
