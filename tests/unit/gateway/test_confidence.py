"""How sure an answer is, by what was measured of it."""

import pytest

from gremium.v1 import aggregator_pb2, manifest_pb2
from services.gateway.confidence import agrees_with, confidence


def tally(*sizes, **fields):
    names = iter("abcdefgh")
    classes = [
        manifest_pb2.TallyClass(
            key=str(nth), jurors=[next(names) for _ in range(size)], share=size / sum(sizes)
        )
        for nth, size in enumerate(sizes)
    ]
    ballots = [manifest_pb2.Ballot(juror=name) for found in classes for name in found.jurors]
    return manifest_pb2.Tally(classes=classes, ballots=ballots, leader="0", **fields)


def sure(counted, score=None):
    verdict = None if score is None else manifest_pb2.Verdict(score=score)
    return confidence(aggregator_pb2.AggregateResponse(tally=counted), verdict)


@pytest.mark.parametrize(
    ("counted", "score", "expected"),
    [
        pytest.param(tally(3), None, 1.0, id="unanimous"),
        pytest.param(tally(3, 1), None, 0.75, id="three of four"),
        pytest.param(tally(3, 1), 0.5, 0.5, id="the judge doubts"),
        pytest.param(tally(3, 1), 0.9, 0.75, id="the jurors doubt"),
        pytest.param(tally(1), None, None, id="a lone juror"),
        pytest.param(tally(1), 0.8, 0.8, id="a lone juror judged"),
        pytest.param(tally(1, 1, 1, similarity=0.76), None, 0.76, id="paraphrases"),
        pytest.param(tally(2, 1, similarity=0.5), None, 2 / 3, id="one stray among prose"),
        pytest.param(manifest_pb2.Tally(ballots=[{}, {}]), None, None, id="nothing was counted"),
    ],
)
def test_is_the_least_of_what_is_known(counted, score, expected):
    assert pytest.approx(expected) == sure(counted, score)


def test_names_who_else_is_of_the_class():
    assert ["a", "c"] == agrees_with(tally(3, 1), "b")
    assert [] == agrees_with(tally(3, 1), "d")
