"""Fail-closed: a pass needs findings that all pass, and no veto against it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_svc.checks import Check, Outcome
from judge_svc.rubric import CRITERIA, Finding, Opinion
from judge_svc.verdict import judged, unjudged, vetoed

GOOD = Check("schema", Outcome.PASS, veto=True)
EVIDENCE = Check("numbers", Outcome.FAIL, "324 stands in no passage")
VETO = Check("schema", Outcome.FAIL, "city is missing", veto=True)
LEAK = Check("secrets", Outcome.FAIL, "it holds AWS access key", veto=True)


def findings(*, failing="", score=0.9):
    return Opinion(
        tuple(
            Finding(c, c != failing, 0.2 if c == failing else score, f"saw {c}") for c in CRITERIA
        )
    )


def of(checks=(GOOD,), *, min_score=0.5, **found):
    return judged(checks, findings(**found), judge="j", min_score=min_score)


def test_passes_when_nothing_is_found():
    verdict = of()

    assert ("pass", 0.9, "j", False) == (
        verdict.kind,
        verdict.score,
        verdict.judge,
        verdict.unsafe,
    )
    assert "lowest score 0.90 reaches 0.50" in verdict.reason_text


@pytest.mark.parametrize("criterion", CRITERIA)
def test_fails_by_any_criterion(criterion):
    verdict = of(failing=criterion)

    assert "fail" == verdict.kind
    assert f"{criterion}: saw {criterion}" == verdict.reason_text
    assert verdict.unsafe == (criterion == "safety")


def test_fails_below_the_score_it_needs():
    assert "fail" == of(score=0.6, min_score=0.7).kind


def test_the_score_is_the_lowest():
    assert 0.2 == of(failing="logic").score


def test_evidence_alone_fails_nothing():
    assert "pass" == of((EVIDENCE,)).kind
    assert vetoed([EVIDENCE]) is None


def test_a_veto_fails_without_a_model():
    verdict = vetoed([GOOD, VETO])

    assert ("fail", None, "", False) == (
        verdict.kind,
        verdict.score,
        verdict.judge,
        verdict.unsafe,
    )
    assert "schema: city is missing" == verdict.reason_text


def test_a_leak_is_unsafe():
    assert vetoed([LEAK]).unsafe


def test_a_veto_fails_whatever_the_model_says():
    assert "fail" == of((VETO,)).kind


def test_unjudged_neither_passes_nor_fails():
    verdict = unjudged([EVIDENCE], reason="TIMEOUT", reason_text="late", judge="j")

    assert ("unjudged", None, "TIMEOUT") == (verdict.kind, verdict.score, verdict.unjudged_reason)


def test_no_findings_are_no_pass():
    with pytest.raises(ValueError, match="must have findings"):
        judged([GOOD], Opinion(()), judge="j", min_score=0.0)


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=3, max_size=3),
    st.floats(0, 1),
    st.lists(st.sampled_from([GOOD, EVIDENCE, VETO, LEAK]), max_size=4),
)
def test_passes_only_if_everything_does(scores, min_score, checks):
    found = [Finding(c, ok, s) for c, (ok, s) in zip(CRITERIA, scores, strict=True)]
    verdict = judged(checks, Opinion(tuple(found)), judge="j", min_score=min_score)

    every = all(ok and s >= min_score for ok, s in scores)
    assert (verdict.kind == "pass") == (every and not any(c.vetoes for c in checks))
    assert verdict.kind != "pass" or not verdict.unsafe
