"""Whom to believe is learned from outcomes: judges that mislead, signals that tell."""

import numpy as np
import pytest

from services.calibration.artefact import Calibration, read, write
from services.calibration.fit_judge import (
    Fusion,
    fit_fusion,
    fit_judge,
    fit_panel,
    probabilities,
)

RNG = np.random.default_rng(3)
FIRST = RNG.random(400) < 0.5
SIGN = np.where(FIRST, 1.0, -1.0)


def says(accuracy):
    return np.where(RNG.random(400) < accuracy, SIGN, -SIGN)


@pytest.fixture(scope="module")
def scores():
    return np.column_stack([says(0.85), says(0.6), says(0.3)])


def labelled(n=400):
    ok = RNG.random(n) < 0.6
    support = np.clip(ok * 0.4 + RNG.random(n) * 0.6, 0.0, 1.0)
    return [{"support": float(s), "noise": float(RNG.random())} for s in support], ok


def test_a_reliable_judge_counts_more():
    found = fit_panel(np.column_stack([says(0.9), says(0.6)]), FIRST)

    assert found.reliabilities[0] > found.reliabilities[1] > 0.0


def test_a_judge_that_misleads_is_told_and_does_not_count(scores):
    found = fit_panel(scores, FIRST)

    assert found.raw[2] < -0.5
    assert found.reliabilities[2] == 0.0 < found.reliabilities[1] < found.reliabilities[0]


def test_exchanging_the_answers_changes_nothing(scores):
    found, exchanged = fit_panel(scores, FIRST), fit_panel(-scores, ~FIRST)

    assert found.raw == pytest.approx(exchanged.raw, abs=1e-6)


def test_a_judge_that_said_nothing_counts_as_a_tie(scores):
    silent = np.column_stack([scores, np.full(400, np.nan)])

    assert fit_panel(silent, FIRST).raw[3] == 0.0


def test_a_signal_that_tells_outweighs_noise():
    signals, ok = labelled()
    found = fit_fusion(signals, ok)
    noise, support = found.coefficients

    assert ("noise", "support") == found.names
    assert support > 5 * abs(noise)


def test_a_constant_signal_gets_no_weight():
    signals, ok = labelled()
    found = fit_fusion([{**row, "same": 0.5} for row in signals], ok)

    assert found.coefficients[found.names.index("same")] == 0.0


def test_p_ok_is_what_is_observed():
    signals, ok = labelled(2000)
    found = probabilities(fit_fusion(signals, ok), signals)

    assert abs(found.mean() - ok.mean()) < 0.02
    assert abs(found[found > 0.8].mean() - ok[found > 0.8].mean()) < 0.05


def test_a_missing_signal_gives_no_probability():
    signals, ok = labelled()
    fusion = fit_fusion(signals, ok)

    assert np.isnan(probabilities(fusion, [{"noise": 0.5}])).all()


def test_a_vote_or_a_judge_that_misleads_is_not_heard_and_other_signals_may_count_against():
    signals, ok = labelled()
    against = [
        dict.fromkeys(("judge", "support", "words"), 1.0 - row["support"]) for row in signals
    ]

    found = fit_fusion(against, ok)

    told = dict(zip(found.names, found.coefficients, strict=True))
    assert told["judge"] == told["support"] == 0.0 > told["words"]


def test_signals_that_some_answers_lack_are_not_learned():
    signals, ok = labelled()
    some = [{**row, "quotes": 1.0} if i else row for i, row in enumerate(signals)]

    assert "quotes" not in fit_fusion(some, ok).names


@pytest.mark.parametrize(
    ("every", "learned"),
    [pytest.param(20, True, id="one of 20 lacks it"), pytest.param(5, False, id="one of 5 does")],
)
def test_a_signal_that_most_answers_have_is_learned_of_those(every, learned):
    signals, ok = labelled()
    some = [{**row, "quotes": float(ok[i])} if i % every else row for i, row in enumerate(signals)]

    found = fit_judge(some, ok)

    assert learned == ("quotes" in found.coefficients)
    assert found.n_labels == (380 if learned else 400)


def judged(n, asked, *, tells=0.5, rng=RNG):
    """Answers of which a judge was asked about a share; its score tells by `tells`, below 0 misleads."""
    signals, ok = labelled(n)
    said = np.clip(0.5 + tells * np.where(ok, 0.5, -0.5) + rng.normal(0, 0.2, n), 0.0, 1.0)
    heard = rng.random(n) < asked
    told = zip(signals, said, heard, strict=True)
    return [{**row, "judge": float(s)} if is_in else row for row, s, is_in in told], ok


def test_a_judge_that_was_asked_of_some_is_learned_of_those():
    signals, ok = judged(600, 0.3)

    found = fit_judge(signals, ok)

    assert found.coefficients["judge"] > 1.0
    assert found.coefficients["support"] > 1.0
    assert 600 == found.n_labels


def test_beside_a_judge_that_misleads_the_other_signals_count_as_without_it():
    signals, ok = judged(4000, 0.3, tells=-0.5)
    alone = [{k: v for k, v in row.items() if k != "judge"} for row in signals]

    found, without = fit_fusion(signals, ok), fit_fusion(alone, ok)

    assert ("noise", "support", "judge") == found.names
    assert 0.0 == found.coefficients[2]
    assert found.coefficients[1] == pytest.approx(without.coefficients[1], rel=0.2)


def test_a_judge_that_was_asked_of_hardly_any_is_not_learned():
    signals, ok = judged(400, 0.02)

    assert "judge" not in fit_fusion(signals, ok).names


def test_a_promise_is_kept_though_a_judge_was_asked_of_some():
    kept = [promised_with_judge(seed) for seed in range(40)]

    assert sum(value is not None for value, _ in kept) > 30
    broken = sum(risk > 0.22 for value, risk in kept if value is not None)
    assert broken <= 8, "P(more of 40 splits at delta .1) is below 1 %"


def test_where_no_judge_was_asked_less_is_promised():
    signals, ok = judged(2000, 1.0)
    some = [
        row if i % 3 else {k: row[k] for k in row if k != "judge"} for i, row in enumerate(signals)
    ]

    every, two_thirds = (
        fit_judge(s, ok, promises=[(0.2, 0.1)]).thresholds[0] for s in (signals, some)
    )

    assert 0.0 < two_thirds.coverage < every.coverage - 0.1


def test_wrong_answers_that_no_judge_saw_are_not_left_out_of_a_promise():
    signals, ok = judged(2000, 1.0)
    unseen = ~ok & (np.arange(2000) % 10 > 0)
    some = [
        {k: row[k] for k in ("noise", "judge") if k == "noise" or not is_in}
        for row, is_in in zip(signals, unseen, strict=True)
    ]

    (found,) = fit_judge(some, ok, promises=[(0.2, 0.1)]).thresholds

    assert found.value is None


def promised_with_judge(seed):
    """The threshold at alpha .2, and how often answers that it accepts are wrong once judged."""
    rng = np.random.default_rng(seed)
    signals, ok = judged(500, 0.4, rng=rng)
    fit = fit_judge(signals, ok, promises=[(0.2, 0.1)], seed=seed)
    unseen, right = judged(1000, 1.0, rng=rng)
    names = tuple(fit.coefficients)
    fusion = Fusion(names, np.array([fit.coefficients[n] for n in names]), fit.intercept)
    value = fit.thresholds[0].value
    accepted = probabilities(fusion, unseen) >= (2.0 if value is None else value)
    return value, float((~right[accepted]).mean()) if accepted.any() else 0.0


def test_too_few_of_a_kind_are_refused():
    signals, _ = labelled()
    ok = np.arange(400) > 8

    with pytest.raises(ValueError, match="9 answers of one kind; at least 10 are needed"):
        fit_fusion(signals, ok)


def test_a_threshold_comes_from_answers_that_the_fusion_has_not_seen():
    signals, ok = labelled()
    found = fit_judge(signals, ok, promises=[(0.2, 0.1)])

    assert [200] == [round(t.n / t.coverage) for t in found.thresholds]
    assert (0.2, 0.1, 400) == (found.thresholds[0].alpha, found.thresholds[0].delta, found.n_labels)


def test_a_fusion_of_mere_noise_promises_no_more_often_than_delta():
    broken = sum(promised_by_noise(seed) is not None for seed in range(40))

    assert broken <= 8, "P(more of 40 splits at delta .1) is below 1 %"


def promised_by_noise(seed):
    """The threshold at alpha .2 where four answers of ten are wrong and no signal tells of it."""
    rng = np.random.default_rng(seed)
    table, ok = rng.random((200, 40)), rng.random(200) < 0.6
    signals = [{f"noise {j}": float(value) for j, value in enumerate(row)} for row in table]
    return fit_judge(signals, ok, promises=[(0.2, 0.1)], seed=seed).thresholds[0].value


def test_comes_back_from_its_artefact(tmp_path):
    signals, ok = labelled()
    fit = fit_judge(signals, ok, judges={"a": (1.0, 1.0), "b": (0.0, -0.5)})
    whole = Calibration("2026-01-01T00:00:00+00:00", "0" * 64, judges={"everyday": fit})
    write(whole, tmp_path / "calibration.json")

    assert read(tmp_path / "calibration.json") == whole
    assert {"a": 1.0, "b": 0.0} == fit.reliabilities
