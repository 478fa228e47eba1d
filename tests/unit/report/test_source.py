"""What is read of a shadow says whether the cheaper tier would have done, or that nobody knows."""

import pytest

from gremium.v1 import manifest_pb2, shadow_pb2
from services.report.source import shadow_of


@pytest.mark.parametrize(
    ("verdict", "enough"),
    [
        ("EQUAL", True),
        ("BETTER", True),
        ("WORSE", False),
        ("DIFFERENT", False),
        ("FAILED", False),
        ("UNJUDGED", None),
        ("NOT_ASKED", None),
        ("BROKEN_OFF", None),
        ("UNSPECIFIED", None),
    ],
)
def test_every_verdict_is_read(verdict, enough):
    kind = shadow_pb2.ShadowVerdict.Value(f"SHADOW_VERDICT_{verdict}")

    assert enough is shadow_of(shadow_pb2.ShadowRecord(verdict=kind, propensity=1.0)).enough


def test_all_verdicts_are_in_the_table_above():
    (names,) = [
        mark.args[1] for mark in test_every_verdict_is_read.pytestmark if mark.name == "parametrize"
    ]

    told = {f"SHADOW_VERDICT_{verdict}" for verdict, _ in names}
    assert set(shadow_pb2.ShadowVerdict.keys()) == told


def test_the_comparison_is_part_of_what_shadowing_cost():
    record = shadow_pb2.ShadowRecord(shadow_cost_usd=0.25, comparison_cost_usd=0.5)

    assert 0.75 == shadow_of(record).spent_usd


def test_a_prompt_is_as_long_as_the_cheaper_tier_counts_it():
    told = [
        manifest_pb2.Participation(
            stage=manifest_pb2.STAGE_JURY, tier=tier, usage={"input_tokens": n}
        )
        for tier, n in (("small", 40), ("", 900))
    ]
    record = shadow_pb2.ShadowRecord(propensity=1.0, tier_shadow="small", participations=told)

    assert 40 == shadow_of(record).tokens
    assert 0 == shadow_of(shadow_pb2.ShadowRecord(propensity=1.0)).tokens
