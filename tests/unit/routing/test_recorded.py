"""Requests become rows by what somebody said of their answers, without any text."""

import numpy as np
import pytest

from router_svc.recording import as_bytes
from services.routing.artefact import Embedding
from services.routing.features import FEATURE_VERSION
from services.routing.fit import fit
from services.routing.recorded import (
    outcomes_by_model,
    quality_of_tier,
    rows_of_ledger,
    vector_of,
)
from services.routing.rows import RowsError
from tests.unit.routing.recording import (
    AXIS,
    FAIL,
    PASS,
    UNJUDGED,
    USED,
    VALUES,
    features,
    request,
)


def told(made):
    return {model: outcome.quality for model, outcome in outcomes_by_model(made).items()}


def test_a_verdict_labels_the_model_whose_answer_was_judged():
    assert {"small": 1.0} == told(request(verdicts={"a": PASS}))
    assert {"small": 0.0} == told(request(verdicts={"a": FAIL}))


def test_prose_that_is_preferred_is_good_and_what_was_given_is_not():
    made = request(score=0.0)
    made.feedback[-1].preferred_juror, made.feedback[-1].preferred_tier = "b", "t"

    assert {"small": 0.0, "large": 1.0} == told(made)


def test_who_gave_the_same_ballot_shares_the_verdict():
    assert {"small": 1.0, "large": 1.0} == told(
        request(ballots={"a": "x", "b": "x"}, verdicts={"a": PASS})
    )
    assert {"small": 1.0} == told(request(ballots={"a": "x", "b": "y"}, verdicts={"a": PASS}))


def test_a_calibrated_verdict_counts_by_its_probability():
    made = request(verdicts={"a": FAIL})
    made.verdicts[0].p_ok.value, made.verdicts[0].p_ok.calibrated = 0.4, True

    assert {"small": 0.4} == told(made)


def test_an_unjudged_answer_has_no_label():
    assert {} == told(request(verdicts={"a": UNJUDGED}))


def test_feedback_stands_over_the_verdict():
    assert {"small": 0.2} == told(request(verdicts={"a": PASS}, score=0.2))


def test_good_feedback_on_a_ballot_tells_of_the_others_too():
    assert {"small": 0.9, "large": 0.0} == told(request(ballots={"a": "x", "b": "y"}, score=0.9))


def test_outcomes_tell_cost_and_tokens():
    outcome = outcomes_by_model(request(score=1.0))["small"]

    assert (0.5, 40.0) == (outcome.cost_usd, outcome.output_tokens)


def test_the_quality_of_a_tier_is_its_feedback_else_its_verdict():
    made = request(verdicts={"a": PASS})
    assert (1.0, None) == (quality_of_tier(made, "t"), quality_of_tier(made, "other"))

    made.feedback.add(score=0.3)
    assert 0.3 == quality_of_tier(made, "t")


def test_rows_hold_numbers_and_digests_but_no_text():
    found = rows_of_ledger(
        [request(score=1.0, kept=features(vector=AXIS)), request("r2", verdicts={"a": FAIL},
         kept=features(vector=AXIS, digest="e" * 32))],
        embedding=USED,
    )  # fmt: skip
    rows = found.rows

    assert (("small",), ("r1", "r2"), ("", "")) == (rows.models, rows.ids, rows.texts)
    assert ("d" * 32, "e" * 32) == rows.keys
    assert [[1.0], [0.0]] == rows.labels.tolist()
    assert [[0.0, 1.0]] * 2 == rows.vectors.tolist()
    assert VALUES == rows.features[0].tolist()
    assert ("code", "code") == rows.domains
    assert found.has_vectors


def test_says_what_was_left_out_and_why():
    asked = [
        request("r1", score=1.0, kept=features(vector=AXIS)),
        request("r2", score=1.0),
        request("r3"),
        request("r4", score=1.0, kept=features(version=FEATURE_VERSION + 1)),
        request("r5", score=1.0, kept=features(vector=AXIS, embedding="openai/other")),
    ]
    bare = request("r6", score=1.0)
    bare.route.ClearField("features")
    found = rows_of_ledger([*asked, bare], embedding=USED)

    assert ("r1",) == found.rows.ids
    assert {1} == set(found.left_out.values())
    assert 5 == len(found.left_out)


def test_without_any_row_says_why_of_how_many():
    with pytest.raises(RowsError, match="no request to learn from: of 2: nobody judged an answer"):
        rows_of_ledger([request("r1"), request("r2")], embedding=USED)
    with pytest.raises(RowsError, match="nothing was asked yet"):
        rows_of_ledger([request(score=1.0)], embedding=USED, ensembles=["other"])


def test_a_router_learns_from_rows_without_embeddings():
    """It tells prompts apart by how they are made."""
    rng = np.random.default_rng(0)
    asked = []
    for nth in range(200):
        long = nth % 2
        kept = features(digest=f"{nth:032d}")
        kept.values[0] = 3.0 + 5.0 * long + 0.1 * rng.standard_normal()
        asked.append(request(f"r{nth}", score=1.0 - long, kept=kept))
    rows = rows_of_ledger(asked, embedding=USED).rows
    rows = rows.embedded(np.zeros((len(rows), 4), dtype=np.float32))
    routing = fit(rows, Embedding("none", "words", 4), created="")

    assert 200 == routing.models[0].n_labels
    assert abs(routing.logistic.of_features[0, 0]) > 0.5


def test_a_vector_is_rounded_and_no_more():
    rng = np.random.default_rng(0)
    vector = rng.standard_normal(384).astype(np.float32)
    vector /= np.linalg.norm(vector)

    assert float(vector @ vector_of(as_bytes(vector))) > 0.995
    assert vector_of(b"") is None
