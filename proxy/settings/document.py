"""A configuration file to a tree of plain values: UTF-8, YAML, one mapping, every name once,
`${NAME}` filled in.

What is wrong with the file as a whole ends the reading (ConfigError); what is wrong at one place is
added to `problems`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from proxy.settings.mistakes import ConfigError, Problems
from proxy.settings.reading import read_file
from proxy.settings.schema import Where
from proxy.settings.syntax import syntax_fault

_MAX_BYTES = 16_777_216
_TEXT = "tag:yaml.org,2002:str"
_NOTHING = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"
_DATE = "tag:yaml.org,2002:timestamp"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
# `$${` stands for a literal `${`; a `${` that is neither that nor well formed is a mistake.
_VARIABLE = re.compile(
    rf"\$\$(?=\{{)|\$\{{(?P<name>{_NAME})(?P<default>:-[^}}]*)?\}}|(?P<bad>\$\{{)"
)


class _Loader(yaml.SafeLoader):
    """Plain values only. A date stays the text that it is: API versions look like dates, and JSON
    has none.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012  # that is how PyYAML wants it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _DATE]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_document(path: Path, environ: Mapping[str, str], problems: Problems) -> dict[str, Any]:
    """The tree in a file; an empty file is an empty tree."""
    text = _text(path)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None or root.tag == _NOTHING:
            return {}
        if isinstance(root, yaml.MappingNode):
            _Walk(environ, problems).node(root, ())
            tree: dict[str, Any] = loader.construct_document(root)
            return tree
        said = (
            "the file must be a section of names and values, such as `server:`, and not a list or "
            "a single value"
        )
    except yaml.YAMLError as error:
        said = syntax_fault(error, text)
    except RecursionError:
        said = "it is nested too deeply: no setting needs that"
    raise ConfigError([f"{path}: {said}"])


def _text(path: Path) -> str:
    said = ""
    try:
        return read_file(path, _MAX_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        said = "there is no such file; check the path, or name no file to run the embedded mock"
    except IsADirectoryError:
        said = "is a folder; name a file in it"
    except OSError as error:
        said = f"cannot be read ({error.strerror}); check the path and its permissions"
    except UnicodeDecodeError as error:
        said = f"is not UTF-8 (byte {error.start}); save it as UTF-8"
    except ValueError as error:
        said = f"is no configuration: {error}"
    raise ConfigError([f"{path}: {said}"])


class _Walk:
    """Visits every value of a file before it is built, as only here lines are known and a name
    given twice still shows.
    """

    def __init__(self, environ: Mapping[str, str], problems: Problems) -> None:
        self._environ = environ
        self._problems = problems
        self._seen: set[int] = set()
        self._open: set[int] = set()

    def node(self, node: yaml.Node, where: Where) -> None:
        if id(node) in self._open:
            self._problems.say(where, "is an alias of what it stands in: write it out")
        if id(node) in self._seen:  # an alias: the same place in the file
            return
        self._seen.add(id(node))
        self._open.add(id(node))
        self._inside(node, where)
        self._open.discard(id(node))

    def _inside(self, node: yaml.Node, where: Where) -> None:
        if isinstance(node, yaml.ScalarNode):
            if node.tag == _TEXT and "${" in node.value:
                self._problems.hidden.add(where)
                node.value = _VARIABLE.sub(lambda match: self._value(match, where), node.value)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.node(item, (*where, index))
        elif isinstance(node, yaml.MappingNode):
            self._mapping(node, where)

    def _mapping(self, node: yaml.MappingNode, where: Where) -> None:
        lines: dict[str, int] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                self.node(value, where)
                continue
            line = key.start_mark.line + 1
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            here = (*where, name)
            if key.tag != _TEXT:
                self._problems.say(
                    here,
                    f"(line {line}) has a name that YAML does not read as text: put it in quotes",
                )
                key.tag = _TEXT
            if name in lines:
                self._problems.say(
                    here, f"is given twice, on line {lines[name]} and on line {line}: keep one"
                )
            lines[name] = line
            self.node(value, here)

    def _value(self, match: re.Match[str], where: Where) -> str:
        """What a variable stands for. One that is set but empty counts as not set, as in a shell's
        `${NAME:-default}`.
        """
        name, default = match["name"], match["default"]
        if match["bad"]:
            self._problems.say(
                where,
                (
                    "has a ${ that is not ${NAME} or ${NAME:-default}: close it, or write $${ for "
                    "the signs themselves"
                ),
            )
        if name is None:
            return "$"
        value = self._environ.get(name)
        if not value and default is None:
            lacking = "is not set" if value is None else "is empty"
            self._problems.say(
                where,
                (
                    f"needs the environment variable {name}, which {lacking}: set it, or write "
                    f"${{{name}:-default}}"
                ),
            )
        return value or (default or "")[2:]
