"""The upstreams of a configuration that are mocks. Where there are none, nothing is imported of
what plays them.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from proxy.mock.script import MockError
from proxy.settings.model import Settings
from proxy.settings.upstreams import Mock

if TYPE_CHECKING:
    from proxy.mock.account import Account
    from proxy.mock.compose import MockSpec
    from proxy.mock.server import MockServer
    from proxy.recording.shelf import Titled


def played(settings: Settings) -> "dict[str, MockSpec]":
    """The upstreams that are mocks, as the mock server takes them, with what their scripts' files
    hold now. Raises MockError.
    """
    mocks = {
        name: (upstream.dialect, upstream.mock)
        for name, upstream in settings.upstreams.items()
        if upstream.mock is not None
    }
    if not mocks:
        return {}
    from proxy.mock.compose import MockSpec  # noqa: PLC0415  see above

    return {
        name: MockSpec(
            dialect,
            mock.scenario,
            mock.tokens_per_s,
            mock.fault,
            *_files(name, mock),
            mock.speed,
            mock.match,
        )
        for name, (dialect, mock) in mocks.items()
    }


def check(settings: Settings) -> None:
    """Raises MockError for a mock that cannot be played."""
    if mocks := played(settings):
        server_of(mocks)


def server_of(mocks: "dict[str, MockSpec]", account: "Account | None" = None) -> "MockServer":
    """What plays them, once it is started. Raises MockError."""
    from proxy.mock.server import MockServer  # noqa: PLC0415  see above

    return MockServer(mocks, account=account)


def _files(name: str, mock: Mock) -> "tuple[bytes | None, tuple[Titled, ...]]":
    """The script, or the recordings, that a scenario names."""
    from proxy.mock.files import recordings_in  # noqa: PLC0415  see above
    from proxy.mock.load import is_path, read  # noqa: PLC0415
    from proxy.mock.replay import is_shelf  # noqa: PLC0415

    path = Path(mock.scenario)
    try:
        if not is_path(mock.scenario):
            return None, ()
        return (None, recordings_in(path)) if is_shelf(path) else (read(path), ())
    except MockError as error:
        raise MockError(f"mock {name}: {error}") from error
