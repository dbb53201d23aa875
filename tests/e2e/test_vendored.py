"""What of others is served with the page is theirs, byte for byte, at the version of the lock file."""

from pathlib import Path

from tests.needs import NPM_PACKAGES, requires

VENDOR = Path(__file__).parents[2] / "proxy" / "web" / "vendor"


@requires("npm_packages")
def test_marked_is_the_locked_one_without_the_name_of_its_map() -> None:
    package = NPM_PACKAGES / "marked"
    theirs = (package / "lib" / "marked.esm.js").read_text("utf-8")
    lines = [line for line in theirs.splitlines() if not line.startswith("//# sourceMappingURL=")]
    assert lines == (VENDOR / "marked.js").read_text("utf-8").splitlines()
    assert (package / "LICENSE").read_text() == (VENDOR / "marked.LICENSE.txt").read_text()
