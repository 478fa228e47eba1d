"""A fit finds who may be trusted, never lets the vote do harm, and says how sure it is."""

from dataclasses import replace

import numpy as np
import pytest

from aggregator_svc.logit import Fitted, fitted_vote
from services.calibration.fit_pool import cross_validated, fit_pool, lower_quantile
from services.calibration.logit_fit import Logit, fit_logit, loss, predicted
from services.calibration.measures import auroc, cross_mapped, ece, ece_of_the_perfect
from services.calibration.votes import Votes, design, folds

NO_CALL, DECLINES = "none", "null"


def votes_of(accuracies, n, *, seed=0, wrong=4, abstaining=0.0):
    """Jurors that err on their own, over `wrong` wrong answers; some prompts want no tool."""
    rng = np.random.default_rng(seed)
    wanted = np.where(rng.random(n) < abstaining, NO_CALL, "right")
    right = rng.random((n, len(accuracies))) < accuracies
    said = np.char.add("wrong", rng.integers(wrong, size=right.shape).astype(str))
    keys = np.where(right, wanted[:, np.newaxis], said)
    keys = np.where(rng.random(right.shape) < 0.05, "", keys)
    names = tuple(f"j{i}" for i in range(len(accuracies)))
    right &= keys != ""
    return Votes(names, tuple(map(tuple, keys.tolist())), right, NO_CALL)


def as_served(fit, *, declines=False):
    """The aggregator's view of a fit, of prompts whose answers call no tool, or decline."""
    best = fit.jurors.index(fit.gate.best) if fit.gate.closed else None
    abstain, abstaining = fit.abstain, fit.abstaining
    if declines:
        abstain, abstaining = fit.declining.score, fit.declining.jurors
    return Fitted(
        fit.none_score,
        abstain,
        DECLINES if declines else NO_CALL,
        np.array(fit.alone),
        np.array(abstaining),
        best,
        fit.confidence.slope,
        fit.confidence.offset,
        fit.confidence.covariance,
    )


def leaders(fit, votes):
    served = as_served(fit, declines=bool(votes.decline_key))
    for row in votes.keys:
        given = [i for i, key in enumerate(row) if key]
        if not given:
            yield None
            continue
        count = fitted_vote(
            [row[i] for i in given],
            np.array(fit.weights)[given],
            np.array(fit.priors)[given],
            [0] * len(given),
            Fitted(
                served.none_score,
                served.abstain_score,
                served.abstain_key,
                served.alone[given],
                served.abstaining[given],
                given.index(served.best) if served.best in given else None,
                served.slope,
                served.offset,
                served.covariance,
            ),
            min_share=0.0,
        )
        yield count.leader


def test_the_gradient_is_the_slope_of_the_loss():
    found = design(replace(votes_of([0.8, 0.6, 0.4], 60, abstaining=0.3), decline_key="wrong0"))
    values = np.random.default_rng(1).normal(size=15)
    ridge = np.append(np.ones(3), np.linspace(0.5, 2.0, 12))  # that of votes is the same for all
    features = found.features()

    _, gradient = loss(values, features, found, ridge)

    slopes = [
        (loss(values + d, *args)[0] - loss(values - d, *args)[0]) / 2e-6
        for args in [(features, found, ridge)]
        for d in 1e-6 * np.eye(15)
    ]
    assert gradient == pytest.approx(slopes, abs=1e-4)


def test_renaming_the_jurors_only_renames_the_weights():
    votes = votes_of([0.9, 0.6, 0.4], 200)
    turned = Votes(
        votes.jurors[::-1], tuple(row[::-1] for row in votes.keys), votes.right[:, ::-1], NO_CALL
    )

    weights = [fit_logit(design(each)).votes for each in (votes, turned)]

    assert weights[0] == pytest.approx(weights[1][::-1], abs=1e-3)


def test_a_lone_juror_is_as_sure_as_it_is_right():
    votes = votes_of([0.7], 500)
    found = design(votes)

    _, sure = predicted(found, fit_logit(found), votes.priors)

    assert sure.mean() == pytest.approx(found.right.mean(), abs=0.01)


def declining(votes, *, wrong):
    """The same votes where to decline is what the class `none` did, or one that is wrong."""
    told = "wrong0" if wrong else NO_CALL
    keys = tuple(tuple(DECLINES if key == told else key for key in row) for row in votes.keys)
    return Votes(votes.jurors, keys, votes.right, "", DECLINES)


def test_a_prior_of_declining_is_learned_from_labels():
    votes = votes_of([0.7, 0.6, 0.5], 400, abstaining=0.4)

    mostly_right, always_wrong = (
        fit_pool(declining(votes, wrong=wrong)).declining.score for wrong in (False, True)
    )

    assert always_wrong < -1.0 < mostly_right
    assert fit_pool(votes).declining is None


def test_it_is_learned_as_that_of_calling_no_tool_is():
    votes = votes_of([0.7, 0.6, 0.5], 300, abstaining=0.4)

    tools, others = fit_pool(votes), fit_pool(declining(votes, wrong=False))

    assert others.declining.score == pytest.approx(tools.abstain, abs=1e-3)
    assert others.declining.jurors == pytest.approx(tools.abstaining, abs=1e-3)


def test_it_is_learned_apart_from_calling_no_tool():
    tools, labels = votes_of([0.7, 0.6], 300, abstaining=0.5), votes_of([0.7, 0.6], 300, seed=1)
    wrong = declining(labels, wrong=True)
    both = Votes(
        tools.jurors,
        (*tools.keys, *wrong.keys),
        np.vstack([tools.right, wrong.right]),
        NO_CALL,
        DECLINES,
    )

    fit = fit_pool(both)

    assert fit.declining.score < -1.0 < fit.abstain


def at_times(votes):
    """The same votes where to decline is right on prompts that want it, and else a mistake."""
    told = [NO_CALL if NO_CALL in row else "wrong0" for row in votes.keys]
    keys = tuple(
        tuple(DECLINES if key == own else key for key in row)
        for row, own in zip(votes.keys, told, strict=True)
    )
    return Votes(votes.jurors, keys, votes.right, "", DECLINES)


def test_those_who_decline_are_as_sure_as_they_are_right():
    accuracies = [0.7, 0.6, 0.5]
    fit = fit_pool(at_times(votes_of(accuracies, 800, abstaining=0.1)))
    fresh = votes_of(accuracies, 800, seed=7, abstaining=0.1)

    led = [
        (each.p_correct, NO_CALL in row)
        for each, row in zip(leaders(fit, at_times(fresh)), fresh.keys, strict=True)
        if each is not None and each.key == DECLINES
    ]

    sure, right = np.array(led).T
    assert len(led) > 50
    assert abs(sure.mean() - right.mean()) < 0.08


@pytest.mark.parametrize("kind", ["no call", "declines", "declines wrongly"])
@pytest.mark.parametrize(
    "accuracies", [(0.9, 0.6, 0.6), (0.7, 0.7, 0.7, 0.7), (0.8, 0.2, 0.2), (0.5, 0.4)]
)
def test_the_aggregator_decides_as_the_fit_foresaw(accuracies, kind):
    votes = votes_of(accuracies, 300, abstaining=0.2)
    if kind != "no call":
        votes = declining(votes, wrong=kind == "declines wrongly")
    fit = fit_pool(votes)
    found = design(votes)
    fitted = fit_logit(found)

    chosen, _ = predicted(found, fitted, votes.priors)

    if not fit.gate.closed:
        foreseen = {int(found.prompt[c]): set(np.flatnonzero(found.members[c])) for c in chosen}
        for i, leader in enumerate(leaders(fit, votes)):
            given = [j for j, key in enumerate(votes.keys[i]) if key]
            served = None if leader is None else {given[m] for m in leader.members}
            assert foreseen.get(i) == served


def test_ties_of_prompts_that_the_fit_has_not_seen_are_parted_without_their_labels(monkeypatch):
    """Two jurors that always differ, each right on half: whoever is better elsewhere is worse here."""
    even = Logit(np.ones(2), np.zeros(2), np.zeros(2), 0.0, 0.0, np.zeros(2), 0.0)
    monkeypatch.setattr("services.calibration.fit_pool.fit_logit", lambda _: even)
    right = np.random.default_rng(1).permutation(200) < 100
    votes = Votes(("a", "b"), (("x", "y"),) * 200, np.stack([right, ~right], axis=1))

    found = cross_validated(votes, seed=0)

    assert found.vote.mean() < 0.5


def test_equal_jurors_vote_and_the_gate_stays_open():
    fit = fit_pool(votes_of([0.7] * 5, 400))

    assert not fit.gate.closed
    assert fit.metrics["accuracy"] > fit.metrics["best_accuracy"] + 0.1


def test_a_vote_not_shown_to_be_as_good_is_gated():
    crowd = [votes_of((0.6, *[0.4] * 12), 60, seed=seed, wrong=2) for seed in range(8)]

    gates = [fit_pool(votes).gate for votes in crowd]

    assert any(gate.closed for gate in gates)
    assert all(gate.closed == (gate.quantile <= -0.005) for gate in gates)


def cut_off(votes, last):
    """The votes of a jury that stops before the last juror when all others agree."""
    keys = tuple(
        (*row[:last], None) if len(set(row[:last]) - {""}) == 1 else row for row in votes.keys
    )
    right = votes.right & np.array([[key is not None for key in row] for row in keys])
    return Votes(votes.jurors, keys, right, votes.abstain_key)


def test_a_juror_that_was_cut_off_was_not_wrong():
    fit = fit_pool(cut_off(votes_of((0.67, 0.67, 0.91), 400), last=2))

    assert fit.priors[2] == pytest.approx(0.91 * 0.95, abs=0.05)
    assert "j2" == fit.gate.best
    assert fit.metrics["best_accuracy"] == pytest.approx(fit.priors[2], abs=0.02)
    assert fit.gate.n < fit.n_labels == 400


def test_a_vote_is_held_against_its_best_juror_only_where_that_was_heard():
    rng = np.random.default_rng(0)
    right = np.stack([rng.random(400) < 0.6, np.ones(400, dtype=bool)], axis=1)
    keys = [
        ("right" if good else "wrong", None if i % 2 else "right")
        for i, good in enumerate(right[:, 0])
    ]
    right[1::2, 1] = False

    fit = fit_pool(Votes(("a", "b"), tuple(keys), right))

    assert ("b", 200, 1.0) == (fit.gate.best, fit.gate.n, fit.metrics["best_accuracy"])
    assert 0.0 == fit.metrics["gain"] == fit.gate.quantile


def test_with_few_labels_only_priors_are_learned():
    fit = fit_pool(votes_of([0.9, 0.6], 49))

    assert ("log_odds", False) == (fit.rule, fit.calibrated)
    assert fit.priors[0] > fit.priors[1]


def test_the_confidence_holds_on_new_prompts():
    accuracies = [0.8, 0.6, 0.5]
    fit, fresh = fit_pool(votes_of(accuracies, 800)), votes_of(accuracies, 800, seed=7)

    told = [(leader.p_correct, leader.key == "right") for leader in leaders(fit, fresh) if leader]

    sure, right = np.array([p for p, _ in told]), np.array([r for _, r in told])
    assert ece(sure, right) <= ece_of_the_perfect(sure, seed=0) + 0.03
    assert auroc(sure, right) > 0.7


def test_the_error_of_probabilities_is_told_of_prompts_that_their_map_has_not_seen():
    rng = np.random.default_rng(0)
    sure, right = rng.random(60), rng.random(60) < 0.5
    part = np.arange(60) % 5

    found = cross_mapped(sure, right, part)

    turned = np.where(part == 0, ~right, right)
    others = cross_mapped(sure, turned, part)
    assert found[part == 0].tolist() == others[part == 0].tolist()
    assert (found[part != 0] != others[part != 0]).all()


def test_a_fit_tells_the_error_of_maps_that_had_not_seen_the_prompts():
    votes = votes_of([0.7] * 4, 120)
    unseen = cross_validated(votes, seed=0)
    mapped = cross_mapped(unseen.sure, unseen.vote, folds(120, parts=5, seed=0))

    fit = fit_pool(votes, seed=0)

    assert ece(mapped, unseen.vote) == fit.metrics["ece"]
    assert auroc(mapped, unseen.vote) == fit.metrics["auroc"]


def test_a_fit_can_be_had_again():
    votes = votes_of([0.8, 0.6], 100)

    assert fit_pool(votes) == fit_pool(votes)


def test_no_votes_are_no_fit():
    with pytest.raises(ValueError, match="labelled votes"):
        fit_pool(Votes(("a",), (), np.zeros((0, 1), dtype=bool)))


def test_votes_must_match_their_jurors():
    with pytest.raises(ValueError, match="shape"):
        Votes(("a", "b"), (("x", "y"),), np.zeros((1, 1), dtype=bool))


def test_prompts_without_any_ballot_are_borne():
    silent = Votes(("a", "b"), (("", ""),) * 60, np.zeros((60, 2), dtype=bool))

    assert 0.0 == fit_pool(silent).metrics["accuracy"]


def test_the_bootstrap_is_as_wide_as_the_sample_is_small():
    better = np.arange(400) % 4 > 0
    even = np.arange(400) % 2 > 0

    wide, narrow = (lower_quantile(better[:n], even[:n], seed=0) for n in (20, 400))

    assert wide < narrow < 0.25
