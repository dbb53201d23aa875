"""Answers by what was asked: a YAML file of fixtures, of which the first that fits is played, in
every dialect. docs/MOCK.md describes the file.

    fixtures:
      - {prompt: weather, after_tool: false, tools: [{name: get_weather, arguments: {city: Paris}}]}
      - {prompt: weather, reasoning: "Let me see.", say: "It is sunny."}
      - {model: slow-1, scenario: long, fault: stall@3}
      - {say: "I do not know."}
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from proxy.events import Event, Tool
from proxy.mock.faults import parse_faults
from proxy.mock.parts import Ask, said
from proxy.mock.scenarios import ERRORS, SCENARIOS
from proxy.mock.script import MockError, nearest
from proxy.request import ToolResultPart

SUFFIXES = (".yaml", ".yml")
_DEFAULT = "hello"


class Call(msgspec.Struct, forbid_unknown_fields=True):
    """A tool call of the answer."""

    name: str
    arguments: dict[str, Any] = {}


class Fixture(msgspec.Struct, forbid_unknown_fields=True):
    """What must be so, and what is answered then. `prompt` stands in the newest user's text, in any
    case of its letters; `after_tool`: whether the newest message has a tool's result.
    """

    prompt: str | None = None
    model: str | None = None
    after_tool: bool | None = None
    say: str = ""
    reasoning: str = ""
    tools: list[Call] = []
    scenario: str = ""
    fault: str = ""

    def fits(self, ask: Ask) -> bool:
        request = ask.request
        newest = request.messages[-1].parts if request.messages else []
        after = any(isinstance(part, ToolResultPart) for part in newest)
        return (
            (self.prompt is None or self.prompt.casefold() in request.last_user_text.casefold())
            and (self.model is None or self.model == request.model)
            and (self.after_tool is None or self.after_tool is after)
        )

    @property
    def error_status(self) -> int | None:
        """Of a scenario that is an error before the first byte."""
        return ERRORS.get(self.scenario)

    def events(self, ask: Ask) -> Iterator[Event]:
        """The answer, without its start."""
        if self.say or self.reasoning or self.tools:
            return said(ask, self.say, self.reasoning, self._calls())
        return SCENARIOS[self.scenario or _DEFAULT](ask)

    def _calls(self) -> list[tuple[Tool, str]]:
        return [
            (Tool(f"call_mock_{number}", call.name), msgspec.json.encode(call.arguments).decode())
            for number, call in enumerate(self.tools, start=1)
        ]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    fixtures: list[Fixture]


def fixtures_in(path: Path, data: bytes) -> list[Fixture] | None:
    """The fixtures of a file; None for one that holds something else, such as a script. Raises
    MockError, which names the file and the place.
    """
    if not path.name.endswith(SUFFIXES) or b"fixtures" not in data:
        return None
    try:
        tree = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):  # the reader of scripts says it
        return None
    if not isinstance(tree, dict):
        return None
    try:
        fixtures = msgspec.convert(tree, _File).fixtures
    except msgspec.ValidationError as error:
        raise MockError(f"{path}: {error}") from error
    for number, fixture in enumerate(fixtures, start=1):
        try:
            _check(fixture)
        except MockError as error:
            raise MockError(f"{path}: fixture {number}: {error}") from error
    return fixtures


def chosen(path: Path, fixtures: list[Fixture], ask: Ask) -> Fixture:
    """The first that fits. Raises MockError where none does."""
    for fixture in fixtures:
        if fixture.fits(ask):
            return fixture
    raise MockError(
        f"none of the {len(fixtures)} fixtures of {path.name} fits this request: add one, or a "
        "last one without prompt, model and after_tool"
    )


def _check(fixture: Fixture) -> None:
    own = bool(fixture.say or fixture.reasoning or fixture.tools)
    if own and fixture.scenario:
        raise MockError("has a scenario beside say, reasoning or tools: keep one of them")
    if not own and not fixture.scenario and not fixture.fault:
        raise MockError("answers nothing: give say, reasoning, tools, scenario or fault")
    known = [*SCENARIOS, *ERRORS]
    if fixture.scenario and fixture.scenario not in known:
        raise MockError(
            f"there is no scenario {fixture.scenario!r}{nearest(fixture.scenario, known)}; the "
            f"scenarios are {', '.join(known)}"
        )
    parse_faults(fixture.fault)
