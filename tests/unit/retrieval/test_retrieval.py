"""A folder is searched by words and by meaning, and only what changed is read again."""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from services.core.deadline import Deadline
from services.core.errors import DeadlineSpentError
from services.models.words import word_vectors
from services.retrieval.folder import listing
from services.retrieval.fusion import fused
from services.retrieval.passages import TARGET_CHARACTERS, pieces
from services.retrieval.shelves import Shelf
from tests.unit.retrieval.libraries import BEES, library, sources

ROOT = Path(__file__).parents[3]


def test_a_heading_starts_a_passage_and_names_it():
    text = "Intro.\n\n# A\n\nOne.\n\n## B\n\nTwo.\n\n# C\n\nThree."

    found = [(piece.heading, piece.text) for piece in pieces(text)]

    assert [("", "Intro."), ("A", "One."), ("A > B", "Two."), ("C", "Three.")] == found


def test_a_comment_in_code_is_no_heading():
    (piece,) = pieces("# Setup\n\n```sh\n# install\nmake\n```")

    assert ("Setup", "```sh\n# install\nmake\n```") == (piece.heading, piece.text)


def test_paragraphs_are_packed_to_about_the_target_and_none_is_lost():
    paragraphs = [f"w{n} " * 60 for n in range(40)] + ["long " * 2000]

    found = pieces("\n\n".join(paragraphs))

    words = " ".join(piece.text for piece in found).split()
    assert " ".join(paragraphs).split() == words
    assert max(len(piece.text) for piece in found) <= 3 * TARGET_CHARACTERS


def test_what_both_rankings_like_comes_first():
    assert "b" == fused([["a", "b"], ["b", "c"]])[0]


def test_equal_ranks_keep_their_order():
    assert ["a", "b"] == fused([["a"], ["b"]])


def test_hidden_files_and_other_kinds_are_left_out(docs):
    (docs / ".git").mkdir()
    (docs / ".git" / "x.md").write_text("no")
    (docs / ".hidden.md").write_text("no")
    (docs / "a.py").write_text("no")

    assert ["bees.md", "tax.md"] == [*listing(docs, ("**/*.md",)).files]


def test_finds_by_words_whatever_their_ending(opened):
    index = opened()
    index.refresh()

    assert ["bees.md: Honey"] == sources(index, "What does a bee make?")


def test_a_query_cannot_speak_the_languages_of_the_index(opened):
    index = opened()
    index.refresh()

    assert [] == sources(index, '" OR * NEAR( ; DROP TABLE passages --')
    assert ["tax.md: Tax"] == sources(index, 'april" AND NOT "')


def test_reads_only_what_changed(opened, docs):
    index = opened()
    assert 2 == index.refresh()
    assert 0 == index.refresh()

    (docs / "bees.md").write_text(BEES.replace("honey", "wax"))
    (docs / "tax.md").unlink()

    assert 1 == index.refresh()
    assert [] == sources(index, "april")
    assert ["bees.md: Honey"] == sources(index, "wax")
    assert 0 == opened().refresh()


def test_notices_a_change_of_time_alone(opened, docs):
    index = opened()
    index.refresh()
    os.utime(docs / "bees.md", ns=(1, 1))

    assert 1 == index.refresh()


def test_vectors_of_another_model_are_not_used(opened):
    first = opened()
    first.refresh()
    new = first.without_vector(10)
    first.add_vectors([one for one, _ in new], word_vectors([text for _, text in new]))
    assert first.by_meaning(word_vectors(["nectar"])[0], 5)

    second = opened(embedder="another")

    assert [] == second.by_meaning(word_vectors(["nectar"])[0], 5)


def test_what_stopped_underway_goes_on(opened):
    index = opened()
    turns = iter([True, False])

    assert 1 == index.refresh(go_on=lambda: next(turns))
    assert 1 == index.refresh()


def test_nothing_is_like_a_text_without_words(opened):
    index = opened()
    index.refresh()

    assert [] == index.by_meaning(np.zeros(8, dtype=np.float32), 5)


async def test_sees_a_file_that_came_since(docs):
    async with library(docs) as search:
        (docs / "new.md").write_text("# Cheese\n\nGouda is a cheese from Holland.")

        found = await search("Where is gouda from?")

    assert "new.md: Cheese" == found[0].source


async def test_finds_by_meaning_what_shares_no_word(docs):
    async with library(docs, embeddings="minilm", passages=1) as search:
        (found,) = await search("When must I file with revenue authorities?")

    assert "tax.md: Tax" == found.source


async def test_a_search_ends_with_its_deadline(docs):
    async with library(docs) as search:
        with pytest.raises(DeadlineSpentError):
            await search("honey", within_s=0.0)


async def test_a_search_leaves_the_event_loop_free(docs):
    longest_s, ended = 0.0, asyncio.Event()

    async def beat():
        nonlocal longest_s
        while not ended.is_set():
            began_s = time.monotonic()
            await asyncio.sleep(0.005)
            longest_s = max(longest_s, time.monotonic() - began_s)

    async with library(docs) as search, asyncio.TaskGroup() as group:
        for n in range(300):
            (docs / f"{n}.md").write_text(f"# Part {n}\n\n" + "some words here\n\n" * 200)
        group.create_task(beat())
        began_s = time.monotonic()
        await search("honey")
        ended.set()

    assert longest_s < (time.monotonic() - began_s) / 2


ANSWERED_IN = {
    "Which exit code means that there is no consensus?": "The command",
    "What may I change to use my own API keys?": "Which models answer",
    "Does a juror that hangs lose the answer?": "What happens to a question",
    "How do I call it from Python?": "Calling it from a program",
    "In which folder is the SQLite ledger?": "How to read the code",
    "What does CI run?": "Testing and changing it",
}


async def test_finds_in_the_own_readme_what_answers(tmp_path):
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "CHANGELOG.md"):
        (tmp_path / "docs" / name).write_bytes((ROOT / name).read_bytes())

    async with library(tmp_path / "docs", embeddings="minilm", passages=5) as search:
        found = {q: [each.source for each in await search(q)] for q in ANSWERED_IN}

    missed = {q for q, at in ANSWERED_IN.items() if not any(at in each for each in found[q])}
    assert set() == missed, found


class StuckEmbedder:
    """Has vectors for queries, and never ends with passages."""

    async def embed(self, texts, *, deadline):
        if len(texts) > 1:
            async with asyncio.timeout(deadline.left_s):
                await asyncio.Event().wait()
        return word_vectors(texts)


async def test_passages_without_vectors_are_found_by_their_words(opened):
    with ThreadPoolExecutor(1) as thread:
        shelf = Shelf("docs", opened(), thread, StuckEmbedder())

        (found,) = await shelf.search("nectar", most=1, deadline=Deadline.after(2.0))

    assert "bees.md: Honey" == found.source
