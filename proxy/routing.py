"""Model name -> ordered targets. Sans-IO: a table and two look-ups."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from proxy.codec.nearest import nearest
from proxy.errors import Refused, bad_request, failure

WILDCARD = "*"
# AWS gives the longest names that there are: its ARNs have up to 2,048 characters.
_MOST_CHARS = 2048


class Target(NamedTuple):
    """One place where a model can be had: an upstream's name and the vendor's name of the model.
    Those with a weight come first, in an order drawn by weight.
    """

    upstream: str
    model: str
    weight: int = 0


class Routed(NamedTuple):
    """`label` is the configured name (the asked one, or "*"): what a metric may carry. `places` are
    in the configured order.
    """

    label: str
    targets: tuple[Target, ...]


class Router:
    """The configured models. `models` maps a name, or "*" for any other, to its places; an empty
    vendor model stands for the name that the client asked for.
    """

    def __init__(self, models: Mapping[str, Sequence[Target]]) -> None:
        self._models = {name: tuple(targets) for name, targets in models.items()}
        # those that need nothing of the request: the same for each
        self._routed = {
            name: Routed(name, targets)
            for name, targets in self._models.items()
            if all(target.model for target in targets)
        }

    @property
    def names(self) -> list[str]:
        """What a client may be told that it can ask for."""
        return [name for name in self._models if name != WILDCARD]

    def targets(self, model: str) -> tuple[Target, ...]:
        """The places of a configured name; none where the name is not configured."""
        return self._models.get(model, ())

    def route(self, model: str) -> Routed:
        """Raises Refused: model_not_found, naming the nearest known model, or bad_request for what
        is too long to be a name.
        """
        if len(model) > _MOST_CHARS:
            raise bad_request(
                f"model has more than the {_MOST_CHARS} characters of a name.", param="model"
            )
        routed = self._routed.get(model)
        if routed is not None:
            return routed
        targets = self._models.get(model)
        label = model
        if targets is None:
            targets, label = self._models.get(WILDCARD), WILDCARD
        if targets is None:
            near = nearest(model, self.names)
            hint = f"did you mean {near!r}?" if near else "GET /v1/models lists what there is."
            raise Refused(
                failure(
                    "model_not_found",
                    f"There is no model {model[:100]!r} here; {hint}",
                    param="model",
                )
            )
        return Routed(
            label,
            tuple(target if target.model else target._replace(model=model) for target in targets),
        )
