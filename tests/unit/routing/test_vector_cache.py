"""Embedding many texts may stop anywhere, and goes on with what is missing."""

import asyncio

import numpy as np
import pytest

from services.routing.embedding import PART, embedded
from services.routing.features import MAX_EMBEDDED_CHARS
from services.routing.vector_cache import VectorCache, VectorCacheError, cache_in, digest_of

TEXTS = [f"text {n}" for n in range(PART + 10)]


class Lengths:
    """Embeds a text by its length and its last character; fails after some parts on request."""

    def __init__(self, *, parts=None):
        self.seen, self._parts = [], parts

    async def embed(self, texts, *, deadline):
        if self._parts is not None and len(self.seen) >= self._parts:
            raise asyncio.CancelledError
        self.seen.append(list(texts))
        return np.array([[len(text), ord(text[-1])] for text in texts], dtype=np.float32)


@pytest.fixture
def cache(tmp_path):
    return cache_in(tmp_path / "vectors", "openai/some model")


def ignored(*_):
    pass


async def test_gives_vectors_in_the_order_of_the_texts(cache):
    found = await embedded(TEXTS, Lengths(), cache, ignored)

    assert [[len(t), ord(t[-1])] for t in TEXTS] == found.vectors.tolist()
    assert len(TEXTS) == found.n_computed


async def test_what_was_stopped_goes_on_where_it_was(cache):
    stopped, again = Lengths(parts=1), Lengths()
    with pytest.raises(asyncio.CancelledError):
        await embedded(TEXTS, stopped, cache, ignored)
    found = await embedded(TEXTS, again, cache, ignored)

    assert [10] == [len(part) for part in again.seen]
    assert 10 == found.n_computed
    assert set(TEXTS) == {text for part in (*stopped.seen, *again.seen) for text in part}
    assert [[len(t), ord(t[-1])] for t in TEXTS] == found.vectors.tolist()


async def test_the_same_text_is_embedded_once(cache):
    embedder = Lengths()
    found = await embedded(["a", "bb", "a"], embedder, cache, ignored)

    assert [["a", "bb"]] == embedder.seen
    assert found.vectors[0].tolist() == found.vectors[2].tolist()


async def test_long_texts_are_embedded_as_the_router_embeds_them(cache):
    embedder = Lengths()
    await embedded(["x" * 3 * MAX_EMBEDDED_CHARS], embedder, cache, ignored)

    assert MAX_EMBEDDED_CHARS + 1 == len(embedder.seen[0][0])


async def test_tells_how_far_it_is(cache):
    told = []
    await embedded(TEXTS, Lengths(), cache, lambda *now: told.append(now[:2]))

    assert [(PART, PART + 10), (PART + 10, PART + 10)] == told


def test_a_record_that_was_cut_off_is_overwritten(cache):
    one, other = digest_of("one"), digest_of("other")
    cache.add([one], np.array([[1.0, 2.0]], dtype=np.float32))
    with cache.path.open("ab") as file:
        file.write(b"half a record")
    cache.add([other], np.array([[3.0, 4.0]], dtype=np.float32))

    assert {one: [1.0, 2.0], other: [3.0, 4.0]} == {d: v.tolist() for d, v in cache.read().items()}


def test_vectors_of_another_length_are_refused(cache):
    cache.add([digest_of("one")], np.zeros((1, 2), dtype=np.float32))

    with pytest.raises(VectorCacheError, match="holds vectors of 2 numbers; these have 3"):
        cache.add([digest_of("two")], np.zeros((1, 3), dtype=np.float32))


def test_another_programs_file_is_named(tmp_path):
    path = tmp_path / "vectors"
    path.write_bytes(b"something else entirely")

    with pytest.raises(VectorCacheError, match=r"vectors: is no file of embeddings"):
        VectorCache(path).read()
