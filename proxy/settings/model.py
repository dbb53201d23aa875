"""The configuration tree: frozen, units in the names, unknown keys refused.
`proxy/settings/load.py` fills it.

A field's description is its documentation: config/mainstem.yaml is written from these words.
"""

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from proxy.settings.auth import Auth
from proxy.settings.headers import ForwardHeader, ReturnHeader
from proxy.settings.pass_paths import PassPath
from proxy.settings.resume import Resume
from proxy.settings.tree import Tree
from proxy.settings.values import (
    ApiKey,
    BaseUrl,
    Count,
    HeadBytes,
    Headers,
    ModelName,
    Origin,
    Patience,
    Port,
    Rate,
    Seconds,
    Share,
    Store,
    UpstreamName,
    UrlPath,
    Whole,
    WholeSeconds,
)

OnDisconnect = Literal["cancel", "grace", "finish"]
CONTINUE_PROMPT = (
    "Your last message was cut off. Go on exactly where it stops, in the middle of a word if "
    "need be. "
    "Repeat nothing of it and explain nothing."
)


class Server(Tree):
    """Where the proxy listens."""

    host: str = Field(
        "127.0.0.1", description="Address to listen on. Anything but loopback needs auth."
    )
    port: Port = Field(8080, description="Port to listen on; 0 lets the system choose.")
    workers: Count = Field(1, description="Processes that share the port.")
    request_head_s: Seconds = Field(
        10,
        description=(
            "How long the head of a request may take: from its first byte, on a new connection "
            "from its beginning."
        ),
    )
    request_body_s: Seconds = Field(30, description="How long the body of a request may take.")
    get_streams: bool = Field(
        True,
        description=(
            "Whether a GET may run a prompt, as EventSource needs it. Off: only a POST does, and "
            "no address that somebody opens."
        ),
    )
    reload_check_s: Patience = Field(
        2,
        description=(
            "How often this file and those that it names are looked at, to be read again when one "
            "has changed; 0: never."
        ),
    )
    drain_s: Seconds = Field(
        20,
        description=(
            "After SIGTERM, how long streams may go on before they get an in-band shutdown error."
        ),
    )


class Admin(Tree):
    """Where /metrics, /livez and /readyz are served; absent: on the main port."""

    host: str = Field(
        "127.0.0.1", description="Address of the admin listener. Anything but loopback needs auth."
    )
    port: Port = Field(9091, description="Port of the admin listener; 0 lets the system choose.")


class Cors(Tree):
    """Which web pages may call from another origin."""

    allow_origins: tuple[Origin, ...] = Field(
        ("auto",),
        description=(
            'Origins that may call; "*" is any, which never goes with credentials; local, pages '
            "served from this machine. "
            "auto: any; but local where auth is absent and an upstream is real, lest any page "
            "that is open in a browser here spends its key."
        ),
    )
    allow_credentials: bool = Field(
        False, description="Whether pages may send cookies and the like. Needs a list of origins."
    )
    max_age_s: WholeSeconds = Field(
        600, description="How long a browser may keep the answer of a preflight."
    )

    @model_validator(mode="after")
    def _any_origin_has_no_credentials(self) -> "Cors":
        if self.allow_credentials and {"*", "auto"} & set(self.allow_origins):
            raise ValueError(
                'cannot have allow_credentials with allow_origins "*": name the origins, or '
                "set allow_credentials to false"
            )
        return self


class Limits(Tree):
    """Bounds on what one peer may make the proxy hold."""

    max_connections: Count = Field(
        20_000,
        description=(
            "Clients connected to one process at once, idle ones too; never more than half of the "
            "files that it may open."
        ),
    )
    max_head_bytes: HeadBytes = Field(
        65_536,
        description=(
            "Largest request line and headers together. An EventSource has its prompt there."
        ),
    )
    max_body_bytes: Count = Field(4_194_304, description="Largest request body.")
    max_inflight_body_bytes: Count = Field(
        268_435_456,
        description=(
            "Bytes of all request bodies that one process may hold at once, each from its arrival "
            "until its answer begins; beyond it: 503."
        ),
    )
    max_pass_bytes: Count = Field(
        536_870_912,
        description=(
            "Largest body, of a request and of an answer, that pass_paths of an upstream let "
            "through; it is never held."
        ),
    )
    max_event_bytes: Count = Field(1_048_576, description="Largest single event from an upstream.")
    max_streams: Count = Field(10_000, description="Streams open at once in one process.")
    max_error_bytes: Count = Field(
        65_536, description="How much of an upstream's error body is read."
    )
    max_answer_bytes: Count = Field(
        67_108_864,
        description=(
            "How much of an upstream's answer, as sent, may be kept: all for a client that asked "
            "for one document or whose dialect "
            "says text again (openai_responses, yiyan, dify, chatglm), tool calls where they go "
            "out whole."
        ),
    )
    store: Store = Field(
        "memory",
        description=(
            "Where requests and tokens a minute are counted: memory, each process for itself, or "
            "a Redis for all workers and "
            'replicas, such as "${REDIS_URL}". Needs mainstem[redis].'
        ),
    )
    write_buffer_bytes: Count = Field(
        65_536,
        description="Unsent bytes of one client beyond which its upstream is no longer read.",
    )

    @model_validator(mode="after")
    def _one_body_fits(self) -> "Limits":
        if self.max_inflight_body_bytes < self.max_body_bytes:
            raise ValueError(
                "has max_inflight_body_bytes below max_body_bytes: a body of that size could never "
                "be taken"
            )
        return self


class Timeouts(Tree):
    """How long to wait for an upstream, in seconds."""

    connect_s: Seconds = Field(5, description="To connect, TLS included.")
    first_event_s: Seconds = Field(60, description="From sending the request to the first event.")
    idle_s: Seconds = Field(60, description="Between two reads; a ping from the upstream counts.")
    total_s: Seconds = Field(600, description="For the whole answer.")


class Streams(Tree):
    """How streams behave."""

    heartbeat_s: Seconds = Field(
        15, description="After this silence the client gets a heartbeat in its dialect's form."
    )
    early_s: Patience = Field(
        10,
        description=(
            "When no content has come for this long, a client that asked for a stream gets its 200 "
            "and heartbeats; other targets may still be asked, and a failure is then told in the "
            "stream. 0: it waits."
        ),
    )
    on_disconnect: OnDisconnect = Field(
        "cancel",
        description=(
            "When the client leaves: close the upstream, read on for grace_s, or read to the end. "
            "A request chooses "
            "for itself by the header x-mainstem-on-disconnect."
        ),
    )
    grace_s: Seconds = Field(30, description="With on_disconnect grace: how long to read on.")
    resume: Resume | None = Field(
        None,
        description=(
            "Streams are kept, so that clients may come back to them, watch and cancel them. One "
            "that leaves then does not end its stream before grace_s have passed with no reader. "
            "Left out: a stream ends as on_disconnect says; only the embedded mock keeps them."
        ),
    )
    write_timeout_s: Seconds = Field(
        60,
        description=(
            "A client that takes nothing of any answer for this long, or whose machine gives no "
            "sign of life, has left and is cut. Systems tell "
            "of what a slow reader took in steps of up to 110 KB: much less than 60 s cuts some "
            "who read on."
        ),
    )
    continue_prompt: str = Field(
        CONTINUE_PROMPT,
        description=(
            "With continue_after_commit: what the next target is told after the text so far; "
            "empty: the text stands last, for "
            "vendors that go on from it by themselves."
        ),
    )


class Retry(Tree):
    """When all targets of a model have failed before the answer began: whether to go through them
    again.
    """

    retries: Whole = Field(
        0,
        description=(
            "How often at most, for one request. Vendors' own SDKs retry too: the tries multiply."
        ),
    )
    backoff_s: Seconds = Field(
        0.5,
        description=(
            "Longest wait before the first retry; it doubles for each further one, and the wait "
            "is drawn at random below it."
        ),
    )
    max_backoff_s: Seconds = Field(
        8,
        description=(
            "Longest wait of all. An upstream whose Retry-After is longer is not asked again."
        ),
    )
    budget: Share = Field(
        0.2,
        description=(
            "Retries and hedges that may be sent to an upstream, as a share of the requests sent "
            "to it."
        ),
    )


class Breaker(Tree):
    """When to stop asking an upstream that fails."""

    failures: Whole = Field(
        5,
        description=(
            "After this many failures in a row, none of them the request's fault, nothing is sent "
            "for open_s; 0: never."
        ),
    )
    open_s: Seconds = Field(
        10,
        description=(
            "Then one request is let through to try: it closes the circuit, or opens it for as "
            "long again."
        ),
    )


class Logs(Tree):
    """What is logged, to standard error."""

    format: Literal["json", "console", "auto"] = Field(
        "auto", description="auto: console on a terminal, JSON elsewhere."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged."
    )
    prompts: bool = Field(
        False,
        description=(
            "Whether prompts may be logged (with level debug). Off: no prompt and no answer is "
            "ever logged."
        ),
    )


class Mock(Tree):
    """An upstream that is played here instead of called."""

    scenario: str = Field(
        "hello",
        description=(
            "What it plays: a built-in scenario or the path of a YAML script or a recording."
        ),
    )
    tokens_per_s: Rate = Field(40, description="Its pace; 0 is as fast as can be.")
    fault: str | None = Field(
        None, description="A fault to play, for example cut@3 (see mainstem mock --help)."
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
            "budgets of tokens nor options hold there, so only keys that may ask for any model and "
            "have no such budget get through."
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


class TargetConfig(Tree):
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

    targets: tuple[TargetConfig, ...] = Field(
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


class Settings(Tree):
    """The whole tree."""

    server: Server = Server()
    admin: Admin | None = None
    cors: Cors = Cors()
    auth: Auth | Literal["none"] | None = Field(
        None,
        description='Who may call; "none", written out, lets anyone, even on a public address.',
    )
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    streams: Streams = Streams()
    retry: Retry = Retry()
    breaker: Breaker = Breaker()
    logs: Logs = Logs()
    upstreams: dict[UpstreamName, Upstream] = Field({}, description="The endpoints, by name.")
    models: dict[ModelName, Model] = Field(
        {},
        description=(
            'What clients may ask for: a name, or "*" for any other, and its targets in the order '
            "in which they are tried, or a "
            "section of targets and more."
        ),
    )

    @model_validator(mode="after")
    def _targets_exist(self) -> "Settings":
        for model, asked in self.models.items():
            if not asked.targets:
                raise ValueError(f"models.{model} needs at least one target")
            for target in asked.targets:
                if target.upstream not in self.upstreams:
                    known = ", ".join(sorted(self.upstreams)) or "none is configured"
                    raise ValueError(
                        f"models.{model}: upstream {target.upstream!r} is not among upstreams "
                        f"({known})"
                    )
        return self

    @model_validator(mode="after")
    def _own_sections_are_whole(self) -> "Settings":
        """An upstream that sets one timeout has the others from the common ones, not from the
        built-in defaults.
        """
        for name, upstream in self.upstreams.items():
            update: dict[str, Tree] = {}
            if upstream.timeouts is not None:
                update["timeouts"] = _over(self.timeouts, upstream.timeouts)
            if upstream.breaker is not None:
                update["breaker"] = _over(self.breaker, upstream.breaker)
            if update:
                self.upstreams[name] = upstream.model_copy(update=update)
        return self


def _over(common: Tree, own: Tree) -> Tree:
    return common.model_copy(update=own.model_dump(include=own.model_fields_set))
