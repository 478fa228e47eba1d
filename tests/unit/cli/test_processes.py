"""Every service is told where it listens, what it reads, and whom it calls."""

import sys
from pathlib import Path

from services.cli.processes import STAGES, service_processes

ADDRESSES = {
    "router": "127.0.0.1:1",
    "jury": "127.0.0.1:2",
    "judge": "127.0.0.1:3",
    "aggregator": "127.0.0.1:4",
    "gateway": "127.0.0.1:50051",
}
METRICS = {**dict.fromkeys(ADDRESSES, ""), "jury": "127.0.0.1:7"}


def planned(**env):
    processes = service_processes(
        Path("/etc/gremium.yaml"),
        addresses=ADDRESSES,
        gateway_bind="0.0.0.0:50051",
        engines={"small": "http://127.0.0.1:9"},
        metrics=METRICS,
        env=env,
    )
    return {process.name: process for process in processes}


def told(process):
    return {key: value for key, value in process.env.items() if key.startswith("GREMIUM_")}


def test_stages_run_their_own_module():
    commands = {name: planned()[name].command for name in STAGES}

    assert {name: (sys.executable, "-m", f"{name}_svc") for name in STAGES} == commands


def test_the_gateway_knows_its_peers():
    expected = {
        "GREMIUM_GATEWAY_BIND": "0.0.0.0:50051",
        "GREMIUM_GATEWAY_CONFIG": "/etc/gremium.yaml",
        "GREMIUM_GATEWAY_ROUTER": "127.0.0.1:1",
        "GREMIUM_GATEWAY_JURY": "127.0.0.1:2",
        "GREMIUM_GATEWAY_JUDGE": "127.0.0.1:3",
        "GREMIUM_GATEWAY_AGGREGATOR": "127.0.0.1:4",
    }

    assert expected == told(planned()["gateway"])


def test_only_services_that_ask_models_know_the_engines():
    knowing = {name for name, p in planned().items() if f"GREMIUM_{name.upper()}_ENGINES" in p.env}

    assert {"router", "jury", "judge", "aggregator"} == knowing
    assert "small=http://127.0.0.1:9" == planned()["jury"].env["GREMIUM_JURY_ENGINES"]


def test_each_is_told_where_its_figures_are_read():
    jury, judge = planned()["jury"], planned()["judge"]

    assert ("127.0.0.1:7", "127.0.0.1:7") == (jury.metrics, told(jury)["GREMIUM_JURY_METRICS"])
    assert "" == judge.metrics
    assert "GREMIUM_JUDGE_METRICS" not in told(judge)


def test_the_own_environment_is_handed_on():
    jury = planned(OPENAI_API_KEY="k", GREMIUM_JURY_DRAIN_S="30")["jury"]

    assert ("k", "30") == (jury.env["OPENAI_API_KEY"], jury.env["GREMIUM_JURY_DRAIN_S"])


def test_a_service_may_take_as_long_as_its_drain():
    assert planned(GREMIUM_JURY_DRAIN_S="30")["jury"].stop_limit_s > 30


def test_health_is_asked_by_full_service_name():
    assert "gremium.v1.EnsembleService" == planned()["gateway"].health
