"""The configuration as the relay uses it: resolved once, then only looked up. Running streams keep
the plan that they began with.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from proxy.codec.base import TargetConfig
from proxy.codec.halves import UpstreamHalf
from proxy.dialects.registry import UPSTREAMS
from proxy.relay.price_table import TABLE, PriceTable
from proxy.relay.prices import PriceList
from proxy.relay.redactor import Redactor
from proxy.routing import WILDCARD, Router, Target
from proxy.settings.costs import TABLE_CURRENCY
from proxy.settings.limits import Limits
from proxy.settings.model import Settings
from proxy.settings.recording import Record
from proxy.settings.rules import NAMES, RuleBook
from proxy.settings.sections import Breaker, Retry, Streams, Timeouts
from proxy.settings.upstreams import Model, Upstream
from proxy.upstream.client import Endpoint

if TYPE_CHECKING:
    from proxy.relay.recorder import Recorder

_REMEMBERED = 1024  # a client may name any model where "*" leads to an upstream
# One request may tell a mock to misbehave; no other request shall be refused for it.
_NO_BREAKER = Breaker(failures=0)


class Bound(NamedTuple):
    """An upstream, ready to be called. `played`: it is a mock, which may be told per request what
    to play. `veil` hides its secrets where it is asked with its own key. `recorder`: what keeps its
    streams, where they are to be kept.
    """

    endpoint: Endpoint
    half: UpstreamHalf
    timeouts: Timeouts
    settings: Upstream
    played: bool
    breaker: Breaker
    retry_share: float
    rules: RuleBook
    options: Mapping[str, Any]  # the dialect's own
    prices: PriceList
    veil: Redactor
    known: dict[Target, TargetConfig]  # what `config` gave
    recorder: "Recorder | None" = None

    def config(self, target: Target) -> TargetConfig:
        """The same one for each request to a target."""
        found = self.known.get(target)
        if found is None:
            if len(self.known) >= _REMEMBERED:
                self.known.clear()
            key, rules = self.settings.key(), self.rules.of(target.model)
            found = TargetConfig(target.upstream, target.model, key, self.options, rules)
            self.known[target] = found
        return found


class ModelPolicy(NamedTuple):
    """How a model is served."""

    streams: Streams
    hedge_after_s: float | None = None
    continue_after_commit: bool = False


class Plan(NamedTuple):
    """All that serving a request needs to know of the configuration. `policies` are by the model's
    configured name.
    """

    router: Router
    upstreams: Mapping[str, Bound]
    limits: Limits
    retry: Retry
    streams: Streams
    policies: Mapping[str, ModelPolicy]
    plays: bool  # whether any upstream is a mock
    table: PriceTable | None  # that must be loaded before an answer is asked for
    by_key: bool  # whether metrics tell of keys


def make_plan(settings: Settings, mock_urls: Mapping[str, str]) -> Plan:
    """`mock_urls` gives the address of each upstream that is played here."""
    table = _table_for(settings)
    return Plan(
        Router(
            {
                name: [Target(t.upstream, t.model, t.weight or 0) for t in model.targets]
                for name, model in settings.models.items()
            }
        ),
        {
            name: _bind(name, upstream, settings, mock_urls, table)
            for name, upstream in settings.upstreams.items()
        },
        settings.limits,
        settings.retry,
        settings.streams,
        {name: _policy_of(model, settings.streams) for name, model in settings.models.items()},
        bool(mock_urls),
        table,
        settings.metrics.by_key,
    )


def _policy_of(model: Model, streams: Streams) -> ModelPolicy:
    own = {
        name: value
        for name in ("on_disconnect", "grace_s")
        if (value := getattr(model, name)) is not None
    }
    return ModelPolicy(
        streams.model_copy(update=own), model.hedge_after_s, model.continue_after_commit
    )


def _table_for(settings: Settings) -> PriceTable | None:
    """None where it is not wanted, or no upstream can be in it."""
    costs = settings.costs
    if costs.table == "off" or costs.currency != TABLE_CURRENCY or not TABLE.is_installed():
        return None
    return TABLE if any(map(_looks_up, settings.upstreams.values())) else None


def _looks_up(upstream: Upstream) -> bool:
    url = upstream.base_url
    return url is not None and TABLE.may_know(url) and WILDCARD not in upstream.prices


def _bind(
    name: str,
    upstream: Upstream,
    settings: Settings,
    mock_urls: Mapping[str, str],
    table: PriceTable | None,
) -> Bound:
    timeouts = upstream.timeouts or settings.timeouts
    url = mock_urls[name] if upstream.base_url is None else upstream.base_url
    headers = {key: value.get_secret_value() for key, value in upstream.headers.items()}
    endpoint = Endpoint(
        name, url.rstrip("/"), upstream.path, headers, timeouts.connect_s, upstream.private
    )
    played = upstream.mock is not None
    kept = upstream.record or settings.record
    breaker = upstream.breaker or (_NO_BREAKER if played else settings.breaker)
    return Bound(
        endpoint,
        UPSTREAMS[upstream.dialect],
        timeouts,
        upstream,
        played,
        breaker,
        settings.retry.budget,
        RuleBook(upstream.dialect, upstream.vendor, upstream.options),
        {key: value for key, value in upstream.options.items() if key not in NAMES},
        PriceList(upstream.prices, settings.costs.currency, upstream.base_url, table),
        Redactor(upstream, upstream.key()),
        {},
        None if kept is None else _recorder(name, upstream, kept),
    )


def _recorder(name: str, upstream: Upstream, kept: Record) -> "Recorder":
    from proxy.relay.recorder import Recorder  # noqa: PLC0415  hardly anybody records

    return Recorder(name, upstream.dialect, kept)
