"""The medoid is near to what the others say, and said by who is likely right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aggregator_svc.medoid import GUARDED_AT, medoid, similarities

NAN = float("nan")


def angles(*degrees):
    """Unit vectors in the plane."""
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1)


def find(vectors, *, texts=None, weights=None, priors=None):
    n = len(vectors)
    return medoid(
        texts or [chr(ord("a") + i) for i in range(n)],
        np.array(vectors, dtype=np.float64),
        np.array(weights or [1.0] * n),
        np.array(priors or [NAN] * n),
    )


def test_the_middle_one_is_chosen():
    assert 1 == find(angles(0, 20, 50)).chosen


def test_its_similarity_is_the_mean_to_the_others():
    expected = (np.cos(np.radians(20)) + np.cos(np.radians(30))) / 2

    assert pytest.approx(expected) == find(angles(0, 20, 50)).similarity


def test_divergence_is_the_mean_distance_of_pairs():
    assert pytest.approx(1 - np.cos(np.radians(60))) == find(angles(0, 60)).divergence


def test_a_much_better_prior_outweighs_the_middle():
    assert 2 == find(angles(0, 20, 50), priors=[0.5, 0.5, 0.9]).chosen


def test_heavy_neighbours_draw_the_middle():
    assert 2 == find(angles(0, 20, 50, 60), weights=[1, 1, 9, 9]).chosen


@pytest.mark.parametrize(("degrees", "clusters"), [(36, ((0, 1),)), (38, ((0,), (1,)))])
def test_answers_say_the_same_from_a_similarity_of_080_on(degrees, clusters):
    assert clusters == find(angles(0, degrees)).clusters


@pytest.mark.parametrize(("near", "outliers"), [((0, 1, 2), ()), ((0, 1, 2, 3), (4,))])
def test_it_takes_five_to_tell_who_stands_apart(near, outliers):
    assert outliers == find(angles(*near, 90)).outliers


def test_one_answer_is_its_own_medoid():
    found = find(angles(0))

    assert (0, 0.0, ((0,),)) == (found.chosen, found.divergence, found.clusters)


def test_of_two_answers_the_likelier_is_chosen():
    found = find(angles(0, 90), priors=[0.6, 0.8])

    assert (1, False) == (found.chosen, found.tie)


def test_of_two_unknown_answers_the_shorter_is_chosen_and_it_is_a_tie():
    found = find(angles(0, 90), texts=["a long one", "short"])

    assert (1, True, "key") == (found.chosen, found.tie, found.tie_rule)


def test_two_answers_that_say_the_same_are_no_tie():
    assert not find(angles(0, 5), texts=["a long one", "short"]).tie


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(("It is 5.", "It is 6."), id="numbers"),
        pytest.param(("It is safe.", "It is not safe."), id="negation"),
        pytest.param(("Mix them.", "I can't help with that."), id="refusal"),
    ],
)
def test_contradicting_words_cap_the_similarity(texts):
    assert GUARDED_AT == similarities(texts, angles(0, 0))[0, 1]


def test_a_contradiction_is_outvoted():
    texts = ["It is 6 m.", "It is 5 m.", "It is 5 m!"]

    assert 0 != find(angles(0, 2, 4), texts=texts).chosen


def test_clusters_hold_only_what_is_alike_in_pairs():
    assert ((0, 1), (2,)) == find(angles(0, 30, 60)).clusters


def test_an_outlier_is_reported_and_not_chosen():
    found = find(angles(0, 2, 4, 6, 90), priors=[0.5, 0.5, 0.5, 0.5, 0.99])

    assert (4,) == found.outliers
    assert 4 != found.chosen


@pytest.mark.parametrize("row", [[0.0, 0.0], [NAN, 1.0]])
def test_a_row_without_direction_is_compared_with_nothing(row):
    found = find([*angles(0, 10, 20), row])

    assert (1, ((0, 1, 2), (3,))) == (found.chosen, found.clusters)


def test_nothing_to_compare_leaves_the_prior():
    found = find(np.zeros((3, 2)), priors=[0.2, 0.9, 0.3])

    assert 1 == found.chosen
    assert np.isnan(found.similarity)
    assert 1.0 == found.divergence


def test_equal_texts_are_alike_without_vectors():
    assert 1.0 == find(np.zeros((2, 2)), texts=["Yes", "yes "]).similarity


def test_rejects_different_lengths():
    with pytest.raises(ValueError, match="must match"):
        medoid(["a"], angles(0, 1), np.ones(1), np.ones(1))


@given(arrays(np.float64, st.tuples(st.integers(1, 8), st.just(3)), elements=st.floats(-1, 1)))
def test_always_chooses_one_and_clusters_all(vectors):
    found = find(vectors)

    assert 0 <= found.chosen < len(vectors)
    assert 0.0 <= found.divergence <= 1.0
    assert list(range(len(vectors))) == sorted(i for c in found.clusters for i in c)


@given(st.permutations([0, 17, 40, 71]))
def test_the_order_of_answers_does_not_count(order):
    texts = [f"answer at {'x' * degree}" for degree in order]

    assert 40 == order[find(angles(*order), texts=texts).chosen]


def test_the_centroid_distance_is_that_of_the_chosen_one_to_the_mean_of_all():
    found = find(angles(0, 20, 50))

    x, y = angles(0, 20, 50).mean(axis=0)
    assert 1 == found.chosen
    assert pytest.approx(1 - np.cos(np.arctan2(y, x) - np.radians(20))) == found.centroid_distance


def test_weights_draw_the_mean():
    near, far = (
        find(angles(0, 40), weights=weights, priors=[0.9, 0.5]) for weights in ([3, 1], [1, 3])
    )

    assert (0, 0) == (near.chosen, far.chosen)
    assert 0 < near.centroid_distance < 0.02 < far.centroid_distance


def test_the_nearest_to_the_mean_is_not_chosen_where_another_is_likelier():
    found = find(angles(0, 20, 50), priors=[0.5, 0.5, 0.9])

    assert (2, pytest.approx(1 - np.cos(np.radians(26.9)), abs=0.01)) == (
        found.chosen,
        found.centroid_distance,
    )


def test_opposite_answers_have_no_mean():
    assert np.isnan(find(angles(0, 180)).centroid_distance)
