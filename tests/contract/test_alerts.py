"""Alerts fire when something is to be done, and only then: `promtool` plays what Prometheus sees."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

RULES = Path(__file__).parents[2] / "deploy" / "rules.yml"
EVERY = "15s"
LIMIT_S = 60
UP = 'up{job="gremium", service="%s", instance="%s"}'
REQUESTS = 'gremium_request_duration_seconds_count{gremium_ensemble="e", gremium_outcome="%s"}'
BREAKER = 'gremium_model_breaker_state{gremium_service="jury", gremium_model="m", instance="a"}'
LEFT = 'gremium_deadline_left_share_bucket{gremium_ensemble="e", le="%s"}'
DROPPED = 'gremium_telemetry_spans_dropped_total{instance="a", error_type="TIMEOUT"}'
FAILING = 'gremium_ledger_failing{instance="a"}'
LAG = 'gremium_ledger_mirror_lag_age_seconds{instance="a"}'
ANSWERED = {UP % ("jury", "a"): "1x160", REQUESTS % "ANSWERED": "0+100x160"}


def firing(folder, series, *, at, expected):
    """What promtool says if other alerts than these fire at that time; nothing otherwise."""
    asked = 'count by (alertname) (ALERTS{alertstate="firing"})'
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in expected]
    case = {
        "interval": EVERY,
        "input_series": [{"series": name, "values": told} for name, told in series.items()],
        "promql_expr_test": [{"expr": asked, "eval_time": at, "exp_samples": samples}],
    }
    cases = folder / "cases.yml"
    cases.write_text(
        json.dumps({"rule_files": [str(RULES)], "evaluation_interval": EVERY, "tests": [case]})
    )
    done = subprocess.run(
        [shutil.which("promtool") or "promtool", "test", "rules", cases],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(
    ("series", "at", "expected"),
    [
        pytest.param({}, "20m", [], id="nothing is wrong"),
        pytest.param(
            {UP % ("judge", "b"): "1x20 0x40"},
            "8m",
            ["GremiumServiceMissing"],
            id="a service does not answer",
        ),
        pytest.param(
            {UP % ("judge", "b"): "1x20 stale"},
            "8m",
            ["GremiumServiceGone"],
            id="a service is not even found",
        ),
        pytest.param(
            {UP % ("judge", "b"): "1x20 stale", UP % ("judge", "c"): "1x60"},
            "8m",
            [],
            id="one replica fewer is wanted",
        ),
        pytest.param(
            {UP % ("judge", "b"): "1x20 stale", UP % ("judge", "c"): "_x24 1x40"},
            "8m",
            [],
            id="a service is replaced",
        ),
        pytest.param(
            {REQUESTS % "FAILED": "0+10x160"}, "20m", ["GremiumRequestsFail"], id="many fail"
        ),
        pytest.param({REQUESTS % "FAILED": "0x20 50x160"}, "9m", [], id="many failed for a moment"),
        pytest.param({REQUESTS % "FAILED": "0+1x160"}, "20m", [], id="few fail"),
        pytest.param({FAILING: "1x160"}, "20m", ["GremiumNotRecording"], id="the disk is full"),
        pytest.param({FAILING: "0x20 1 0x160"}, "6m", [], id="the disk was full for a moment"),
        pytest.param({BREAKER: "2x160"}, "20m", ["GremiumBreakerOpen"], id="a model is left alone"),
        pytest.param(
            {BREAKER: " ".join(["2 2 2 2 1"] * 32)},
            "20m",
            ["GremiumBreakerOpen"],
            id="a model is left alone and probed in vain",
        ),
        pytest.param({BREAKER: "2x8 1 0x160"}, "20m", [], id="a model is back"),
        pytest.param(
            {LEFT % "0.05": "0+10x160", LEFT % "0.5": "0+20x160", LEFT % "+Inf": "0+100x160"},
            "30m",
            ["GremiumLittleTimeLeft"],
            id="hardly any time is left",
        ),
        pytest.param(
            {LEFT % "0.05": "0+1x160", LEFT % "0.5": "0+20x160", LEFT % "+Inf": "0+100x160"},
            "30m",
            [],
            id="time is left for nearly all",
        ),
        pytest.param(
            {DROPPED: "3x20 8x160"}, "6m", ["GremiumTelemetryLost"], id="more spans are lost"
        ),
        pytest.param(
            {DROPPED: "_x20 8x160"}, "6m", ["GremiumTelemetryLost"], id="the first spans are lost"
        ),
        pytest.param({DROPPED: "3x160"}, "20m", [], id="spans were lost long ago"),
        pytest.param({LAG: "0+15x160"}, "20m", ["GremiumCopyBehind"], id="the copy gets nothing"),
        pytest.param({LAG: "300x160"}, "20m", [], id="the copy is a little behind"),
    ],
)
def test_fires(require, tmp_path, series, at, expected):
    require("prometheus")

    assert not firing(tmp_path, {**ANSWERED, **series}, at=at, expected=expected)


def test_every_alert_is_played():
    played = {
        name for mark in test_fires.pytestmark for case in mark.args[1] for name in case.values[2]
    }
    groups = yaml.safe_load(RULES.read_text())["groups"]

    assert {rule["alert"] for each in groups for rule in each["rules"] if "alert" in rule} == played
