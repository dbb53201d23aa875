from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.settings.load import load
from proxy.settings.mistakes import ConfigError
from proxy.settings.model import Settings

Load = Callable[..., Settings]
Problems = Callable[..., list[str]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where the other fixtures write the file under test."""
    return tmp_path / "x.yaml"


@pytest.fixture
def loaded(config: Path) -> Load:
    """loaded("server: {port: 1}", NAME="value") reads that file in that environment."""

    def read(text: str | bytes, **environ: str) -> Settings:
        config.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(config, environ)

    return read


@pytest.fixture
def problems(loaded: Load, config: Path) -> Problems:
    """What is wrong with that file, with `x.yaml` for its path."""

    def read(text: str | bytes, **environ: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            loaded(text, **environ)
        return [said.replace(str(config), "x.yaml") for said in caught.value.problems]

    return read
