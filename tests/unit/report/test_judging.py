"""A judge is measured by what it leaves open, how steady it is, whom it is kin to, and who agrees."""

from services.report.judging import judging_of
from services.report.rows import Audit
from tests.unit.report.voting import request


def audits(n, **changed):
    told = {"passed": True, "reason": "", "kin": False, "good": None}
    return [Audit(**{**told, **changed})] * n


def judged(*groups, **changed):
    found = [audit for group in groups for audit in group]
    return judging_of([request(i, audits=(each,), **changed) for i, each in enumerate(found)])


def test_where_nobody_judges_nothing_is_told():
    assert judging_of([request(i) for i in range(50)]) is None


def test_the_unjudged_share_is_of_all_verdicts_and_names_why():
    found = judged(audits(30), audits(10, passed=None, reason="BUDGET_SPENT"))

    assert (40, 0.25) == (found.verdicts, found.unjudged.value)
    assert {"BUDGET_SPENT": 10} == found.reasons


def test_what_is_unjudged_neither_failed_nor_agrees():
    found = judged(audits(30, passed=False, good=False), audits(10, passed=None, good=False))

    assert (1.0, 30) == (found.failed.value, found.failed.n)
    assert (1.0, 30) == (found.agrees.value, found.agrees.n)


def test_verdicts_are_held_against_feedback():
    found = judged(
        audits(60, good=True),
        audits(20, good=False),
        audits(10, passed=False, good=True),
        audits(10, passed=False, good=False),
    )

    assert 0.7 == found.agrees.value
    assert 0.25 == found.wrong_passes.value
    assert 0.2 < found.kappa.value < 0.25


def test_of_those_of_unknown_family_nobody_is_kin():
    found = judged(audits(30, kin=True), audits(30), audits(40, kin=None))

    assert (0.5, 60) == (found.kin.value, found.kin.n)


def test_steady_are_the_answers_whose_place_does_not_hang_on_the_order():
    rows = [request(i, audits=tuple(audits(1)), stood=3, inconsistent=i % 2) for i in range(20)]

    steady = judging_of(rows).steady

    assert (50 / 60, 60) == (steady.value, steady.n)
