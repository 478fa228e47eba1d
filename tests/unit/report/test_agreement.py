"""Agreement beyond chance is what the papers compute, and is not told where nothing could differ."""

import numpy as np
import pytest

from services.report.agreement import cohen_kappa, disagreement, krippendorff_alpha

KRIPPENDORFF_2011 = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""
THREE_CODERS = """
. . . . . 3 4 1 2 1 1 3 3 . 3
1 . 2 1 3 3 4 3 . . . . . . .
. . 2 1 3 4 4 . 2 1 1 3 3 . 4
"""


def codes(text):
    """Observers as rows, as the papers print them."""
    rows = [line.split() for line in text.strip().splitlines()]
    return np.array([[-1 if each == "." else int(each) for each in row] for row in rows]).T


@pytest.mark.parametrize(
    ("text", "alpha"),
    [
        pytest.param(KRIPPENDORFF_2011, 0.743, id="Krippendorff 2011, example C"),
        pytest.param(THREE_CODERS, 0.691, id="three coders with many values missing"),
    ],
)
def test_alpha_is_the_published_one_with_values_missing(text, alpha):
    assert alpha == pytest.approx(krippendorff_alpha(codes(text), needed=1).value, abs=5e-4)


def test_units_with_fewer_than_two_values_do_not_count():
    assert 11 == krippendorff_alpha(codes(KRIPPENDORFF_2011), needed=1).n


def test_alpha_is_one_where_all_agree_and_about_none_by_chance():
    rng = np.random.default_rng(0)
    same = np.repeat(rng.integers(3, size=(200, 1)), 4, axis=1)
    noise = rng.integers(3, size=(2_000, 4))

    assert 1.0 == krippendorff_alpha(same).value
    assert abs(krippendorff_alpha(noise).value) < 0.03


def test_alphas_interval_covers_it_about_19_times_of_20():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(100):
        right = rng.integers(3, size=(80, 1))
        said = np.where(rng.random((80, 3)) < 0.3, rng.integers(3, size=(80, 3)), right)
        found.append(krippendorff_alpha(said))
    truth = 0.7**2  # a pair agrees beyond chance where neither guesses

    assert 0.88 <= np.mean([each.low <= truth <= each.high for each in found]) <= 1.0


def test_alpha_is_not_told_where_nothing_could_have_differed():
    assert krippendorff_alpha(np.zeros((100, 3), dtype=int)).insufficient


def two(both, first_only, second_only, neither):
    counts = [both, first_only, second_only, neither]
    return np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)


@pytest.mark.parametrize(
    ("counts", "kappa"),
    [
        pytest.param((20, 5, 10, 15), 0.4, id="grants"),
        pytest.param((45, 15, 25, 15), 0.1304, id="same agreement, like habits"),
        pytest.param((25, 35, 5, 35), 0.2593, id="same agreement, unlike habits"),
    ],
)
def test_kappa_is_the_textbooks(counts, kappa):
    assert kappa == pytest.approx(cohen_kappa(*two(*counts)).value, abs=5e-5)


def test_kappa_has_a_width_even_where_two_always_agree():
    found = cohen_kappa(*two(30, 0, 0, 30))

    assert 1.0 == found.value == found.high
    assert 0.85 < found.low < 0.9


def test_kappa_is_not_told_where_both_always_say_the_same():
    assert cohen_kappa(*two(50, 0, 0, 0)).insufficient


def test_only_prompts_with_both_ballots_count():
    first, second = np.array([0, 1, -1, 2, 2]), np.array([0, 2, 1, -1, 2])

    assert (1, 3) == disagreement(first, second)
    assert 3 == cohen_kappa(first, second, needed=1).n
