"""What holds between settings, checked on the tree of plain values: so that one wrong number does
not hide a wrong name.

Each check takes the merged tree, in which anything may have any type, and passes over what is not
of the type that it needs: validation says that.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import msgspec

from proxy.dialects.registry import UPSTREAMS
from proxy.settings.access import check_access, check_store, is_loopback
from proxy.settings.mistakes import Problems, nearest
from proxy.settings.reaching import check_reach
from proxy.settings.rules import NAMES, RuleBook
from proxy.settings.schema import Where
from proxy.settings.sections import Admin, Server

Raw = Mapping[str, Any]


def check(tree: Raw, problems: Problems) -> None:
    """Adds what is wrong."""
    _dialects(tree, problems)
    _rules(tree, problems)
    _targets(tree, problems)
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
            problems.say(
                ("upstreams", name, "dialect"),
                f"{dialect[:60]!r} is not a dialect{nearest(dialect, UPSTREAMS)}",
            )


def _rules(tree: Raw, problems: Problems) -> None:
    """Options that override a fact of the catalogue."""
    for name, upstream in section(tree, "upstreams").items():
        options = section(tree, "upstreams", name, "options")
        given = {key: value for key, value in options.items() if key in NAMES}
        if not given or not isinstance(upstream, dict):
            continue
        try:
            RuleBook("", None, given)
        except msgspec.ValidationError as error:
            problems.say(("upstreams", name, "options"), f"{error}")


def _targets(tree: Raw, problems: Problems) -> None:
    upstreams, models = section(tree, "upstreams"), section(tree, "models")
    if upstreams and not tree.get("models"):
        problems.say(
            ("models",),
            (
                f'is empty: say what clients may ask for, for example "*": [{{upstream: '
                f"{next(iter(upstreams))}}}]"
            ),
        )
    for model, asked in models.items():
        where: Where = (
            ("models", model, "targets") if isinstance(asked, dict) else ("models", model)
        )
        targets = asked.get("targets") if isinstance(asked, dict) else asked
        if isinstance(asked, dict) and "targets" not in asked and "upstream" in asked:
            problems.say(
                ("models", model),
                "must be a list of targets, or a section with targets: put [ ] around this one",
            )
        elif targets in ([], None):
            problems.say(
                where,
                (
                    "needs at least one target, for example [{upstream: NAME, model: "
                    "THE-VENDORS-NAME}]"
                ),
            )
        for index, target in enumerate(targets if isinstance(targets, list) else []):
            upstream = target.get("upstream") if isinstance(target, dict) else None
            if isinstance(upstream, str) and upstream not in upstreams:
                problems.say(
                    (*where, index, "upstream"),
                    f"{upstream[:60]!r} is not among upstreams{nearest(upstream, upstreams)}",
                )
        for setting in ("hedge_after_s", "continue_after_commit"):
            if (
                isinstance(asked, dict)
                and asked.get(setting)
                and isinstance(targets, list)
                and len(targets) == 1
            ):
                problems.say(
                    ("models", model, setting),
                    "needs a second target to ask: list one, or take this setting out",
                )


def _listeners(tree: Raw, problems: Problems) -> None:
    server, admin = section(tree, "server"), section(tree, "admin")
    host, port = _given(server, "host", Server().host), _given(server, "port", Server().port)
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
