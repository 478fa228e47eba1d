"""A decision keeps as much of a prompt as the configuration says, and never its text."""

import numpy as np
import pytest

from router_svc.reading import Reader
from router_svc.recording import Recorder, as_bytes
from services.core.deadline import Deadline
from services.core.errors import BackendError
from services.routing.dedupe import text_key
from services.routing.features import features
from tests.unit.router.tiers import prompt

TEXT = "What is 6 x 7?"


class Embeds:
    def __init__(self, error=None):
        self.asked, self._error = 0, error

    async def embed(self, texts, *, deadline):
        self.asked += 1
        if self._error:
            raise self._error
        return np.array([[0.6, -0.8]] * len(texts), dtype=np.float32)


async def read(what, embedder=None):
    reader = Reader(
        embedder or Embeds(), recorder=Recorder(what, "none/words"), looks_for_domains=False,
        timeout_s=1.0,
    )  # fmt: skip
    return (await reader.read(prompt(TEXT), deadline=Deadline.after(5.0))).recorded


async def test_keeps_nothing_where_nothing_is_to_be_kept():
    embedder = Embeds()

    assert await read("nothing", embedder) is None
    assert 0 == embedder.asked


async def test_keeps_numbers_and_a_digest_without_embedding():
    embedder = Embeds()
    kept = await read("features", embedder)

    assert tuple(features(prompt(TEXT))) == kept.values
    assert text_key(TEXT) == kept.question_digest
    assert (b"", "", 0) == (kept.vector, kept.embedding, embedder.asked)


async def test_keeps_the_embedding_only_where_asked_to():
    kept = await read("embedding")

    assert [76, -102] == np.frombuffer(kept.vector, dtype=np.int8).tolist()
    assert "none/words" == kept.embedding


async def test_an_embedder_that_fails_leaves_the_numbers():
    kept = await read("embedding", Embeds(BackendError("down")))

    assert (b"", "") == (kept.vector, kept.embedding)
    assert kept.values


@pytest.mark.parametrize("vector", [[0.0, 0.0], [np.nan, 1.0]])
def test_a_vector_that_tells_nothing_is_not_kept(vector):
    assert b"" == as_bytes(np.array(vector, dtype=np.float32))
