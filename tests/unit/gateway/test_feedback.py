"""What feedback means: the score that it stands for, and whose answer it prefers."""

import pytest

from gremium.v1 import manifest_pb2
from services.core.errors import InvalidRequestError
from services.gateway.feedback import CORRECT, INCORRECT, PREFERRED, kind_name, understood

ANSWERED = manifest_pb2.PARTICIPATION_STATUS_ANSWERED
FAILED = manifest_pb2.PARTICIPATION_STATUS_FAILED
JURY = manifest_pb2.STAGE_JURY


def part(name, tier, *, status=ANSWERED, stage=JURY):
    return manifest_pb2.Participation(name=name, tier=tier, status=status, stage=stage)


def tally(tier, **keys):
    ballots = [manifest_pb2.Ballot(juror=juror, key=key) for juror, key in keys.items()]
    return manifest_pb2.Tally(tier=tier, ballots=ballots)


MANIFEST = manifest_pb2.Manifest(
    chosen_juror="a",
    chosen_tier="small",
    participations=[
        part("a", "small"),
        part("b", "small"),
        part("c", "small"),
        part("d", "small", status=FAILED),
        part("judge", "small", stage=manifest_pb2.STAGE_JUDGE),
        part("a", "large"),
    ],
    tallies=[tally("small", a="yes", b="yes", c="no"), tally("large", a="no")],
)


def told(**said):
    found = understood(manifest_pb2.Feedback(**said), MANIFEST)
    return found.score, found.preferred_tier


@pytest.mark.parametrize(
    ("said", "score"),
    [
        pytest.param({"score": 0.4}, 0.4, id="a score stays"),
        pytest.param({}, 0.0, id="no score is 0"),
        pytest.param({"kind": CORRECT}, 1.0, id="correct"),
        pytest.param({"kind": INCORRECT, "score": 0.9}, 0.0, id="incorrect, whatever the score"),
    ],
)
def test_the_kind_says_the_score(said, score):
    assert (score, "") == told(**said)


@pytest.mark.parametrize(
    ("juror", "tier", "wanted"),
    [
        pytest.param("a", "small", (1.0, "small"), id="what was given"),
        pytest.param("b", "", (1.0, "small"), id="who says the same"),
        pytest.param("c", "", (0.0, "small"), id="another one of the jury"),
        pytest.param("a", "large", (0.0, "large"), id="the same juror in another tier"),
    ],
)
def test_who_is_preferred_says_whether_the_answer_given_was_the_best(juror, tier, wanted):
    assert wanted == told(kind=PREFERRED, preferred_juror=juror, preferred_tier=tier)


def test_what_is_wrong_may_come_with_whose_answer_is_right():
    assert (0.0, "small") == told(kind=INCORRECT, preferred_juror="c")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param({"kind": PREFERRED}, "name the juror", id="nobody"),
        pytest.param({"kind": PREFERRED, "preferred_juror": "z"}, "no answer", id="a stranger"),
        pytest.param({"kind": PREFERRED, "preferred_juror": "d"}, "no answer", id="who failed"),
        pytest.param({"kind": PREFERRED, "preferred_juror": "judge"}, "no answer", id="a judge"),
        pytest.param({"kind": PREFERRED, "preferred_juror": "a"}, "say in which", id="of two"),
        pytest.param(
            {"kind": PREFERRED, "preferred_juror": "b", "preferred_tier": "large"},
            "no answer in large",
            id="of a tier without it",
        ),
        pytest.param({"kind": CORRECT, "preferred_juror": "b"}, "only with", id="of what is right"),
        pytest.param({"preferred_juror": "b"}, "only with", id="beside a score"),
        pytest.param(
            {"kind": INCORRECT, "preferred_juror": "b"}, "is incorrect", id="who said the same"
        ),
        pytest.param(
            {"score": 1.0, "preferred_tier": "small"}, "name the juror", id="a tier alone"
        ),
    ],
)
def test_refuses_to_prefer(said, why):
    with pytest.raises(InvalidRequestError, match=why) as caught:
        told(**said)

    assert "feedback.preferred_juror" == caught.value.violations[0][0]


def test_every_kind_has_a_name():
    kinds = manifest_pb2.FeedbackKind.values()

    names = [kind_name(manifest_pb2.Feedback(kind=kind)) for kind in kinds]

    assert ["score", "correct", "incorrect", "preferred"] == names
