"""What holds between models and upstreams. Part of `proxy/settings/checks.py`."""

from collections.abc import Mapping
from typing import Any

from proxy.settings.mistakes import Problems, nearest
from proxy.settings.model import Settings
from proxy.settings.schema import Where

_EXAMPLE = "for example [{upstream: NAME, model: THE-VENDORS-NAME}]"


def check_targets(tree: Mapping[str, Any], problems: Problems) -> None:
    """Adds what is wrong. `tree` is the merged tree, in which anything may have any type."""
    upstreams, models = tree.get("upstreams") or {}, tree.get("models") or {}
    if not isinstance(upstreams, dict) or not isinstance(models, dict):
        return  # validation says what they must be
    if models and not upstreams:
        # else that section is there under another name, which validation says
        if Settings.model_fields.keys() >= tree.keys():
            problems.say(
                ("models",),
                "needs upstreams to lead to, and there are none: name one, for example upstreams: "
                "{openai: {vendor: openai}}",
            )
        return
    if upstreams and not models:
        example = f'"*": [{{upstream: {next(iter(upstreams))}}}]'
        problems.say(("models",), f"is empty: say what clients may ask for, for example {example}")
    for model, asked in models.items():
        _Model(model, asked, tree, problems).check()


class _Model:
    """One model of the tree."""

    def __init__(self, name: str, asked: Any, tree: Mapping[str, Any], problems: Problems) -> None:
        self._where: Where = ("models", name)
        self._asked = asked
        self._tree = tree
        self._problems = problems

    def check(self) -> None:
        asked = self._asked
        if isinstance(asked, str):
            self._say((), self._of_text(asked))
            return
        inner: Where = ("targets",) if isinstance(asked, dict) else ()
        targets = asked.get("targets") if isinstance(asked, dict) else asked
        if isinstance(asked, dict) and "targets" not in asked and "upstream" in asked:
            self._say(
                (), "must be a list of targets, or a section with targets: put [ ] around this one"
            )
        elif targets in ([], None):
            self._say(inner, f"needs at least one target, {_EXAMPLE}")
        listed = targets if isinstance(targets, list) else []
        for index, target in enumerate(listed):
            self._target((*inner, index), target)
        for setting in ("hedge_after_s", "continue_after_commit"):
            if isinstance(asked, dict) and asked.get(setting) and len(listed) == 1:
                self._say(
                    (setting,),
                    "needs a second target to ask: list one, or take this setting out",
                )

    def _target(self, inner: Where, target: Any) -> None:
        upstreams = self._tree["upstreams"]
        if isinstance(target, str):
            known = target if target in upstreams else "NAME"
            self._say(inner, f"must be a target, for example {{upstream: {known}}}")
        upstream = target.get("upstream") if isinstance(target, dict) else None
        if isinstance(upstream, str) and upstream not in upstreams:
            a_model = "a model, and " if upstream in self._tree["models"] else ""
            self._say(
                (*inner, "upstream"),
                f"{upstream[:60]!r} is {a_model}not among upstreams{nearest(upstream, upstreams)}",
            )

    def _of_text(self, text: str) -> str:
        """A name stands where targets are wanted."""
        if text in self._tree["upstreams"]:
            return f"must be a list of targets: write [{{upstream: {text}}}]"
        if text in self._tree["models"]:
            return "names another model: list the targets of that one here too"
        return f"must be a list of targets, {_EXAMPLE}, or a section with targets"

    def _say(self, inner: Where, said: str) -> None:
        self._problems.say((*self._where, *inner), said)
