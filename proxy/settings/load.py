"""Reads the configuration: the environment over the YAML file over the catalogue of vendors over
the defaults.

`load` gives a whole, checked `Settings` or raises ConfigError with every mistake found, each one
sentence that begins with the file or the variable at fault. It reads the file, the key files that
it names and the mapping that it is given, and nothing else.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from proxy.settings.access import with_jwks_found
from proxy.settings.checks import check, section
from proxy.settings.defaults import demonstrated, embedded
from proxy.settings.document import read_document
from proxy.settings.environment import merge, read_environment, variable_of
from proxy.settings.files import Files
from proxy.settings.folders import with_folders_found
from proxy.settings.mistakes import ConfigError, Problems, add_validation
from proxy.settings.model import Settings
from proxy.settings.reading import read_file, unreadable
from proxy.settings.tls import with_tls_found
from proxy.settings.vendors import filled

_PLACES = ("server", "admin")
_MAX_KEY_BYTES = 65_536  # a key is a line; more is some other file named by mistake
# else it is the name of a built-in scenario
_SCRIPT_ENDINGS = (".yaml", ".yml", ".json", ".jsonl", ".ndjson", ".sse", ".bin", ".har")
# in these sections a name means nothing here: what it says is for the vendor
_VENDORS_WORDS = ("headers", "options")


def config_path(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read: the one named, else that of MAINSTEM_CONFIG, else none."""
    named = environ.get("MAINSTEM_CONFIG")
    return path if path is not None else Path(named) if named else None


def load(path: Path | None, environ: Mapping[str, str], files: Files | None = None) -> Settings:
    """The settings. Without a file, or without upstreams and models in it, the embedded mock
    answers for every dialect.

    `files` is told of every file that this takes, also when ConfigError is raised.
    """
    path = config_path(path, environ)
    files = Files() if files is None else files
    problems = Problems()
    if path is not None:
        files.note(path)
    tree = read_document(path, environ, problems) if path is not None else {}
    given = read_environment(environ, problems)
    tree = merge(tree, given)
    if not tree.get("upstreams") and not tree.get("models"):
        tree = merge(demonstrated(tree), {**tree, **embedded()})
    tree = filled(tree, environ, problems)
    folder = path.parent if path is not None else Path()
    for named in _named_files(tree):
        files.note(folder / named)
    tree = with_jwks_found(_with_scripts_found(tree, folder), folder, problems)
    tree = with_tls_found(with_folders_found(tree, folder, problems), folder, problems)
    keys = _read_keys(tree, folder, problems)
    check(tree, problems)
    settings = _validated(tree, problems)
    if problems or settings is None:
        raise ConfigError(
            [
                f"{variable_of(where, environ, given) or path or 'environment'}: {sentence}"
                for where, sentence in problems
            ]
        )
    for name, key in keys.items():
        settings.upstreams[name] = settings.upstreams[name].model_copy(update={"api_key": key})
    return settings


def load_places(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Settings of which only `server` and `admin` are the configuration's: for whoever asks a proxy
    that runs with it, and need not know its keys. Raises ConfigError for mistakes in these.
    """
    path = config_path(path, environ)
    problems = Problems()
    tree = read_document(path, environ, problems) if path is not None else {}
    tree = merge(tree, read_environment(environ, problems))
    tree = {name: tree[name] for name in _PLACES if name in tree}
    tree = with_tls_found(tree, path.parent if path is not None else Path(), problems)
    settings = _validated(tree, problems)
    told = [said for where, said in problems if not where or where[0] in _PLACES]
    if told or settings is None:
        raise ConfigError([f"{path or 'environment'}: {said}" for said in told])
    return settings


def _validated(tree: Mapping[str, Any], problems: Problems) -> Settings | None:
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        add_validation(error, problems, tree)
    return None


def _with_scripts_found(tree: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A scenario that is a file is found from the configuration's folder, wherever the program was
    started.
    """
    upstreams = dict(section(tree, "upstreams"))
    for name, upstream in upstreams.items():
        mock = section(tree, "upstreams", name, "mock")
        scenario = mock.get("scenario")
        if isinstance(scenario, str) and _is_script(scenario):
            upstreams[name] = {**upstream, "mock": {**mock, "scenario": str(folder / scenario)}}
    return {**tree, "upstreams": upstreams} if upstreams else dict(tree)


def _is_script(scenario: str) -> bool:
    return "/" in scenario or scenario.endswith(_SCRIPT_ENDINGS)


def _named_files(tree: Mapping[str, Any], depth: int = 4) -> list[str]:
    """The files that are named anywhere in the tree: by whatever is called `..._file`, and the
    mocks' scripts. The depth is that of a script (upstreams, name, mock, scenario); a tree that
    holds itself has none.
    """
    named: list[str] = []
    for name, value in tree.items():
        if isinstance(value, dict) and name not in _VENDORS_WORDS and depth > 1:
            named += _named_files(value, depth - 1)
        elif isinstance(value, str) and (
            name.endswith("_file") or (name == "scenario" and _is_script(value))
        ):
            named.append(value)
    return named


def _read_keys(tree: Mapping[str, Any], folder: Path, problems: Problems) -> dict[str, SecretStr]:
    """The key of each upstream that has it in a file."""
    keys = {}
    for name, upstream in section(tree, "upstreams").items():
        named = upstream.get("api_key_file") if isinstance(upstream, dict) else None
        # both is a mistake, which validation says
        if isinstance(named, str) and upstream.get("api_key") is None:
            key, fault = _key_in(folder / named)
            if fault:
                problems.say(("upstreams", name, "api_key_file"), fault)
            keys[name] = SecretStr(key)
    return keys


def _key_in(file: Path) -> tuple[str, str]:
    """The key in a file, and what is wrong with the file: one of the two is empty."""
    try:
        data = read_file(file, _MAX_KEY_BYTES)
    except ValueError:
        data = b"\0"  # what is too long is no key, whatever it is
    except OSError as error:
        return "", unreadable(file, error)
    key = data.strip()
    if not key:
        return "", f"is empty: {file}; write the key into it"
    if not key.isascii() or not key.decode("ascii").isprintable():
        return "", f"does not hold a key: {file}; it must have one line of plain characters"
    return key.decode("ascii"), ""
