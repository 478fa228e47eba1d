"""The bench of decisions measures any models, judges and sizes, and says what it cannot measure."""

import json

import numpy as np
import pytest

from bench.decisions import (
    SkippedError,
    ballots,
    early_stop,
    llmbar,
    refchecker,
    risk,
    sinks,
    summedits,
)
from bench.decisions.counted import alone
from bench.decisions.early_stop_tasks import tasks_of
from bench.decisions.pools import PUBLISHED
from services.calibration.votes import Votes
from tests.unit.bench.on_disk import (
    ACCURACIES,
    compared,
    found_in,
    recorded,
    rows_of,
    tool_calls,
    written,
)


@pytest.mark.parametrize(
    ("part", "why"),
    [
        pytest.param(sinks, "lacks answers of", id="sinks"),
        pytest.param(
            early_stop, "0 models were timed on most tasks; 5 are needed", id="early stop"
        ),
    ],
)
def test_a_part_whose_models_are_not_there_is_skipped(tmp_path, part, why):
    written(tmp_path / "jury/bfcl_25models.jsonl.gz", tool_calls(20))

    with pytest.raises(SkippedError, match=why):
        list(part.rows(tmp_path))


def test_published_figures_of_tool_calls_are_not_tried_on_tasks_with_gaps(tmp_path):
    rows = list(tool_calls(40))
    for nth, row in enumerate(rows):
        said = row["answers"]["fair"]
        row["answers"] = {
            name: None if nth % 2 and name == sinks.MINI else said
            for name in {*sinks.CHEAP, *sinks.BIG}
        }
    for row in rows[::4]:
        row["answers"][sinks.MINI] = None
    written(tmp_path / "jury/bfcl_25models.jsonl.gz", rows)

    with pytest.raises(SkippedError, match=r"10 of 40 tasks of bfcl_25models.jsonl.gz have"):
        list(sinks.rows(tmp_path))


def timed(n):
    """Tool calls of eight models, of which one was never timed."""
    rng = np.random.default_rng(0)
    for row in tool_calls(n):
        told = [*row["answers"].values()] * 2
        row["answers"] = {
            f"model {i}": {
                **each,
                "in": 100,
                "out": 10 + i if i else 0,  # an empty answer took its time, too
                "lat": None if i == 5 else float(rng.lognormal()),
            }
            for i, each in enumerate(told)
        }
        yield row


def test_stopping_early_is_tried_on_any_models_that_were_timed(tmp_path, monkeypatch):
    monkeypatch.setattr(early_stop, "SAMPLE", 4)
    monkeypatch.setattr(early_stop, "REPLAYS", 2)
    written(tmp_path / "jury/bfcl_9models.jsonl.gz", timed(40))

    same, calls, p95, money, real = found_in(early_stop, tmp_path)

    assert "early stop, bfcl_9models, 7 models: calls" == calls.measure
    assert 40 == len(tasks_of(tmp_path / "jury/bfcl_9models.jsonl.gz"))
    assert (100, 100) == (same.ours, real.ours)
    assert calls.ours < calls.reach == 7.0
    assert p95.ours < p95.reach
    assert money.ours > 0


@pytest.mark.parametrize("name", ["bfcl_25models", "bfcl_9models"])
def test_ballots_of_other_models_are_measured_by_what_they_reach_themselves(tmp_path, name):
    written(tmp_path / f"jury/{name}.jsonl.gz", tool_calls(120))

    (row,) = found_in(ballots, tmp_path)

    assert f"{name}, 4 models: validity of the winner" == row.measure
    assert row.ours >= row.reach
    assert row.reach < ballots.REACH


def test_judges_that_are_not_there_are_skipped(tmp_path):
    written(tmp_path / "judge/llmbar_with_judges.jsonl.gz", [{"judges": {}, "label": 1}])

    with pytest.raises(SkippedError, match="lacks verdicts of"):
        list(llmbar.rows(tmp_path))


@pytest.mark.parametrize("name", ["llmbar_with_judges", "other_judges"])
def test_other_judges_are_a_panel_that_has_to_reach_the_best_of_them(tmp_path, monkeypatch, name):
    monkeypatch.setattr(llmbar, "SEEDS", range(1))
    written(tmp_path / f"judge/{name}.jsonl.gz", compared(300))

    (row,) = found_in(llmbar, tmp_path)

    assert f"{name} all, Plain, 4 judges, as served" == row.measure
    assert 75 < row.reach < row.ours


def with_gaps(n):
    """The strongest answers two of three prompts, and one says nothing at all."""
    for i, row in enumerate(recorded(n)):
        if i % 3 == 0:
            row["answers"]["strong"] = None
        if i % 5 == 0:
            row["answers"]["plain"] = [None, 0, 0, 0]
        if i % 7 == 0:
            del row["answers"]["weak"]
        yield row


def test_who_is_not_heard_costs_no_other_juror_its_vote(tmp_path):
    written(tmp_path / "jury/zeroeval_gaps.jsonl.gz", with_gaps(300))

    found, _ = rows_of(tmp_path)

    assert "300 prompts, 4 models, 11.9 % of the answers missing" in found[0].note
    assert found[0].ours > found[0].baseline


def test_where_the_best_juror_is_not_heard_the_next_one_stands_for_it():
    right = np.array([[True, False], [True, False], [True, False], [False, True]])
    keys = (("a", "b"), ("a", "b"), ("a", "b"), (None, "b"))

    assert [True] * 4 == alone(Votes(("x", "y"), keys, right), 0).tolist()


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        pytest.param(9, "holds 9 prompts of 4 models", id="too few prompts"),
        pytest.param(0, "is empty", id="empty"),
    ],
)
def test_a_recording_too_small_to_measure_is_told(tmp_path, rows, why):
    written(tmp_path / "jury/zeroeval_gsm.jsonl.gz", recorded(rows))

    assert why in rows_of(tmp_path)[1]


def test_a_single_juror_is_no_pool(tmp_path):
    rows = [{**r, "answers": {"strong": r["answers"]["strong"]}} for r in recorded(60)]
    written(tmp_path / "jury/zeroeval_one.jsonl.gz", rows)

    assert "holds 60 prompts of 1 models" in rows_of(tmp_path)[1]


def test_two_jurors_on_sixty_prompts_are_a_pool(tmp_path):
    rows = [{**r, "answers": dict(list(r["answers"].items())[:2])} for r in recorded(60)]
    written(tmp_path / "jury/zeroeval_two.jsonl.gz", rows)

    found, _ = rows_of(tmp_path)

    assert "zeroeval_two all" == found[0].measure
    assert "too few labels" in found[0].note
    assert not any("ECE" in row.measure for row in found)


@pytest.mark.parametrize(
    ("jurors", "missing", "expected"),
    [
        pytest.param(4, 0, True, id="the very same"),
        pytest.param(51, 0, False, id="other models"),
        pytest.param(4, 1, False, id="an answer is missing"),
    ],
)
def test_what_is_published_of_a_recording_is_held_against_no_other(
    tmp_path, monkeypatch, jurors, missing, expected
):
    monkeypatch.setitem(PUBLISHED, "CRUX", (60, jurors))
    rows = [{**row, "gold": f"[{row['gold']}]"} for row in recorded(60)]
    for row in rows[:missing]:
        row["answers"]["weak"] = None
    written(tmp_path / "jury/zeroeval_crux.jsonl.gz", rows)

    found, _ = rows_of(tmp_path)

    assert "CRUX all" == found[0].measure
    assert expected == any("target" in row.measure for row in found)


def lettered(n, letters="abcz"):
    rng = np.random.default_rng(0)
    for i in range(n):
        gold = letters[i % len(letters)]
        said = "".join(
            gold if rng.random() < p else letters[rng.integers(len(letters))]
            for p in ACCURACIES.values()
        )
        yield {"id": i, "gold": gold, "pred": said if i else "?" + said[1:]}


def test_letters_of_any_alphabet_and_number_of_models_are_a_pool(tmp_path):
    written(tmp_path / "routing/quiz_4models.jsonl.gz", lettered(200))
    listing = tmp_path / "routing/quiz_4models.models.json"
    listing.write_text(json.dumps({"models_in_pred_order": list(ACCURACIES)}))

    found, _ = rows_of(tmp_path)

    assert ("quiz_4models all", 199) == (found[0].measure, found[0].figure.prompts)


def test_letters_of_more_models_than_are_listed_are_told(tmp_path):
    written(tmp_path / "routing/quiz_4models.jsonl.gz", lettered(40))
    listing = tmp_path / "routing/quiz_4models.models.json"
    listing.write_text(json.dumps({"models_in_pred_order": ["a", "b", "c"]}))

    assert "quiz_4models.models.json does not fit the letters" in rows_of(tmp_path)[1]


def test_letters_without_their_models_are_told(tmp_path):
    written(tmp_path / "routing/quiz_4models.jsonl.gz", lettered(200))

    assert "quiz_4models.models.json does not list the models" in rows_of(tmp_path)[1]


def test_a_promise_is_tried_on_any_pool_that_is_large_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(risk, "FEWEST", 1_200)
    monkeypatch.setattr(risk, "SPLITS", 20)
    written(tmp_path / "jury/zeroeval_sums.jsonl.gz", recorded(1_200))

    found = found_in(risk, tmp_path)

    assert ["zeroeval_sums all"] * 2 == [row.measure.split(", ")[1] for row in found]
    assert [True, True] == [row.holds for row in found]


def test_summaries_without_their_documents_are_told(tmp_path):
    written(tmp_path / "judge/summedits_docs.jsonl.gz", [{"doc_id": "1", "doc": "A cat sat."}])
    rows = [{"id": i, "doc_id": i % 3, "summary": "A cat.", "label": i % 2} for i in range(9)]
    written(tmp_path / "judge/summedits.jsonl.gz", rows)

    with pytest.raises(SkippedError, match="3 of 9 summaries have a document, 2 are faithful"):
        list(summedits.rows(tmp_path))


def test_claims_that_nobody_else_answered_are_told(tmp_path):
    claim = {"t": ["a", "is", "b"], "label": "Entailment"}
    said = {"setting": "zero_context", "response": "a is b", "claims": [claim]}
    written(tmp_path / "judge/refchecker_7models_claims.jsonl.gz", [{"qid": "1", **said}])

    with pytest.raises(SkippedError, match="holds 0 claims on which others answered"):
        list(refchecker.rows(tmp_path))
