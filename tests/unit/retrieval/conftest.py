"""A folder with two documents, and its index."""

import pytest

from services.retrieval.index import Index
from tests.unit.retrieval.libraries import BEES, TAX


@pytest.fixture
def docs(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "bees.md").write_text(BEES)
    (folder / "tax.md").write_text(TAX)
    return folder


@pytest.fixture
def opened(tmp_path, docs):
    """Open the index of the folder, as often as wanted."""
    held = []

    def again(*, patterns=("**/*.md",), embedder="words"):
        held.append(Index(tmp_path / "i.sqlite", folder=docs, patterns=patterns, embedder=embedder))
        return held[-1]

    yield again
    for index in held:
        index.close()
