"""The configuration tree: frozen, units in the names, unknown keys refused.
`proxy/settings/load.py` fills it.
"""

from typing import Literal

from pydantic import Field, model_validator

from proxy.settings.auth import Auth
from proxy.settings.costs import Costs
from proxy.settings.limits import Limits
from proxy.settings.recording import Record
from proxy.settings.sections import (
    Admin,
    Breaker,
    Cors,
    Logs,
    MetricsSection,
    Retry,
    Server,
    Streams,
    Timeouts,
)
from proxy.settings.tracing import Tracing
from proxy.settings.tree import Tree
from proxy.settings.upstreams import Model, Upstream
from proxy.settings.values import ModelName, UpstreamName


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
    metrics: MetricsSection = MetricsSection()
    costs: Costs = Costs()
    tracing: Tracing | None = None
    record: Record | None = None
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
