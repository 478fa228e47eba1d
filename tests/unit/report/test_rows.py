"""A row has what a manifest says of who was heard, what it cost and who was right, and no text."""

import pytest

from gremium.v1 import manifest_pb2, router_pb2
from services.report.rows import request_of
from tests.unit.report.manifests import judge, juror, manifest, tally, verdict

GOOD = manifest_pb2.Feedback(score=1.0)
BAD = manifest_pb2.Feedback(score=0.0)


def vote_of(*parts, **how):
    (vote,) = request_of(manifest(*parts, **how)).votes
    return vote


def test_ballots_are_by_juror_and_the_vote_came_to_the_leader():
    vote = vote_of(juror("a"), juror("b"), juror("c"), tally(a="x", b="x", c="y"))

    assert {"a": "x", "b": "x", "c": "y"} == vote.keys
    assert "x" == vote.given
    assert {"a": 0.01, "b": 0.01, "c": 0.01} == vote.usd
    assert 0.25 == vote.divergence


def test_an_answer_that_was_none_was_heard_and_is_no_ballot():
    vote = vote_of(juror("a"), juror("b", status="unusable"), tally(a="x"))

    assert "" == vote.keys["b"]


def test_who_failed_or_was_late_is_lost_and_who_was_cut_off_is_unknown():
    vote = vote_of(
        juror("a"),
        juror("b", status="failed"),
        juror("c", status="late"),
        juror("d", status="cancelled"),
        tally(a="x"),
    )

    assert {"b", "c"} == vote.lost
    assert {"a"} == vote.keys.keys()


def test_without_consensus_the_vote_came_to_nothing():
    assert "" == vote_of(juror("a"), juror("b"), tally(a="x", b="y", consensus=False)).given


def test_good_feedback_tells_who_was_right():
    vote = vote_of(juror("a"), juror("b"), tally(a="x", b="y"), GOOD)

    assert {"a": True, "b": False} == vote.right


def test_bad_feedback_leaves_open_who_was_right_unless_it_says_so():
    parts = juror("a"), juror("b"), tally(a="x", b="y")

    assert vote_of(*parts, BAD).right is None
    assert {"a": False, "b": True} == vote_of(
        *parts, manifest_pb2.Feedback(score=0.0, expected="y")
    ).right


def test_prose_has_no_ballots():
    assert vote_of(juror("a"), juror("b"), tally(a="x", b="y", prose=True), GOOD).prose


def cascade(*parts):
    return request_of(
        manifest(
            juror("a", tier="small", usd=0.01),
            juror("b", tier="large", usd=0.05),
            tally("small", a="x"),
            tally("large", b="y"),
            manifest_pb2.Escalation(from_tier="small", to_tier="large"),
            *parts,
            pattern="cascade",
            chosen=("b", "large"),
        )
    )


def test_tiers_are_told_in_the_order_in_which_they_were_asked():
    row = cascade()

    assert ("small", "large") == row.tiers
    assert ["small", "large"] == [vote.tier for vote in row.votes]
    assert pytest.approx(0.01) == row.in_vain_usd
    assert {"small": 0.01, "large": 0.05} == row.tier_usd


def test_what_was_predicted_of_tiers_is_kept():
    route = router_pb2.RouteDecision(
        tiers=[router_pb2.Tier(name="small")],
        candidates=[
            router_pb2.CandidateScore(name="small", adequacy={"value": 0.6}),
            router_pb2.CandidateScore(name="large"),
        ],
    )

    assert {"small": pytest.approx(0.6)} == cascade(route).adequacy


def audit_of(*parts, **how):
    (audit,) = request_of(manifest(juror("a", family="gpt"), tally(a="x"), *parts, **how)).audits
    return audit


def test_a_verdict_is_held_against_feedback():
    audit = audit_of(judge("j", "claude"), verdict("j", "a"), BAD)

    assert (True, False) == (audit.passed, audit.good)


def test_a_judge_of_the_authors_family_is_kin_however_it_is_spelt():
    assert audit_of(judge("j", "GPT "), verdict("j", "a")).kin
    assert audit_of(judge("j", "claude"), verdict("j", "a")).kin is False


def test_where_no_model_judged_nobody_is_kin():
    audit = audit_of(verdict("", "a", kind="UNJUDGED", why="NO_INDEPENDENT_JUDGE"))

    assert audit.passed is None
    assert audit.kin is None
    assert "NO_INDEPENDENT_JUDGE" == audit.reason


def test_feedback_is_not_on_an_answer_that_was_passed_over():
    audit = audit_of(juror("b"), judge("j", "claude"), verdict("j", "b"), GOOD)

    assert audit.good is None


def test_an_error_is_its_reason():
    failed = manifest(juror("a"))
    failed.ClearField("outcome")
    failed.error.reason = "QUORUM_NOT_REACHED"

    assert "QUORUM_NOT_REACHED" == request_of(failed).outcome


def test_comparisons_that_changed_with_the_order_are_counted():
    counted = tally(a="x", b="y")
    counted.standings.add(juror="a", comparisons=1, position_inconsistent=True)
    counted.standings.add(juror="b", comparisons=1)
    counted.standings.add(juror="c")

    row = request_of(manifest(juror("a"), counted))

    assert (2, 1) == (row.stood, row.inconsistent)


def test_what_a_prompt_is_about_is_what_was_learned_else_what_was_configured():
    both = router_pb2.RouteDecision(domain="law", learned_domain="code")

    assert "code" == request_of(manifest(both)).domain
    assert "law" == request_of(manifest(router_pb2.RouteDecision(domain="law"))).domain
    assert "" == request_of(manifest()).domain


def test_prompts_are_as_long_as_the_juror_says_that_counts_most():
    jurors = [juror("a"), juror("b"), juror("c", tier="large")]
    for each, tokens in zip(jurors, (90, 110, 0), strict=True):
        each.usage.input_tokens = tokens

    assert {"jury": 110} == request_of(manifest(*jurors)).tokens


def test_an_answer_is_as_good_as_feedback_says_else_the_judge():
    passed = (juror("a"), tally(a="x"), verdict("j", "a"))

    assert 1.0 == request_of(manifest(*passed)).quality
    assert 0.0 == request_of(manifest(*passed, BAD)).quality
    assert request_of(manifest(juror("a"), tally(a="x"))).quality is None


def test_what_was_not_given_is_not_good():
    rejected = manifest(juror("a"), tally(a="x"), verdict("j", "a", kind="FAIL"))
    rejected.outcome = manifest_pb2.OUTCOME_REJECTED

    assert request_of(rejected).quality is None


def weighed(*weights):
    counted = tally(a="x", b="x", c="y")
    for each, weight in zip(counted.classes, weights, strict=True):
        each.weight = weight
    (vote,) = request_of(manifest(*map(juror, "abc"), counted)).votes
    return vote


def test_weights_of_classes_are_kept_unless_each_ballot_counts_one():
    assert {} == weighed(2.0, 1.0).weights
    assert {"x": 2.5, "y": 1.0} == weighed(2.5, 1.0).weights
