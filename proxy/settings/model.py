"""The configuration tree: frozen, units in the names, unknown keys refused. `proxy/settings/load.py` fills it.

A field's description is its documentation: config/mainstem.yaml is written from these words.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from proxy.settings.values import (
    ApiKey,
    BaseUrl,
    Count,
    Headers,
    ModelName,
    Origin,
    Port,
    Rate,
    Seconds,
    Sha256,
    UpstreamName,
    UrlPath,
    WholeSeconds,
)


class Tree(BaseModel):
    """A branch of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, given: Any) -> Any:
        """`idle_s:` with nothing after it keeps the default, as a section whose lines are all comments must."""
        if not isinstance(given, dict):
            return given
        fields = cls.model_fields
        return {key: value for key, value in given.items() if value is not None or key not in fields or fields[key].is_required()}


class Server(Tree):
    """Where the proxy listens."""

    host: str = Field("127.0.0.1", description="Address to listen on. Anything but loopback needs auth.")
    port: Port = Field(8080, description="Port to listen on; 0 lets the system choose.")
    workers: Count = Field(1, description="Processes that share the port.")
    drain_s: Seconds = Field(20, description="After SIGTERM, how long streams may go on before they get an in-band shutdown error.")


class Admin(Tree):
    """Where /metrics, /livez and /readyz are served; absent: on the main port."""

    host: str = Field("127.0.0.1", description="Address of the admin listener. Anything but loopback needs auth.")
    port: Port = Field(9091, description="Port of the admin listener; 0 lets the system choose.")


class Cors(Tree):
    """Which web pages may call from another origin."""

    allow_origins: tuple[Origin, ...] = Field(("*",), description='Origins that may call, or "*" for any. Any never goes with credentials.')
    allow_credentials: bool = Field(False, description="Whether pages may send cookies and the like. Needs a list of origins.")
    max_age_s: WholeSeconds = Field(600, description="How long a browser may keep the answer of a preflight.")

    @model_validator(mode="after")
    def _any_origin_has_no_credentials(self) -> "Cors":
        if self.allow_credentials and "*" in self.allow_origins:
            raise ValueError('cannot have allow_credentials with allow_origins "*": name the origins, or set allow_credentials to false')
        return self


class Key(Tree):
    """One client key. The key itself is never stored: sha256 is its SHA-256 in hex."""

    name: str = Field(description="Name of the key, for logs.")
    sha256: Sha256 = Field(description="SHA-256 of the key, in lower-case hex: printf %s KEY | sha256sum.")
    models: tuple[str, ...] = Field(("*",), description='Models that it may ask for; "*" is all.')
    max_streams: Count | None = Field(None, description="Streams that it may have open at once.")
    requests_per_minute: Count | None = Field(None, description="Requests that it may send in a minute.")


class Auth(Tree):
    """Who may call."""

    keys: tuple[Key, ...] = Field((), description="The keys that are accepted.")


class Limits(Tree):
    """Bounds on what one peer may make the proxy hold."""

    max_body_bytes: Count = Field(4_194_304, description="Largest request body.")
    max_event_bytes: Count = Field(1_048_576, description="Largest single event from an upstream.")
    max_streams: Count = Field(10_000, description="Streams open at once in one process.")
    max_error_bytes: Count = Field(65_536, description="How much of an upstream's error body is read.")
    max_answer_bytes: Count = Field(
        16_777_216, description="Largest upstream answer that is gathered for a client that asked for one document."
    )
    write_buffer_bytes: Count = Field(65_536, description="Unsent bytes of one client beyond which its upstream is no longer read.")


class Timeouts(Tree):
    """How long to wait for an upstream, in seconds."""

    connect_s: Seconds = Field(5, description="To connect, TLS included.")
    first_event_s: Seconds = Field(60, description="From sending the request to the first event.")
    idle_s: Seconds = Field(60, description="Between two reads; a ping from the upstream counts.")
    total_s: Seconds = Field(600, description="For the whole answer.")


class Streams(Tree):
    """How streams behave."""

    heartbeat_s: Seconds = Field(15, description="After this silence the client gets a heartbeat in its dialect's form.")
    on_disconnect: Literal["cancel", "grace", "finish"] = Field(
        "cancel", description="When the client leaves: close the upstream, read on for grace_s, or read to the end."
    )
    grace_s: Seconds = Field(30, description="With on_disconnect grace: how long to read on.")
    write_timeout_s: Seconds = Field(30, description="A client that takes nothing for this long is cut.")


class Logs(Tree):
    """What is logged, to standard error."""

    format: Literal["json", "console", "auto"] = Field("auto", description="auto: console on a terminal, JSON elsewhere.")
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity that is logged.")
    prompts: bool = Field(
        False, description="Whether prompts may be logged (with level debug). Off: no prompt and no answer is ever logged."
    )


class Mock(Tree):
    """An upstream that is played here instead of called."""

    scenario: str = Field("hello", description="What it plays: a built-in scenario or the path of a YAML script or a recording.")
    tokens_per_s: Rate = Field(40, description="Its pace; 0 is as fast as can be.")
    fault: str | None = Field(None, description="A fault to play, for example cut@3 (see mainstem mock --help).")


class Upstream(Tree):
    """A configured endpoint."""

    vendor: str | None = Field(
        None,
        description="A vendor of config/vendors.yaml: it gives dialect, base_url, options and key, where they are not said here.",
    )
    dialect: str = Field(description="The wire format that it speaks.")
    base_url: BaseUrl | None = Field(None, description="Its address, to which the dialect's path is added.")
    path: UrlPath | None = Field(None, description="Path to call instead of the dialect's own.")
    api_key: ApiKey | None = Field(None, description='Its key; "${NAME}" reads an environment variable.')
    api_key_file: str | None = Field(None, description="A file that holds its key; a relative path starts at this file's folder.")
    headers: Headers = Field({}, description="Further request headers, for example a cookie; never printed.")
    options: dict[str, Any] = Field(
        {}, repr=False, description="Settings of the dialect itself; build_request in its folder under proxy/dialects lists them."
    )
    timeouts: Timeouts | None = Field(None, description="Timeouts for this upstream alone; what is left out is as in timeouts.")
    mock: Mock | None = Field(None, description="Play it here instead of calling it: scenario, tokens_per_s, fault.")

    @model_validator(mode="after")
    def _has_one_place(self) -> "Upstream":
        if (self.base_url is None) == (self.mock is None):
            raise ValueError("needs either base_url (a real endpoint) or mock (played here), and not both")
        if self.api_key is not None and self.api_key_file is not None:
            raise ValueError("has both api_key and api_key_file: keep one")
        return self

    def key(self) -> str | None:
        """The API key in plain text, for the header that carries it. None: the endpoint wants none."""
        return (self.api_key.get_secret_value() or None) if self.api_key is not None else None


class Target(Tree):
    """One place where a model can be had."""

    upstream: str = Field(description="Name of the upstream.")
    model: str = Field("", description="The vendor's name of the model; empty: the name that the client asked for.")


class Settings(Tree):
    """The whole tree."""

    server: Server = Server()
    admin: Admin | None = None
    cors: Cors = Cors()
    auth: Auth | Literal["none"] | None = Field(
        None, description='Who may call; "none", written out, lets anyone, even on a public address.'
    )
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    streams: Streams = Streams()
    logs: Logs = Logs()
    upstreams: dict[UpstreamName, Upstream] = Field({}, description="The endpoints, by name.")
    models: dict[ModelName, tuple[Target, ...]] = Field(
        {}, description='What clients may ask for: a name, or "*" for any other, and its targets in the order in which they are tried.'
    )

    @model_validator(mode="after")
    def _targets_exist(self) -> "Settings":
        for model, targets in self.models.items():
            if not targets:
                raise ValueError(f"models.{model} needs at least one target")
            for target in targets:
                if target.upstream not in self.upstreams:
                    known = ", ".join(sorted(self.upstreams)) or "none is configured"
                    raise ValueError(f"models.{model}: upstream {target.upstream!r} is not among upstreams ({known})")
        return self

    @model_validator(mode="after")
    def _own_timeouts_are_whole(self) -> "Settings":
        """An upstream that sets one timeout has the others from the common ones, not from the built-in defaults."""
        for name, upstream in self.upstreams.items():
            if upstream.timeouts is not None:
                own = upstream.timeouts.model_dump(include=upstream.timeouts.model_fields_set)
                self.upstreams[name] = upstream.model_copy(update={"timeouts": self.timeouts.model_copy(update=own)})
        return self
