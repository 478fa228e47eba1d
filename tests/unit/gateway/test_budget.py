"""A budget holds over all stages, whatever becomes of them."""

import pytest

from gremium.v1 import types_pb2
from services.core import errors
from services.core.lease import Call, Lease
from services.gateway import budget

ALL = Lease(cost_usd=1.0, model_calls=10, tokens=1000)


def test_no_budget_is_no_limit():
    assert Lease() == budget.whole(types_pb2.Budget())


def test_a_budget_of_nothing_is_a_limit():
    assert Lease(model_calls=0) == budget.whole(types_pb2.Budget(max_model_calls=0))


def test_what_a_stage_returns_is_left():
    unspent = Lease(cost_usd=0.5, model_calls=7, tokens=400)

    assert unspent == budget.returned(ALL, unspent)


def test_a_stage_cannot_return_more_than_it_got():
    assert ALL == budget.returned(ALL, Lease(cost_usd=9.0, model_calls=99, tokens=9999))


def test_a_limit_that_is_not_returned_counts_as_spent():
    assert Lease(cost_usd=1.0, model_calls=0, tokens=0) == budget.returned(ALL, Lease(cost_usd=1.0))


def test_no_limit_stays_none():
    assert Lease() == budget.returned(Lease(), Lease(model_calls=3))


@pytest.mark.parametrize("error", [errors.PeerError("down"), errors.OverloadedError("full")])
def test_a_stage_that_never_began_spent_nothing(error):
    assert not budget.may_have_spent(error)


@pytest.mark.parametrize("error", [errors.DeadlineSpentError("late"), errors.InternalError("?")])
def test_a_stage_that_was_lost_may_have_spent_all_it_had(error):
    assert budget.may_have_spent(error)
    assert Lease(cost_usd=0.0, model_calls=0, tokens=0) == budget.returned(ALL, Lease())


def test_comparing_answers_keeps_a_call_and_half_the_rest_for_the_verdict():
    spendable, kept = budget.before_verdict(Lease(1.0, 5, 301))

    assert (Lease(0.5, 4, 150), Lease(0.5, 1, 151)) == (spendable, kept)
    assert Lease(1.0, 5, 301) == budget.joined(spendable, kept)


def test_comparing_without_limits_has_none():
    spendable, kept = budget.before_verdict(Lease())

    assert Lease() == spendable == kept == budget.joined(spendable, kept)


JUROR, JUDGE = Call(100, 100, 10.0, 10.0), Call(200, 100, 10.0, 10.0)
"""They cost 0.002 and 0.003 US dollars."""


class TestBeforeJury:
    @pytest.mark.parametrize(
        ("calls", "spendable", "kept"),
        [
            pytest.param(10, 9, 1, id="one is kept"),
            pytest.param(4, 3, 1, id="fewer jurors, but enough"),
            pytest.param(3, 3, 0, id="the quorum goes first"),
            pytest.param(0, 0, 0, id="nothing"),
        ],
    )
    def test_keeps_the_judge_a_call(self, calls, spendable, kept):
        got = budget.before_jury(Lease(model_calls=calls), [JUROR] * 5, [JUDGE], quorum=3)

        assert (spendable, kept) == tuple(each.model_calls for each in got)

    @pytest.mark.parametrize(
        ("usd", "kept"),
        [
            pytest.param(1.0, 0.003, id="plenty"),
            pytest.param(0.011, 0.001, id="what the jurors leave"),
            pytest.param(0.005, 0.0, id="no juror writes less for it"),
        ],
    )
    def test_keeps_money_that_no_juror_needs(self, usd, kept):
        _, left = budget.before_jury(Lease(cost_usd=usd), [JUROR] * 5, [JUDGE], quorum=3)

        assert kept == pytest.approx(left.cost_usd)

    @pytest.mark.parametrize(("calls", "kept"), [(10, 2), (4, 1), (3, 0)])
    def test_keeps_a_call_of_each_later_stage(self, calls, kept):
        lease = Lease(1.0, calls, 10_000)
        _, left = budget.before_jury(lease, [JUROR] * 5, [JUDGE], [JUROR, JUDGE], quorum=3)

        assert (kept, 600) == (left.model_calls, left.tokens)
        assert 2 * JUDGE.cost_usd == pytest.approx(left.cost_usd)

    def test_no_limit_stays_none(self):
        spendable, kept = budget.before_jury(Lease(), [JUROR], [JUDGE], quorum=1)

        assert (Lease(), Lease(0.0, 0, 0)) == (spendable, kept)

    def test_the_parts_are_the_whole(self):
        got = budget.before_jury(ALL, [JUROR] * 5, [JUDGE], quorum=3)

        assert ALL == budget.joined(*got)
