"""The configuration as the relay uses it: resolved once, then only looked up. Running streams keep the plan that they began with."""

from collections.abc import Mapping
from typing import NamedTuple

from proxy.dialects.base import Target, UpstreamHalf
from proxy.dialects.registry import UPSTREAMS
from proxy.routing import Place, Router
from proxy.settings.model import Limits, Settings, Streams, Timeouts, Upstream
from proxy.upstream import Endpoint


class Bound(NamedTuple):
    """An upstream, ready to be called. `played`: it is a mock, which may be told per request what to play."""

    endpoint: Endpoint
    half: UpstreamHalf
    timeouts: Timeouts
    settings: Upstream
    played: bool

    def target(self, place: Place) -> Target:
        return Target(place.upstream, place.model, self.settings.key(), self.settings.options)


class Plan(NamedTuple):
    """All that serving a request needs to know of the configuration."""

    router: Router
    upstreams: Mapping[str, Bound]
    limits: Limits
    streams: Streams
    plays: bool  # whether any upstream is a mock


def make_plan(settings: Settings, mock_urls: Mapping[str, str]) -> Plan:
    """`mock_urls` gives the address of each upstream that is played here."""
    models = {name: [(t.upstream, t.model) for t in targets] for name, targets in settings.models.items()}
    bound = {name: _bind(name, upstream, settings, mock_urls) for name, upstream in settings.upstreams.items()}
    return Plan(Router(models), bound, settings.limits, settings.streams, bool(mock_urls))


def _bind(name: str, upstream: Upstream, settings: Settings, mock_urls: Mapping[str, str]) -> Bound:
    timeouts = upstream.timeouts or settings.timeouts
    url = mock_urls[name] if upstream.base_url is None else upstream.base_url
    headers = {key: value.get_secret_value() for key, value in upstream.headers.items()}
    endpoint = Endpoint(name, url.rstrip("/"), upstream.path, headers, timeouts.connect_s)
    return Bound(endpoint, UPSTREAMS[upstream.dialect], timeouts, upstream, upstream.mock is not None)
