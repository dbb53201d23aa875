"""Which files are watched, and what counts as a change."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.settings.defaults import is_embedded
from proxy.settings.files import Files
from proxy.settings.load import load
from proxy.settings.mistakes import ConfigError

NAMES = """
upstreams:
  a: {dialect: plain, base_url: "https://x", api_key_file: keys/a, headers: {x_file: no/file}, options: {y_file: none}}
  b: {dialect: anthropic, mock: {scenario: script.sse}}
models: {m: [{upstream: a}]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.write_text("one")
    return file


def noted(*paths: Path) -> Files:
    files = Files()
    for path in paths:
        files.note(path)
    return files


def looks(files: Files, times: int = 2) -> list[bool]:
    return [files.changed() for _ in range(times)]


def test_what_nobody_touches_has_not_changed(path: Path) -> None:
    assert [False] * 3 == looks(noted(path), 3)


def _swap(path: Path) -> None:
    """As Kubernetes does it: the same size, the same time, the same name; another file behind
    it."""
    other = path.with_name("other")
    other.write_text("two")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path.resolve())


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text("longer"),
        lambda path: path.write_text(""),
        lambda path: path.unlink(),
        lambda path: path.chmod(0o600),  # it could not be read before
        lambda path: os.utime(path, ns=(1, 1)),
        _swap,
    ],
    ids=["written", "emptied", "gone", "permissions", "time", "swapped"],
)
def test_a_change_counts_when_it_has_settled_for_one_look(
    path: Path, change: Callable[[Path], object]
) -> None:
    files = noted(path)
    files.changed()
    change(path)
    assert [False, True] == looks(files)


def test_a_symlink_that_leads_elsewhere_is_a_change(tmp_path: Path) -> None:
    """The link that is named stays; the one in the middle is swapped."""
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "key").write_text(version)
        os.utime(tmp_path / version / "key", ns=(1, 1))
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "key").symlink_to("..data/key")
    files = noted(tmp_path / "key")
    assert [False, False] == looks(files)
    (tmp_path / "new").symlink_to("v2")
    (tmp_path / "new").replace(tmp_path / "..data")
    assert [False, True] == looks(files)


def test_while_it_is_being_written_it_has_not_changed_yet(path: Path) -> None:
    files = noted(path)
    for length in range(1, 5):
        path.write_text("x" * length * 10)
        assert not files.changed()
    assert files.changed()


def test_one_of_several_is_enough_and_all_must_have_settled(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("1")
    files = noted(one, other)
    other.write_text("was missing")
    assert not files.changed()
    one.write_text("and more")
    assert [False, True] == looks(files)


def test_what_is_written_between_the_note_and_the_look_is_a_change(path: Path) -> None:
    files = noted(path)
    path.write_text("while it was read")
    files.note(path)  # read a second time: the first reading counts
    assert [False, True] == looks(files)


def test_a_pipe_is_not_watched(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not noted(tmp_path / "pipe")
    assert noted(tmp_path / "missing")
    assert noted(Path("a\0b"))


@pytest.mark.parametrize("rest", ["", "sever: {}"], ids=["good", "bad"])
def test_a_reading_tells_of_its_files_whether_it_succeeds_or_not(tmp_path: Path, rest: str) -> None:
    """Of those that are not there too; what is meant for a vendor names none."""
    config = tmp_path / "x.yaml"
    config.write_text(NAMES + rest)
    if not rest:
        (tmp_path / "keys").mkdir()
        (tmp_path / "keys" / "a").write_text("secret")
    files = Files()
    try:
        load(config, {}, files)
    except ConfigError:
        assert rest
    assert {config, tmp_path / "keys" / "a", tmp_path / "script.sse"} == set(files._read)


def test_a_file_that_is_no_yaml_is_watched_all_the_same(tmp_path: Path) -> None:
    config = tmp_path / "x.yaml"
    config.write_text("a: [")
    files = Files()
    with pytest.raises(ConfigError):
        load(config, {}, files)
    assert {config} == set(files._read)


def test_a_tree_that_holds_itself_names_no_end_of_files(tmp_path: Path) -> None:
    config = tmp_path / "x.yaml"
    config.write_text("upstreams: &a\n  b: *a\n")
    with pytest.raises(ConfigError, match="alias of what it stands in"):
        load(config, {}, Files())


def test_the_embedded_mock_is_known_from_what_is_configured(tmp_path: Path) -> None:
    config = tmp_path / "x.yaml"
    config.write_text("server: {port: 1}")
    assert is_embedded(load(None, {}))
    assert is_embedded(load(config, {}))
    config.write_text(
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {m: [{upstream: a}]}"
    )
    assert not is_embedded(load(config, {}))
