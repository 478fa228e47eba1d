"""What a cheaper tier would have answered is a label where the answer that was given has one."""

import numpy as np
import pytest

from gremium.v1 import shadow_pb2
from services.routing.exported import training
from services.routing.recorded import rows_of_ledger
from services.routing.shadowed import quality_of_shadow, shadow_outcome
from tests.unit.routing.recording import EQUAL, FAIL, PASS, UNJUDGED, USED, request, shadow

BETTER = shadow_pb2.SHADOW_VERDICT_BETTER
WORSE = shadow_pb2.SHADOW_VERDICT_WORSE
DIFFERENT = shadow_pb2.SHADOW_VERDICT_DIFFERENT
FAILED = shadow_pb2.SHADOW_VERDICT_FAILED


@pytest.mark.parametrize(
    ("verdict", "beside_right", "beside_wrong", "beside_unknown"),
    [
        (EQUAL, 1.0, 0.0, None),
        (BETTER, 1.0, None, None),
        (WORSE, 0.0, 0.0, None),
        (DIFFERENT, 0.0, None, None),
        (FAILED, 0.0, 0.0, 0.0),
        (shadow_pb2.SHADOW_VERDICT_UNJUDGED, None, None, None),
        (shadow_pb2.SHADOW_VERDICT_NOT_ASKED, None, None, None),
        (shadow_pb2.SHADOW_VERDICT_BROKEN_OFF, None, None, None),
        (shadow_pb2.SHADOW_VERDICT_UNSPECIFIED, None, None, None),
    ],
)
def test_a_comparison_tells_as_much_as_the_other_answer_is_known(
    verdict, beside_right, beside_wrong, beside_unknown
):
    told = [quality_of_shadow(shadow(verdict), used) for used in (1.0, 0.0, None)]

    assert [beside_right, beside_wrong, beside_unknown] == told


def test_whose_answer_it_was_is_known_of_a_single_model_only():
    model, outcome = shadow_outcome(shadow(EQUAL, "tiny", "tiny"), 1.0)

    assert ("tiny", 1.0, 0.125, 7.0) == (
        model,
        outcome.quality,
        outcome.cost_usd,
        outcome.output_tokens,
    )
    assert shadow_outcome(shadow(EQUAL, "tiny", "other"), 1.0) is None
    assert shadow_outcome(shadow(EQUAL), 1.0) is None


def labels(manifest, record):
    rows = rows_of_ledger([manifest], embedding=USED, shadows={record.request_id: record}).rows
    return dict(zip(rows.models, rows.labels[0].tolist(), strict=True))


@pytest.mark.parametrize(("kind", "expected"), [(PASS, 1.0), (FAIL, 0.0)])
def test_the_row_of_a_request_has_its_shadows_model(kind, expected):
    found = labels(request(verdicts={"a": kind}), shadow(EQUAL, "tiny"))

    assert {"small": expected, "tiny": expected} == found


def test_a_model_that_was_asked_itself_goes_by_that():
    found = labels(request(verdicts={"a": PASS}), shadow(WORSE, "small"))

    assert {"small": 1.0} == found


def test_a_shadow_that_failed_is_a_row_without_any_other_label():
    assert {"tiny": 0.0} == labels(request(verdicts={"a": UNJUDGED}), shadow(FAILED, "tiny"))


def test_what_is_exported_to_train_on_has_them_too():
    (line,) = training(
        [request(verdicts={"a": PASS})], embedding=USED, shadows={"r1": shadow(DIFFERENT, "tiny")}
    ).lines

    assert {"quality": 0.0, "cost_usd": 0.125, "output_tokens": 7.0} == line["outcomes"]["tiny"]
    assert np.isclose(1.0, line["outcomes"]["small"]["quality"])
