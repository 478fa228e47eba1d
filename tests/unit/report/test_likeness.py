"""Jurors whose errors move together are told, and count for fewer votes."""

import numpy as np
import pytest

from services.report.figures import Figure
from services.report.likeness import effective_votes, mean_correlation, pair_errors

N = 2_000


def errors(right, codes=None, *, classes=100):
    first, second = right
    given = codes or (np.zeros(len(first), dtype=int), np.ones(len(first), dtype=int))
    return pair_errors((first, second), given, classes=classes)


def test_errors_of_independent_jurors_do_not_correlate():
    rng = np.random.default_rng(0)
    found = errors((rng.random(N) < 0.7, rng.random(N) < 0.7))

    assert found.correlation.low < 0.0 < found.correlation.high
    assert not found.together


def test_two_that_are_wrong_on_the_same_prompts_hardly_count_as_two():
    rng = np.random.default_rng(0)
    first = rng.random(N) < 0.7
    second = np.where(rng.random(N) < 0.1, rng.random(N) < 0.7, first)

    found = errors((first, second))

    assert pytest.approx(0.9, abs=0.04) == found.correlation.value
    assert found.together


def test_who_is_never_wrong_has_no_correlation():
    assert errors((np.ones(N, dtype=bool), np.arange(N) % 2 == 0)).correlation.insufficient


def test_the_same_mistake_counts_beyond_what_chance_gives():
    wrong = np.zeros(100, dtype=bool)
    codes = np.zeros(100, dtype=int), (np.arange(100) % 4 != 0).astype(int)

    assert pytest.approx(0.25) == errors((wrong, wrong), codes, classes=10**9).same_mistake.value
    assert pytest.approx(0.0) == errors((wrong, wrong), codes, classes=5).same_mistake.value


def test_of_two_classes_all_mistakes_are_the_same_by_chance():
    wrong, same = np.zeros(100, dtype=bool), np.zeros(100, dtype=int)

    assert errors((wrong, wrong), (same, same), classes=2).same_mistake.insufficient


def test_answers_that_are_no_ballots_are_nobodys_equal():
    wrong, none = np.zeros(100, dtype=bool), np.full(100, -1)

    assert 0 == errors((wrong, wrong), (none, none)).same_mistake.n


def test_clones_are_told_by_their_mistakes_though_they_are_seldom_wrong_together():
    rng = np.random.default_rng(0)
    first, second = rng.random(N) < 0.7, rng.random(N) < 0.7
    same = np.zeros(N, dtype=int)

    found = errors((first, second), (same, same))

    assert found.correlation.high < 0.5
    assert found.together


def test_a_jury_is_worth_all_its_votes_without_correlation_and_one_with_full():
    none, full = Figure(100, 50, 0.0, -0.1, 0.1), Figure(100, 50, 1.0, 1.0, 1.0)

    assert 5.0 == effective_votes(none, 5).value
    assert 1.0 == effective_votes(full, 5).value


def test_the_interval_of_votes_is_turned_round():
    found = effective_votes(Figure(100, 50, 0.3, 0.2, 0.4), 5)

    assert found.low < found.value < found.high


def test_a_correlation_below_none_makes_no_more_votes_than_jurors():
    assert 5.0 == effective_votes(Figure(100, 50, -0.2, -0.3, -0.1), 5).value


def correlated(n, *, rho, jurors=5, seed=0):
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n, 1))
    return np.sqrt(rho) * shared + np.sqrt(1 - rho) * rng.standard_normal((n, jurors)) < 0.5


def test_the_mean_correlation_is_that_of_all_pairs():
    right = correlated(20_000, rho=0.5)
    plain = np.corrcoef(~right.T)

    found = mean_correlation(right)

    assert pytest.approx(plain[np.triu_indices(5, 1)].mean(), abs=0.01) == found.value
    assert found.low < found.value < found.high


@pytest.mark.parametrize("n", [60, 200])
def test_its_interval_covers_it_19_times_of_20_also_of_few_prompts(n):
    true = 0.182  # of 200,000 prompts

    found = [mean_correlation(correlated(n, rho=0.3, seed=seed)) for seed in range(100)]

    assert pytest.approx(true, abs=0.02) == np.mean([each.value for each in found])
    assert np.mean([each.low <= true <= each.high for each in found]) >= 0.90


def test_it_is_not_told_of_few_labels_or_of_one_who_errs():
    right = correlated(200, rho=0.3)
    perfect = np.ones((200, 4), dtype=bool)

    assert mean_correlation(right[:49]).insufficient
    assert mean_correlation(np.hstack([right[:, :1], perfect])).insufficient


def test_draws_in_which_nobody_errs_tell_nothing():
    right = np.ones((60, 2), dtype=bool)
    right[0] = False

    found = mean_correlation(right)

    assert found.low <= found.value <= found.high
