"""Smaller juries are counted as juries are: the largest class, and of equal ones the stronger's."""

import numpy as np
import pytest

from services.report.recount import Recount, accuracies, greedy, knee, right_of, sufficient


def counted(rows, strength=(0.9, 0.6, 0.5)):
    """Classes by digit, one row a prompt; `-`: none."""
    codes = np.array([[-1 if each == "-" else int(each) for each in row] for row in rows])
    return Recount(codes, np.array(strength))


@pytest.mark.parametrize(
    ("row", "winner"),
    [
        pytest.param("122", 1, id="the larger class, by its strongest"),
        pytest.param("123", 0, id="of equal ones the strongest"),
        pytest.param("-12", 1, id="who said nothing does not win"),
        pytest.param("---", -1, id="nobody said anything"),
    ],
)
def test_the_largest_class_wins(row, winner):
    assert winner == counted([row]).winners([0, 1, 2])[0]


def test_who_is_left_out_has_no_vote():
    assert [1] == counted(["112"]).winners([1, 2]).tolist()


def test_the_order_in_which_jurors_are_named_does_not_matter():
    recount = counted(["123", "322", "311"])

    assert recount.winners([0, 1, 2]).tolist() == recount.winners([2, 0, 1]).tolist()


def test_without_a_ballot_nobody_is_right():
    assert [False] == right_of(np.array([-1]), np.array([[True, True]])).tolist()


def test_accuracy_by_size_follows_the_order():
    rows, right = ["122", "122", "111"], np.array([[1, 0, 0], [0, 1, 1], [1, 1, 1]], dtype=bool)

    assert [2 / 3, 2 / 3, 2 / 3] == pytest.approx(accuracies(counted(rows), right, [0, 1, 2]))


def test_the_knee_is_the_first_within_half_a_point_of_the_best():
    assert 5 == knee(np.array([0.90, 0.90, 0.939, 0.939, 0.951, 0.954, 0.945]))
    assert 1 == knee(np.array([0.95, 0.94, 0.95]))


def jury(n, accuracy, *, seed=0, classes=50):
    """Independent jurors: who is wrong says anything else."""
    rng = np.random.default_rng(seed)
    right = rng.random((n, len(accuracy))) < np.array(accuracy)
    codes = np.where(right, 0, rng.integers(1, classes, size=right.shape))
    return codes, right


def test_greedily_the_best_comes_first_and_who_helps_most_next():
    codes, right = jury(2_000, [0.6, 0.9, 0.3, 0.85])

    assert 1 == greedy(Recount(codes, right.mean(axis=0)), right)[0]


def test_one_good_juror_among_noise_is_enough():
    codes, right = jury(1_000, [0.05, 0.95, 0.05, 0.05])

    enough, shown = sufficient(codes, right)

    assert [1] == enough
    assert (1_000, 4) == shown.shape


def test_of_equal_independent_jurors_more_are_better():
    codes, right = jury(4_000, [0.7] * 7)

    enough, shown = sufficient(codes, right)
    curve = shown.mean(axis=0)

    assert len(enough) >= 5
    assert curve[-1] > curve[0] + 0.15


def test_who_was_lucky_is_not_measured_by_the_same_luck():
    lucky, honest = [], []
    for seed in range(5):
        codes, right = jury(200, [0.5] * 12, seed=seed)
        lucky.append(right.mean(axis=0).max())
        honest.append(sufficient(codes, right)[1][:, 0].mean())

    assert np.mean(lucky) > 0.54
    assert 0.46 < np.mean(honest) < 0.53


def test_clones_add_nothing():
    codes, right = jury(1_000, [0.8])

    enough, _ = sufficient(np.repeat(codes, 5, axis=1), np.repeat(right, 5, axis=1))

    assert 1 == len(enough)


def test_ballots_count_by_their_weights():
    recount = Recount(np.array([[0, 1, 1]]), np.ones(3), np.array([3.0, 1.0, 1.0]))

    assert [0] == recount.winners([0, 1, 2]).tolist()


def test_weights_that_add_up_to_the_same_tie():
    recount = Recount(np.array([[0, 1, 1]]), np.array([0.1, 0.9, 0.5]), np.array([0.3, 0.1, 0.2]))

    assert [1] == recount.winners([0, 1, 2]).tolist()


def test_who_has_no_weight_wins_nothing():
    recount = Recount(np.array([[0, 1]]), np.array([0.9, 0.1]), np.array([0.0, 1.0]))

    assert [-1] == recount.winners([0]).tolist()
    assert [1] == recount.winners([0, 1]).tolist()


def test_a_weighed_jury_is_chosen_from_as_it_votes():
    codes, right = jury(1_000, [0.9, 0.5, 0.5])

    enough, shown = sufficient(codes, right, np.array([5.0, 1.0, 1.0]))

    assert [0] == enough
    assert shown[:, 0].tolist() == shown[:, 2].tolist()
