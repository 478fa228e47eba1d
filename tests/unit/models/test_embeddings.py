"""Texts that mean the same lie close together; blank ones lie nowhere."""

import asyncio

import numpy as np
import pytest

from services.core.deadline import Deadline
from services.core.errors import BackendError
from services.models.embeddings import open_embedder
from services.models.words import word_vectors
from tests.unit.models.rosters import loaded
from tests.upstream import upstream


async def vectors(texts, **spec):
    config = loaded({"m": {"model": "m"}}, embeddings=spec)
    async with open_embedder(config) as embedder:
        return await embedder.embed(texts, deadline=Deadline.after(20))


async def test_minilm_knows_what_is_related():
    related, other, unrelated, blank = await vectors(
        [
            "A man is eating food.",
            "A man is eating a meal.",
            "The stock market fell sharply on Monday.",
            "  ",
        ]
    )

    assert related @ other > 0.7
    assert related @ unrelated < 0.3
    assert pytest.approx(1.0, abs=1e-5) == np.linalg.norm(related)
    assert not blank.any()
    assert (384,) == related.shape


async def test_minilm_gives_a_text_its_vector_whatever_its_neighbours():
    long = "The history of Rome is long. " * 60
    alone = await vectors(["What is the capital of France?"])

    beside = await vectors([long, "", "What is the capital of France?", *(["hi"] * 20)])

    assert alone[0] @ beside[2] > 0.99


async def test_minilm_keeps_the_event_loop_free():
    config = loaded({"m": {"model": "m"}})
    ticks = 0
    async with open_embedder(config) as embedder:
        work = asyncio.create_task(
            embedder.embed(["many words here " * 60] * 32, deadline=Deadline.after(20))
        )
        while not work.done():
            await asyncio.sleep(0.005)
            ticks += 1

    assert ticks > 3
    assert (32, 384) == (await work).shape


async def test_minilm_stops_at_the_deadline():
    config = loaded({"m": {"model": "m"}})
    async with open_embedder(config) as embedder:
        with pytest.raises(TimeoutError):
            await embedder.embed(["many words here " * 60] * 500, deadline=Deadline.after(0.05))
        again = await embedder.embed(["hi"], deadline=Deadline.after(20))

    assert again.any()


async def test_an_api_gives_unit_vectors_in_order():
    async with upstream() as server:
        found = await vectors(["aab", "", "b"], backend="openai", model="e", base_url=server.url)

    assert (3, 26) == found.shape
    assert pytest.approx([2 / 5**0.5, 1 / 5**0.5]) == found[0, :2]
    assert not found[1].any()
    assert 1.0 == found[2, 1]


async def test_an_api_that_is_down_is_a_backend_error():
    with pytest.raises(BackendError):
        await vectors(["a"], backend="openai", model="e", base_url="http://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        pytest.param("The red apple", "apple, red; the!", "a blue sky", id="english"),
        pytest.param("法国的首都是巴黎", "巴黎是法国的首都", "今天天气很好", id="chinese"),
        pytest.param("パリはフランスの首都", "フランスの首都はパリ", "天気がいい", id="japanese"),
        pytest.param("ÜBER Straße", "über STRASSE", "Haus", id="case"),
    ],
)
async def test_words_alone_tell_texts_apart(one, same, other):
    a, b, c = await vectors([one, same, other], backend="none")

    assert a @ b > 0.7
    assert a @ c < 0.3


@pytest.mark.parametrize("text", ["", "  ", "?!"])
def test_a_text_without_words_is_zero(text):
    assert not word_vectors([text]).any()


def test_what_is_remembered_of_a_word_has_64_letters_at_most():
    one, other = word_vectors(["x" * 64 + "a", "x" * 64 + "b"])

    assert 0.5 == pytest.approx(float(one @ other))
