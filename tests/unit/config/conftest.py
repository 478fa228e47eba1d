"""What every test of a configuration file writes and reads."""

from pathlib import Path

import pytest

from services.config.load import load
from services.config.problems import ConfigError


@pytest.fixture
def written(tmp_path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "gremium.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def problems(written):
    def found(text: str | bytes) -> list[tuple[int, str]]:
        with pytest.raises(ConfigError) as caught:
            load(written(text))
        return [(problem.line, problem.message) for problem in caught.value.problems]

    return found
