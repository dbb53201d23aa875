"""Finding a place in the tree's shape."""

import pytest

from proxy.settings.auth import Key
from proxy.settings.model import Settings
from proxy.settings.schema import Where, branch_at, fixed_paths
from proxy.settings.sections import Server, Timeouts
from proxy.settings.tree import Tree
from proxy.settings.upstreams import Mock, ModelTarget


@pytest.mark.parametrize(
    ("where", "branch"),
    [
        ((), Settings),
        (("server",), Server),
        (("auth", "keys", 0), Key),
        (("upstreams", "any", "mock"), Mock),
        (("upstreams", "any", "timeouts"), Timeouts),
        (("models", "any", 3), ModelTarget),
        (("server", "port"), None),
        (("upstreams", "any", "options", "x"), None),
        (("no", "such"), None),
    ],
)
def test_the_section_at_a_path(where: Where, branch: type[Tree] | None) -> None:
    """Through names of the operator's, and positions in lists."""
    assert branch is branch_at(where)


def test_paths_without_names_of_the_operator_s() -> None:
    """Those that a hint may give."""
    paths = set(fixed_paths())
    assert {("server", "port"), ("admin", "port"), ("auth", "keys"), ("upstreams",)} <= paths
    assert not any(path[:2] == ("upstreams", "dialect") for path in paths)
