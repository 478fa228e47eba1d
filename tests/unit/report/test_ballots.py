"""Votes as arrays keep their rows together, and say what each juror's ballot counted."""

from dataclasses import replace

import numpy as np
import pytest

from services.report.ballots import ballots_of
from services.report.sink import recounted
from tests.unit.report.voting import vote


def weighed(said, weights):
    """A vote whose classes weigh what their jurors do together."""
    keys = dict(zip("abc", said, strict=True))
    sums = {key: sum(weights[j] for j in keys if keys[j] == key) for key in set(said)}
    return replace(vote(keys, given=max(sums, key=sums.__getitem__)), weights=sums)


WEIGHTS = {"a": 2.5, "b": 1.0, "c": 0.25}
SAID = ["xyz", "xxy", "xyy", "yxy", "xxx"]


def test_weights_are_those_that_the_classes_were_counted_by():
    found = ballots_of([weighed(said, WEIGHTS) for said in SAID * 10])

    assert [2.5, 1.0, 0.25] == pytest.approx(found.weights.tolist())


def test_without_weights_each_counts_the_same():
    assert [1.0, 1.0] == ballots_of([vote({"a": "x", "b": "y"})] * 5).weights.tolist()


def test_a_few_weighed_votes_of_many_do_not_make_a_rule():
    votes = [vote(dict(zip("abc", "xyy", strict=True)))] * 50 + [weighed("xyz", WEIGHTS)]

    assert [1.0] * 3 == ballots_of(votes).weights.tolist()


def test_a_weighed_vote_counted_again_comes_to_the_same():
    votes = [weighed(said, WEIGHTS) for said in SAID * 10]
    plain = [replace(each, weights={}) for each in votes]

    assert 1.0 == recounted(ballots_of(votes)).value
    assert 0.8 == recounted(ballots_of(plain)).value


def test_some_of_the_votes_have_the_rows_of_all():
    votes = [weighed(said, WEIGHTS) for said in SAID]
    whole = ballots_of(votes)
    chosen = np.array([True, False, True, False, True])
    before = {name: getattr(whole, name) for name in ("codes", "heard", "same", "usd")}

    kept = whole.only(chosen)

    for name, rows in before.items():
        assert rows[chosen].tolist() == getattr(kept, name).tolist()
    assert tuple(votes[::2]) == kept.votes
    assert whole.weights.tolist() == kept.weights.tolist()


def test_who_has_no_seat_is_not_counted_and_a_vote_with_him_not_held_against_the_rest():
    votes = [vote({"a": "x", "b": "x", "c": "y"})] * 40

    found = ballots_of(votes, seated={"a", "b", "new"})

    assert ("a", "b") == found.jurors
    assert not found.alone.any()
    assert 0 == recounted(found).n


def test_where_nobody_is_seated_any_more_all_are_told():
    assert ("a", "b") == ballots_of([vote({"a": "x", "b": "y"})], seated={"z"}).jurors
