"""A manifest says so where all votes that it counted are of one model."""

import pytest

from gremium.v1 import manifest_pb2
from services.gateway.closing import is_self_ensemble

ANSWERED = manifest_pb2.PARTICIPATION_STATUS_ANSWERED
FAILED = manifest_pb2.PARTICIPATION_STATUS_FAILED
SKIPPED = manifest_pb2.PARTICIPATION_STATUS_SKIPPED


def part(model, status=ANSWERED, stage=manifest_pb2.STAGE_JURY):
    return manifest_pb2.Participation(stage=stage, model=model, status=status)


@pytest.mark.parametrize(
    ("parts", "is_one"),
    [
        pytest.param([part("m"), part("m")], True, id="twice the same"),
        pytest.param([part("m"), part("m", FAILED)], True, id="asked twice"),
        pytest.param([part("m"), part("m", SKIPPED)], False, id="asked once"),
        pytest.param([part("m"), part("n")], False, id="two models"),
        pytest.param([part("m"), part("n", FAILED)], False, id="another that failed"),
        pytest.param(
            [part("m"), part("m", stage=manifest_pb2.STAGE_JUDGE)], False, id="as its judge"
        ),
        pytest.param([], False, id="nobody"),
    ],
)
def test_a_self_ensemble_asks_one_model_more_than_once(parts, is_one):
    assert is_one is is_self_ensemble(parts)
