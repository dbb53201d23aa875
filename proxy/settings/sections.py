"""The sections of the configuration that stand once: what the server, the logs and all streams keep
to.

A field's description is its documentation: config/mainstem.yaml is written from these words.
"""

from typing import Literal

from pydantic import Field, model_validator

from proxy.settings.resume import Resume
from proxy.settings.tree import Tree
from proxy.settings.values import (
    Count,
    Origin,
    Patience,
    Port,
    Seconds,
    Share,
    Text,
    Whole,
    WholeSeconds,
)

OnDisconnect = Literal["cancel", "grace", "finish"]
CONTINUE_PROMPT = (
    "Your last message was cut off. Go on exactly where it stops, in the middle of a word if "
    "need be. "
    "Repeat nothing of it and explain nothing."
)


class Tls(Tree):
    """HTTPS instead of HTTP on the clients' port (TLS 1.2 and 1.3, HTTP/1.1). New files are taken
    up for new connections without a restart.
    """

    cert_file: Text = Field(
        description=(
            "The certificate and its chain (PEM); a relative path starts at this file's folder."
        )
    )
    key_file: Text = Field(description="Its private key (PEM), without a passphrase.")


class Server(Tree):
    """Where the proxy listens."""

    host: str = Field(
        "127.0.0.1", description="Address to listen on. Anything but loopback needs auth."
    )
    port: Port = Field(8080, description="Port to listen on; 0 lets the system choose.")
    tls: Tls | None = Field(None, description=Tls.__doc__)
    workers: Count = Field(
        1, description="Processes that share the port. A change replaces them one after another."
    )
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
    playground: bool | None = Field(
        None,
        description=(
            "Whether the page at / is there, and shows those who may call their own streams piece "
            "by piece, the vendor's bytes too. Left out: only where host is loopback."
        ),
    )
    reload_check_s: Patience = Field(
        2,
        description=(
            "How often this file and those that it names are looked at, to be read again when one "
            "has changed; 0: never."
        ),
    )
    announce_s: Patience = Field(
        0,
        description=(
            "After SIGTERM, how long new requests are still taken while /readyz says 503 already, "
            "so that whoever shares out the load learns of it."
        ),
    )
    drain_s: Seconds = Field(
        20,
        description=("Then, how long streams may go on before they get an in-band shutdown error."),
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


class MetricsSection(Tree):
    """What /metrics has beside the usual."""

    by_key: bool = Field(
        False,
        description=(
            "Whether streams, tokens and cost are also counted for each key, by its name "
            "(mainstem_key_*). Subjects of signed tokens count as one."
        ),
    )
