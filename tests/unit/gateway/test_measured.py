"""Figures of what is no request of its own: cheaper tiers that were asked, too."""

import pytest

from gremium.v1 import shadow_pb2
from services.gateway.measured import measure_shadow
from services.runtime import figures
from tests.figures import figure, measuring


@pytest.fixture(autouse=True)
def _measuring():
    with measuring():
        yield


def shadow(verdict, **fields):
    return shadow_pb2.ShadowRecord(
        ensemble="main",
        tier_used="large",
        tier_shadow="small",
        verdict=verdict,
        used_cost_usd=0.5,
        shadow_cost_usd=0.125,
        **fields,
    )


@pytest.mark.parametrize(
    ("verdict", "saved_usd"),
    [
        (shadow_pb2.SHADOW_VERDICT_EQUAL, 0.375),
        (shadow_pb2.SHADOW_VERDICT_BETTER, 0.375),
        (shadow_pb2.SHADOW_VERDICT_WORSE, 0.0),
        (shadow_pb2.SHADOW_VERDICT_DIFFERENT, 0.0),
    ],
)
def test_a_cheaper_tier_saves_only_where_it_is_no_worse(verdict, saved_usd):
    measure_shadow(shadow(verdict))

    assert saved_usd == figure(figures.SHADOW_SAVED)


def test_a_shadow_is_told_by_its_tiers_and_all_that_it_cost():
    measure_shadow(shadow(shadow_pb2.SHADOW_VERDICT_EQUAL, comparison_cost_usd=0.25))

    told = {"verdict": "EQUAL", "from": "large", "to": "small", "ensemble": "main"}
    assert 1 == figure(figures.SHADOWS, **told)
    assert 0.375 == figure(figures.SHADOW_COST)
