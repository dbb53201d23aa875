"""What each target takes: the facts of its dialect, vendor and model, out of the catalogue, under
what the operator's `options` say.
"""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from proxy.codec.rules import Rules
from proxy.settings.vendors import Facts, ModelFacts, catalogue

NAMES = frozenset(Rules.__struct_fields__)
_REMEMBERED = 1024  # a client may name any model where "*" leads to an upstream


class RuleBook:
    """The rules of one upstream, by the vendor's name of the model. What `options` hold under the
    name of a rule overrides the catalogue. Raises msgspec.ValidationError for one that is none.
    """

    def __init__(self, dialect: str, vendor: str | None, options: Mapping[str, Any]) -> None:
        row = None if vendor is None else catalogue().vendors.get(vendor)
        facts = [catalogue().dialects.get(dialect, Facts())]
        if row is not None:
            facts.append(Facts(row.takes, row.models))
        self._takes = [each.takes for each in facts]
        self._models = [model for each in facts for model in each.models]
        self._own = {name: value for name, value in options.items() if name in NAMES}
        self._known: dict[str, Rules] = {}
        msgspec.convert(self._own, Rules)

    def of(self, model: str) -> Rules:
        """The rules for a model."""
        found = self._known.get(model)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[model] = self._resolved(model.lower())
        return found

    def _resolved(self, model: str) -> Rules:
        given: dict[str, Any] = {}
        for facts in (*self._takes, *_matching(self._models, model), self._own):
            given.update(facts)
        return msgspec.convert(given, Rules)


def _matching(models: Iterable[ModelFacts], name: str) -> Iterator[Mapping[str, Any]]:
    return (row.takes for row in models if any(fnmatchcase(name, pattern) for pattern in row.match))
