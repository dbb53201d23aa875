"""What each kind means to an operator, and where to look first. By hand; docs/FAULTS.md has it beside
what the code says."""

from proxy.errors import Kind

MEANINGS: dict[Kind, tuple[str, str]] = {
    "bad_request": (
        "The upstream refuses what it was asked.",
        "The message: it is the vendor's. A parameter that this model does not take?",
    ),
    "model_not_found": (
        "The upstream has no such model.",
        "`models.*.model`.",
    ),
    "too_large": (
        "The request is larger than the upstream takes, or than `limits.max_body_bytes`.",
        "Whether the message names the upstream.",
    ),
    "rate_limited": (
        "The upstream's rate limit, or a client's own.",
        "The vendor's quota; another target for the model.",
    ),
    "overloaded": (
        "The upstream has too much to do, its circuit is open, or a bound of this proxy is reached.",
        "The message says which; another target.",
    ),
    "connect_failed": (
        "There was no connection, or it broke before the head of an answer.",
        "Address, DNS, firewall and certificate of the upstream.",
    ),
    "connect_timeout": (
        "No connection, TLS included, within `timeouts.connect_s`.",
        "Network and firewall between here and the upstream.",
    ),
    "first_event_timeout": (
        "No event within `timeouts.first_event_s` of the request.",
        "The vendor's load; a slow model wants a longer time.",
    ),
    "idle_timeout": (
        "Not a byte for `timeouts.idle_s` in the midst of an answer.",
        "The vendor's load; a middlebox that drops idle connections.",
    ),
    "total_timeout": (
        "The answer was not done within `timeouts.total_s`.",
        "Whether the answer was that long, or had no end.",
    ),
    "upstream_status": (
        "An HTTP status that is the upstream's or the operator's affair.",
        "401 and 403: the configured key. 3xx, 404 and 405: `base_url`, `path`. 5xx: the vendor.",
    ),
    "upstream_error": (
        "The vendor's own error under a status of success.",
        "The message: it is the vendor's.",
    ),
    "upstream_malformed": (
        "What came is not what this dialect's answers are made of.",
        "`dialect` and `base_url`; a login page or gateway in between.",
    ),
    "upstream_truncated": (
        "The answer ended before it was complete.",
        "The vendor's status page; a gateway in between that cuts long answers.",
    ),
}
CLIENTS_OWN: dict[Kind, str] = {
    "unauthorized": "the client's key is missing, unknown or expired.",
    "forbidden": "the client's key may not ask for this model, or its page may not call.",
    "client_gone": "the client left, or took nothing for `streams.write_timeout_s`; it is answered nothing.",
    "cancelled": "the stream was cancelled from here.",
    "shutdown": "this proxy was told to stop, and the stream outlived `server.drain_s`.",
    "internal": "a defect of this proxy; the log has the traceback.",
}
