"""How far a copy is, is noted when it matters, and told when it changes."""

import logging

import pytest

from services.ledger import postgres_progress
from services.ledger.postgres_mark import Mark
from services.ledger.postgres_progress import Progress


@pytest.fixture
def marks():
    return []


@pytest.fixture
def progress(marks):
    return Progress(Mark(), marks.append)


def test_notes_the_first_record_at_once_and_the_next_ones_together(progress, marks, monkeypatch):
    progress.fed(1)
    progress.fed(2)
    progress.fed(3)
    assert [1] == [mark.seq for mark in marks]
    monkeypatch.setattr(postgres_progress, "NOTE_S", 0.0)
    progress._next_note_s = 0.0
    progress.fed(3)

    assert [1, 3] == [mark.seq for mark in marks]


def test_notes_nothing_while_nothing_changes(progress, marks):
    for _ in range(3):
        progress.fed(0)
        progress.keep(at_once=True)

    assert [] == marks


def test_notes_an_error_and_its_end_at_once(progress, marks):
    progress.fed(7)
    progress.failed("no route")
    progress.failed("no route")
    progress.fed(7)

    assert [(7, ""), (7, "no route"), (7, "")] == [(mark.seq, mark.error) for mark in marks]


def test_an_error_begins_with_the_first_of_several(progress, marks):
    progress.failed("no route")
    began_ns = marks[0].since_ns
    progress.failed("refused")

    assert "refused" == marks[1].error
    assert began_ns == marks[1].since_ns


def test_tells_an_error_once_and_that_it_is_over(progress, caplog):
    with caplog.at_level(logging.INFO):
        progress.failed("no route")
        progress.failed("no route")
        progress.fed(4)
        progress.fed(5)

    assert ["WARNING", "INFO"] == [record.levelname for record in caplog.records]
    assert "it has 4" in caplog.text
