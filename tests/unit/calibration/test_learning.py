"""What can be learned is learned, and what cannot be is said with the counts it would take."""

import random
from dataclasses import replace

import pytest

from services.calibration.learning import digest, learn
from services.calibration.outcomes import Compared, Outcome
from services.calibration.telling import report, told

PROMISES = ((0.2, 0.1),)
STRONG = {"a": 0.9, "b": 0.6, "c": 0.6}


def outcomes(n, *, ensemble="main", accuracies=None, judged=False, seed=0):
    rng = random.Random(seed)  # noqa: S311 - a seed, no secret
    return [one(rng, f"q{i}", ensemble, accuracies or STRONG, judged=judged) for i in range(n)]


def one(rng, name, ensemble, accuracies, *, judged):
    right = {juror: rng.random() < p for juror, p in accuracies.items()}
    keys = {j: "right" if ok else rng.choice(["x", "y"]) for j, ok in right.items()}
    ok = right["a"]
    return Outcome(
        name,
        ensemble,
        "",
        keys,
        right,
        audited="a" if judged else "",
        signals={"judge": rng.random() * 0.5 + 0.5 * ok} if judged else {},
        compared=(Compared("a", "b", {"good": 2.0 * ok - 1.0, "bad": 1.0 - 2.0 * ok}),),
    )


def learned(rows):
    return learn(rows, created="2026-01-01T00:00:00+00:00", promises=PROMISES, tell=lambda _: None)


def test_enough_labels_are_a_calibration():
    found = learned(outcomes(120))

    pool = found.calibration.pools["main"]
    assert ({}, True, 120) == (found.refused, pool.calibrated, pool.n_labels)
    assert pool.weights[0] > max(pool.weights[1:])
    gain = pool.metrics["accuracy"] - pool.metrics["best_accuracy"]
    assert pool.metrics["gain_low"] <= gain == pytest.approx(pool.metrics["gain"])


def test_too_few_labels_are_said_with_the_counts():
    found = learned(outcomes(49))

    assert {"main": "49 labels; 50 are needed"} == found.refused
    assert not found.calibration.pools["main"].calibrated


def test_nothing_is_learned_where_the_wrong_answers_are_missing():
    rows = outcomes(100)
    unknown = [Outcome(f"u{i}", "main", "", {"a": "x", "b": "y"}, None) for i in range(6)]

    found = learned([*rows, *unknown])

    assert {} == dict(found.calibration.pools)
    assert found.refused["main"].startswith(
        "of 6 of 106 votes it is known that an answer was wrong"
    )
    assert {} == learned([*rows, *unknown[:5]]).refused


def test_votes_without_a_ballot_teach_nothing():
    rows = [Outcome(f"q{i}", "main", "", {"a": ""}, {"a": False}) for i in range(60)]

    assert {"main": "0 labels of ballots; 50 are needed"} == learned(rows).refused


def test_a_judge_learns_with_the_support_of_the_pool_as_it_will_be():
    found = learned(outcomes(300, judged=True, accuracies={"a": 0.75, "b": 0.6, "c": 0.6}))

    judge = found.calibration.judges["main"]
    assert {"judge", "support"} == set(judge.coefficients)
    assert judge.coefficients["judge"] > 0
    assert [(0.2, 0.1)] == [(each.alpha, each.delta) for each in judge.thresholds]


def test_a_judge_that_misleads_is_not_heard():
    judge = learned(outcomes(300, judged=True)).calibration.judges["main"]

    assert judge.reliabilities["good"] > 0.0 == judge.reliabilities["bad"]
    assert judge.raw_reliabilities["bad"] < 0.0


def test_a_judge_of_too_few_wrong_answers_is_said_with_the_counts():
    found = learned(outcomes(60, judged=True, accuracies={"a": 0.99, "b": 0.6}))

    assert "at least 10 are needed" in found.refused["judge of main"]


def test_the_digest_depends_on_the_outcomes_and_not_on_their_order():
    rows = outcomes(5)

    assert digest(rows) == digest(rows[::-1]) != digest(rows[1:])


def test_what_changed_and_what_it_is_worth_is_told():
    before = learned(outcomes(60, accuracies={"a": 0.6, "b": 0.6, "old": 0.6})).calibration
    after = learned([*outcomes(200), *outcomes(10, ensemble="small")])

    lines = "\n".join(told(after, before))

    pool = after.calibration.pools["main"]
    for part in (
        f"calibration {after.calibration.id}, in use now is {before.id}",
        "main: 200 labels (was: 60)",
        f"{pool.metrics['accuracy']:.1%}, {pool.metrics['best_accuracy']:.1%} of the best juror",
        f"P(correct) is off by {pool.metrics['ece']:.1%}",
        f"of {pool.metrics['coverage_20']:.0%} of the answers at most 20% are wrong",
        "old is gone",
        "small is uncalibrated: 10 labels; 50 are needed",
    ):
        assert part in lines
    assert report(after, before, path="c.json")["pools"]["main"]["calibrated"]


def test_where_the_best_juror_was_not_always_heard_it_is_told():
    rows = outcomes(200)
    heard = [
        replace(row, keys={**row.keys, "d": "right"}, right={**row.right, "d": True})
        for row in rows[:120]
    ]

    lines = "\n".join(told(learned([*heard, *rows[120:]]), None))

    assert "100.0% of the best juror on the 120 where it was heard" in lines


@pytest.mark.parametrize("empty", [[], outcomes(1)[:0]])
def test_no_outcomes_make_an_empty_calibration(empty):
    assert {} == dict(learned(empty).calibration.pools)


def test_says_what_an_answer_that_declines_counts():
    rows = [
        replace(
            row,
            keys={j: "null" if key == "x" else key for j, key in row.keys.items()},
            decline_key="null",
        )
        for row in outcomes(120)
    ]

    found, without = learned(rows), learned(outcomes(120))

    score = found.calibration.pools["main"].declining.score
    (line,) = (line for line in told(found, found.calibration) if "declines" in line)
    assert f"  an answer that declines counts {score:+.2f} (was: {score:.2f})" == line
    assert score < 0.0, "it was never right"
    assert not any("declines" in line for line in told(without, None))
