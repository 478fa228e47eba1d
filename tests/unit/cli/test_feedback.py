"""`gremium feedback` says one thing at a time, and refuses what contradicts itself."""

import pytest

from gremium.v1 import manifest_pb2
from services.cli.feedback import told
from tests.unit.cli.test_command import run

CORRECT = manifest_pb2.FEEDBACK_KIND_CORRECT
INCORRECT = manifest_pb2.FEEDBACK_KIND_INCORRECT
PREFERRED = manifest_pb2.FEEDBACK_KIND_PREFERRED


@pytest.mark.parametrize(
    ("options", "why"),
    [
        pytest.param([], "needs one of", id="nothing"),
        pytest.param(["--correct", "--incorrect"], "--correct goes with", id="both"),
        pytest.param(["--correct", "--prefer", "b"], "--correct goes with", id="right but worse"),
        pytest.param(["--score", "0.5", "--incorrect"], "--score says it alone", id="a score too"),
        pytest.param(["--score", "2"], "--score", id="beyond the range"),
        pytest.param(["--prefer", "b", "--tier"], "--tier", id="no tier"),
    ],
)
def test_refuses(monkeypatch, capsys, options, why):
    assert 1 == run(monkeypatch, "feedback", "r1", *options)
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"score": 0.4}, "score 0.4"),
        ({"kind": CORRECT, "score": 1.0}, "correct"),
        ({"kind": INCORRECT}, "incorrect"),
        (
            {"kind": INCORRECT, "preferred_juror": "b", "preferred_tier": "jury"},
            "incorrect; b of jury has the best answer",
        ),
        (
            {"kind": PREFERRED, "preferred_juror": "b", "preferred_tier": "jury"},
            "b of jury has the best answer",
        ),
    ],
)
def test_tells_what_was_recorded(said, words):
    assert words == told(manifest_pb2.Feedback(**said))
