"""The soak's configuration is one that the proxy takes, with witnesses and without."""

from pathlib import Path

import pytest

from proxy.settings.load import load
from tests.load.config import WITNESS, Ports, written

_PORTS = Ports(upstream=9001, dead=9002, stuck=9003)


@pytest.mark.parametrize("reloads", [0, 1])
@pytest.mark.parametrize("witness", [0, 9004])
def test_the_proxy_takes_it_after_each_reload(tmp_path: Path, witness: int, reloads: int) -> None:
    file = tmp_path / "mainstem.yaml"
    file.write_text(written(_PORTS._replace(witness=witness), 50, reloads))
    settings = load(file, {})
    assert bool(witness) == (WITNESS in settings.upstreams)
    assert bool(reloads) == (settings.streams.resume is None)
