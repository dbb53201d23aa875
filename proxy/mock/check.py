"""Whether a mock can be played."""

from proxy.dialects.registry import CLIENTS
from proxy.mock.compose import MockSpec, wish_for
from proxy.mock.fixtures import fixtures_in
from proxy.mock.load import load, read
from proxy.mock.replay import check_spec
from proxy.mock.script import Manner, MockError, nearest


def check(name: str, spec: MockSpec) -> None:
    """Raises MockError where its dialect, scenario or fault does not exist."""
    if spec.shelf:
        try:
            check_spec(spec)
        except MockError as error:
            raise MockError(f"mock {name}: {error}") from error
        return
    if spec.dialect not in CLIENTS:
        raise MockError(
            f"mock {name}: no dialect {spec.dialect!r} can be "
            f"played{nearest(spec.dialect, CLIENTS)}; the dialects are {', '.join(CLIENTS)}"
        )
    try:
        wish = wish_for(spec, {})
        if wish.path is not None:
            data = read(wish.path) if wish.script is None else wish.script
            if fixtures_in(wish.path, data) is None:
                load(wish.path, Manner(spec.dialect), data)
    except MockError as error:
        raise MockError(f"mock {name}: {error}") from error
