"""Feedback on recorded requests labels the votes behind them."""

import pytest

from gremium.v1 import manifest_pb2
from services.calibration.recorded import is_wordless, outcomes_of
from services.core.canonical import DECLINED, NO_CALL, ballot
from services.core.prompts import OutputFormat


def tally(tier, texts, shape):
    votes = {j: ballot(t, (), output_format=shape, tools=()) for j, t in texts.items()}
    classes = {vote.key: vote.value for vote in votes.values()}
    return manifest_pb2.Tally(
        tier=tier,
        ballots=[manifest_pb2.Ballot(juror=j, key=vote.key) for j, vote in votes.items()],
        classes=[manifest_pb2.TallyClass(key=k, value=v, share=0.5) for k, v in classes.items()],
    )


def manifest(texts, *, shape, tier="jury", pattern="jury", chosen="a", verdict=None, **said):
    made = manifest_pb2.Manifest(
        request_id="r1",
        ensemble="main",
        pattern=pattern,
        tallies=[tally(tier, texts, shape)],
        chosen_juror=chosen,
        chosen_tier=tier,
        feedback=[manifest_pb2.Feedback(**said)],
    )
    if verdict:
        made.verdicts.add(tier=tier, juror="a", score=0.8, kind=verdict)
    return made


LABELS = OutputFormat("labels", labels=("yes", "no", "unsure"))
SPLIT = {"a": "yes", "b": "no", "c": "yes"}


def right(made):
    (found,) = outcomes_of(made)
    return found.right


def test_good_feedback_says_that_the_answer_is_right_and_the_others_wrong():
    made = manifest(SPLIT, shape=LABELS, score=1.0)

    assert {"a": True, "b": False, "c": True} == right(made)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_who_is_preferred_is_right_whatever_was_given(score):
    made = manifest(SPLIT, shape=LABELS, score=score, preferred_juror="b", preferred_tier="jury")

    assert {"a": False, "b": True, "c": False} == right(made)


def test_who_is_preferred_in_another_tier_is_right_in_this_one_too():
    made = manifest(SPLIT, shape=LABELS, preferred_juror="z", preferred_tier="large")
    made.tallies.append(tally("large", {"z": "no"}, LABELS))

    assert [{"a": False, "b": True, "c": False}, {"z": True}] == [
        each.right for each in outcomes_of(made)
    ]


def test_bad_feedback_leaves_open_who_was_right():
    assert right(manifest(SPLIT, shape=LABELS, score=0.0)) is None


def test_bad_feedback_on_what_all_said_says_that_all_are_wrong():
    made = manifest({"a": "yes", "b": "Yes."}, shape=LABELS, score=0.0)

    assert {"a": False, "b": False} == right(made)


@pytest.mark.parametrize(
    ("texts", "shape", "expected", "wanted"),
    [
        pytest.param(SPLIT, LABELS, "No", {"a": False, "b": True, "c": False}, id="a label"),
        pytest.param(SPLIT, LABELS, "unsure", {"a": False, "b": False, "c": False}, id="nobody's"),
        pytest.param(
            {"a": "41", "b": "42"},
            OutputFormat("number"),
            "42.0",
            {"a": False, "b": True},
            id="a number",
        ),
        pytest.param(
            {"a": "42.001", "b": "42.00001"},
            OutputFormat("number"),
            "42",
            {"a": False, "b": True},
            id="a number within the tolerance",
        ),
        pytest.param(
            {"a": "41", "b": "42"},
            OutputFormat("number"),
            "it depends",
            {"a": False, "b": False},
            id="no number",
        ),
        pytest.param(
            {"a": '{"x": 1}', "b": '{"y": 2, "x": 1}'},
            OutputFormat("json"),
            '{"x": 1.0, "y": 2}',
            {"a": False, "b": True},
            id="JSON",
        ),
    ],
)
def test_what_was_expected_says_who_was_right(texts, shape, expected, wanted):
    assert wanted == right(manifest(texts, shape=shape, score=0.0, expected=expected))


JSON = OutputFormat("json")
CITIES = {"a": '{"city":"Paris"}', "b": '{"city":"Rome"}'}


def without_words(made, left=""):
    for found in made.tallies[0].classes:
        found.value = left
    return made


def test_what_was_expected_is_told_by_its_digest_where_no_words_are_kept():
    made = without_words(manifest(CITIES, shape=JSON, score=0.0, expected='{"city": "Rome"}'))

    assert {"a": False, "b": True} == right(made)
    assert not is_wordless(made)


@pytest.mark.parametrize("left", ["", '{"city":"[email]"}', '{"city":"Par'])
def test_what_cannot_be_compared_any_more_labels_nobody(left):
    made = without_words(manifest(CITIES, shape=JSON, score=0.0, expected="Rome"), left)

    assert right(made) is None
    assert is_wordless(made)


def test_where_words_are_kept_what_nobody_said_makes_all_wrong():
    made = manifest(CITIES, shape=JSON, score=0.0, expected="Oslo")

    assert {"a": False, "b": False} == right(made)
    assert not is_wordless(made)


def test_who_was_cut_off_was_not_heard_and_whose_answer_was_unusable_was_wrong():
    made = manifest({"a": "yes", "b": "no"}, shape=LABELS, score=1.0)
    ends = {
        "unusable": manifest_pb2.PARTICIPATION_STATUS_UNUSABLE,
        "cut off": manifest_pb2.PARTICIPATION_STATUS_CANCELLED,
        "not asked": manifest_pb2.PARTICIPATION_STATUS_SKIPPED,
        "late": manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT,
        "failed": manifest_pb2.PARTICIPATION_STATUS_FAILED,
    }
    for tier in ("jury", "elsewhere"):
        for name, status in ends.items():
            made.participations.add(
                stage=manifest_pb2.STAGE_JURY, tier=tier, name=f"{name} {tier}", status=status
            )

    assert {"a": True, "b": False, "unusable jury": False} == right(made)


def test_without_feedback_there_is_no_outcome():
    made = manifest(SPLIT, shape=LABELS, score=1.0)
    del made.feedback[:]

    assert [] == list(outcomes_of(made))


def test_prose_has_no_ballots_to_learn_from():
    made = manifest(SPLIT, shape=LABELS, score=1.0)
    made.tallies[0].similarity = 0.9

    assert [] == list(outcomes_of(made))


@pytest.mark.parametrize(
    ("pattern", "pool"), [("jury", "main"), ("cascade", "main/jury"), ("route", "main/jury")]
)
def test_tiers_have_pools_of_their_own(pattern, pool):
    (found,) = outcomes_of(manifest(SPLIT, shape=LABELS, pattern=pattern, score=1.0))

    assert pool == found.pool


def test_an_earlier_tier_is_labelled_by_the_answer_that_was_given():
    made = manifest(SPLIT, shape=LABELS, pattern="cascade", tier="large", score=1.0)
    made.tallies.insert(0, tally("small", {"d": "no", "e": "yes"}, LABELS))

    small, _ = outcomes_of(made)

    assert ("main/small", {"d": False, "e": True}) == (small.pool, small.right)


@pytest.mark.parametrize(
    ("kind", "judge"),
    [(manifest_pb2.VERDICT_KIND_PASS, 0.8), (manifest_pb2.VERDICT_KIND_FAIL, 0.0)],
)
def test_a_verdict_is_a_signal_on_the_answer(kind, judge):
    (found,) = outcomes_of(manifest(SPLIT, shape=LABELS, score=1.0, verdict=kind))

    assert ("a", {"judge": judge, "support": 0.5}) == (found.audited, found.signals)


MAY = OutputFormat("labels", labels=("yes", "no"), may_abstain=True)


def test_the_class_that_declines_is_named_as_the_tally_names_it():
    made = manifest({"a": "yes", "b": "I don't know."}, shape=MAY, score=1.0)
    made.tallies[0].abstain_key = DECLINED.key

    (found,) = outcomes_of(made)

    assert (DECLINED.key, DECLINED.key) == (found.decline_key, found.keys["b"])


@pytest.mark.parametrize("key", ["", NO_CALL.key])
def test_to_call_no_tool_is_not_to_decline(key):
    made = manifest(SPLIT, shape=LABELS, score=1.0)
    made.tallies[0].abstain_key = key

    (found,) = outcomes_of(made)

    assert (NO_CALL.key, "") == (found.abstain_key, found.decline_key)


def test_to_decline_may_be_what_was_expected():
    texts = {"a": "yes", "b": "I don't know."}

    found = right(manifest(texts, shape=MAY, score=0.0, expected="It cannot be determined."))

    assert {"a": False, "b": True} == found


def test_signals_without_a_finding_teach_nothing():
    made = manifest(SPLIT, shape=LABELS, score=1.0)
    made.verdicts.add(tier="jury", juror="a", kind=manifest_pb2.VERDICT_KIND_UNJUDGED)
    made.verdicts[0].signals.add(name="agreement", value=0.25)

    (found,) = outcomes_of(made)

    assert ("", {}) == (found.audited, found.signals)


def test_signals_that_were_recorded_are_taken_as_they_are():
    made = manifest(SPLIT, shape=LABELS, score=1.0, verdict=manifest_pb2.VERDICT_KIND_PASS)
    made.verdicts[0].signals.add(name="agreement", value=0.25)

    (found,) = outcomes_of(made)

    assert {"agreement": 0.25} == found.signals
