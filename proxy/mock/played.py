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
        name: MockSpec(dialect, mock.scenario, mock.tokens_per_s, mock.fault, _script(name, mock))
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


def _script(name: str, mock: Mock) -> bytes | None:
    from proxy.mock.load import is_path, read  # noqa: PLC0415  see above

    try:
        return read(Path(mock.scenario)) if is_path(mock.scenario) else None
    except MockError as error:
        raise MockError(f"mock {name}: {error}") from error
