"""What holds between settings, checked on the tree of plain values: so that one wrong number does
not hide a wrong name.

Each check takes the merged tree, in which anything may have any type, and passes over what is not
of the type that it needs: validation says that.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import msgspec

from proxy.codec.base import TargetConfig
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.errors import Refused
from proxy.request import ChatRequest, Message
from proxy.settings.access import check_access, check_store, is_loopback
from proxy.settings.mistakes import Problems, nearest
from proxy.settings.reaching import check_reach
from proxy.settings.rules import NAMES, RuleBook
from proxy.settings.sections import Admin, Server
from proxy.settings.syntax import foreign
from proxy.settings.targets import check_targets

Raw = Mapping[str, Any]


def check(tree: Raw, problems: Problems) -> None:
    """Adds what is wrong."""
    _dialects(tree, problems)
    _options(tree, problems)
    check_targets(tree, problems)
    check_reach(section(tree, "upstreams"), tree.get("auth"), problems)
    _listeners(tree, problems)
    _kept_streams(tree, problems)
    _tracing(tree, problems)
    check_access(
        tree.get("auth"), section(tree, "limits").get("store"), section(tree, "models"), problems
    )


_OTEL = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def _tracing(tree: Raw, problems: Problems) -> None:
    """Its packages are an extra."""
    wanted = tree.get("tracing") is not None
    if wanted and not all(map(is_installed, _OTEL)):
        said = (
            "needs OpenTelemetry's SDK and its exporter over HTTP, which are not installed: pip "
            'install "mainstem[otel]"'
        )
        problems.say(("tracing",), said)


def is_installed(module: str) -> bool:
    """Whether it could be imported; its parent is."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _kept_streams(tree: Raw, problems: Problems) -> None:
    """A client that comes back may reach any worker, and each has a memory of its own."""
    kept = section(tree, "streams").get("resume")
    if kept is None:
        return
    store = kept.get("store") if isinstance(kept, dict) else None
    check_store(("streams", "resume", "store"), store, problems)
    workers = section(tree, "server").get("workers")
    if store in (None, "memory") and isinstance(workers, int) and workers > 1:
        problems.say(
            ("streams", "resume"),
            "keeps streams in the memory of one process: with server.workers above 1 a client that "
            "comes back may reach another one. Set streams.resume.store to a Redis, or "
            "server.workers to 1, or leave streams.resume out.",
        )


def section(tree: Raw, *names: str) -> dict[str, Any]:
    """A section of the tree, empty where there is none or something else stands there."""
    here: Any = tree
    for name in names:
        here = here.get(name) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else {}


def _given(branch: Raw, name: str, default: Any) -> Any:
    value = branch.get(name)
    return default if value is None else value


def _dialects(tree: Raw, problems: Problems) -> None:
    for name, upstream in section(tree, "upstreams").items():
        dialect = upstream.get("dialect") if isinstance(upstream, dict) else None
        if isinstance(dialect, str) and dialect not in UPSTREAMS:
            known = dialect in CLIENTS
            kind = "a dialect of clients alone" if known else "not a dialect"
            problems.say(
                ("upstreams", name, "dialect"),
                f"{dialect[:60]!r} is {kind}{nearest(dialect, UPSTREAMS)}",
            )


def _options(tree: Raw, problems: Problems) -> None:
    """Options that override a fact of the catalogue, and those that are the dialect's own."""
    for name in section(tree, "upstreams"):
        upstream = section(tree, "upstreams", name)
        options, dialect = section(upstream, "options"), upstream.get("dialect")
        facts = {key: value for key, value in options.items() if key in NAMES}
        try:
            RuleBook("", None, facts)
        except msgspec.ValidationError as error:
            problems.say(("upstreams", name, "options"), f"{error}")
        own = {key: value for key, value in options.items() if key not in NAMES}
        if own and isinstance(dialect, str) and dialect in UPSTREAMS:
            fault = _fault_of_options(dialect, _model_of(tree, name), own)
            if fault:
                problems.say(("upstreams", name, "options"), fault)


def _fault_of_options(dialect: str, model: str, options: Raw) -> str:
    """What is wrong with them, told by forming a request; else every request would fail."""
    request = ChatRequest(model=model, messages=[Message("user", "ping")])
    try:
        UPSTREAMS[dialect].build_request(request, TargetConfig("", model, options=options))
    except Refused as refused:
        _, wrong, why = refused.failure.message.partition("are wrong: ")
        if wrong:
            return f"are not those of {dialect}: {why.rstrip('.')}"
    return ""


def _model_of(tree: Raw, upstream: str) -> str:
    """A model that leads there, by the vendor's name: some options depend on it."""
    for name, asked in section(tree, "models").items():
        targets = asked.get("targets") if isinstance(asked, dict) else asked
        for target in targets if isinstance(targets, list) else []:
            if isinstance(target, dict) and target.get("upstream") == upstream:
                model = target.get("model")
                return model if isinstance(model, str) and model else name
    return "MODEL"


def _host(where: tuple[str, str], host: Any, problems: Problems) -> None:
    """It is an address or a name, and nothing else. Said before anybody asks whom it lets in."""
    if not isinstance(host, str):
        return
    name, _, port = host.rpartition(":")
    if host in ("", "*"):
        said = "must be an address: write 0.0.0.0, or ::, to listen on all that there are"
    elif "://" in host or "/" in host:
        said = "must be an address or a host name alone, such as 127.0.0.1: no scheme, no path"
    elif ":" not in name and name and port.isdecimal():
        said = f"must have no port in it: put that into {where[0]}.port"
    elif not host.isprintable() or " " in host or foreign(host):
        said = "must be an address or a host name, without spaces or quotes in it"
    else:
        return
    problems.say(where, said)


def _listeners(tree: Raw, problems: Problems) -> None:
    server, admin = section(tree, "server"), section(tree, "admin")
    host, port = _given(server, "host", Server().host), _given(server, "port", Server().port)
    _host(("server", "host"), host, problems)
    _host(("admin", "host"), admin.get("host"), problems)
    fix = "give keys under auth, listen on 127.0.0.1, or write `auth: none` to let anyone in"
    if tree.get("auth") is None:
        if isinstance(host, str) and not is_loopback(host):
            problems.say(
                ("server", "host"),
                f"{host[:60]!r} can be reached from other machines, and auth is absent: {fix}",
            )
        admin_host = admin.get("host")
        if isinstance(admin_host, str) and not is_loopback(admin_host):
            problems.say(
                ("admin", "host"),
                (
                    f"{admin_host[:60]!r} shows the metrics to other machines, and auth is "
                    f"absent: {fix}"
                ),
            )
    if "admin" in tree and tree["admin"] is not None:
        same_host = _given(admin, "host", Admin().host) == host
        if same_host and str(_given(admin, "port", Admin().port)) == str(port) != "0":
            problems.say(
                ("admin", "port"),
                (
                    "is the port of server too: choose another, or leave admin out to serve both "
                    "on one"
                ),
            )
