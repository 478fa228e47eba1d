"""`docker compose up`: five healthy containers, one door, replicas that share, an end in order."""

import json
import time

import pytest

from tests.deploy.deployment import (
    SERVICES,
    STAGES,
    has_worked,
    health,
    is_back,
    reply_of,
    until,
)

pytestmark = pytest.mark.timeout(900)  # starts an engine and builds an image first

QUESTION = "What is 2 + 2?"
NOTICED_LIMIT_S = 45
"""Longest time until the engine notices a change of health."""
FOUND_LIMIT_S = 60
"""Longest time until new replicas are asked."""
BACK_LIMIT_S = 15
SCRAPED_LIMIT_S = 45
"""Two rounds of Prometheus, and time to find whom to ask."""
TEARDOWN_LIMIT_S = 10.0
READ = "/api/v1/query?query=count+by+(service)+(max_over_time(up[5m])==1)"
"""How many processes of each service were read."""


def test_every_service_is_healthy(mesh):
    assert {"healthy"} == {health(mesh.container(name)) for name in SERVICES}


def test_a_service_that_is_frozen_is_not_healthy(mesh):
    frozen = mesh.container("aggregator")
    frozen.kill("SIGSTOP")
    assert until(lambda: "unhealthy" == health(frozen), within_s=NOTICED_LIMIT_S)

    frozen.kill("SIGCONT")
    assert until(lambda: "healthy" == health(frozen), within_s=NOTICED_LIMIT_S)


def test_the_gateway_alone_is_published_and_on_loopback_alone(mesh):
    bindings = {name: mesh.container(name).attrs["HostConfig"]["PortBindings"] for name in SERVICES}

    published = {name: ports for name, ports in bindings.items() if ports}
    assert ["gateway"] == list(published)
    doors = {(port, each["HostIp"]) for port, told in published["gateway"].items() for each in told}
    assert {("50051/tcp", "127.0.0.1"), ("50080/tcp", "127.0.0.1")} == doors


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_limited_and_may_do_little(mesh, name):
    container = mesh.container(name)
    host = container.attrs["HostConfig"]

    assert (512 * 2**20, 10**9, 128) == (host["Memory"], host["NanoCpus"], host["PidsLimit"])
    assert (True, ["ALL"]) == (host["ReadonlyRootfs"], host["CapDrop"])
    assert "10001:10001" == container.attrs["Config"]["User"]


def test_answers_over_the_published_port(mesh):
    reply = mesh.ask(QUESTION)

    assert ("OUTCOME_ANSWERED", "4") == (reply["outcome"], reply["answer"]["text"])
    stages = {each["stage"] for each in reply["manifest"]["participations"]}
    assert {"STAGE_ROUTER", "STAGE_JURY", "STAGE_AGGREGATOR", "STAGE_JUDGE"} <= stages
    assert not reply["manifest"].get("degraded", False)


def test_prometheus_reads_each_service_once(mesh, require):
    require("prometheus")

    def found():
        told = json.loads(mesh.page("GREMIUM_PROMETHEUS_PORT", READ))["data"]["result"]
        return {each["metric"]["service"]: each["value"][1] for each in told}

    once = dict.fromkeys(SERVICES, "1")
    assert until(lambda: once == found(), within_s=SCRAPED_LIMIT_S), found()


def test_the_ledger_outlives_its_container(mesh):
    first = mesh.ask(QUESTION, "--request-id", "kept")
    old = mesh.container("gateway").id

    mesh.up("--force-recreate", "--no-deps", "gateway")
    again = mesh.ask(QUESTION, "--request-id", "kept")

    assert old != mesh.container("gateway").id
    assert (True, first["manifest"]) == (again["replayed"], again["manifest"])


def test_a_gateway_that_runs_finds_a_second_one_of_each_stage(mesh):
    mesh.up(*(f"--scale={stage}=2" for stage in STAGES), "--no-recreate")
    idle = [each for stage in STAGES for each in mesh.containers(stage)]
    assert 2 * len(STAGES) == len(idle)

    def all_work():
        assert "4" == mesh.ask(QUESTION)["answer"]["text"]
        idle[:] = [each for each in idle if not has_worked(each)]
        return not idle

    assert until(all_work, within_s=FOUND_LIMIT_S), idle


def test_one_jury_of_two_may_crash_and_comes_back(mesh):
    mesh.up("--scale", "jury=2", "--no-recreate")
    crashed = mesh.containers("jury")[0]
    mesh.crash(crashed)

    assert ["4"] * 4 == [mesh.ask(QUESTION)["answer"]["text"] for _ in range(4)]
    assert until(lambda: is_back(crashed), within_s=BACK_LIMIT_S)


def test_the_console_shows_what_was_asked(mesh):
    mesh.ask(QUESTION, "--request-id", "shown")

    assert "shown" in mesh.page("GREMIUM_CONSOLE_PORT", "/")


def test_ends_within_ten_seconds_and_answers_what_it_took(mesh):
    mesh.up("--scale", "jury=1", "--no-recreate")
    calls = mesh.container("models").logs
    asking = mesh.asking(QUESTION, "--ensemble", "one-slow")
    assert until(lambda: b"slow" in calls(), within_s=20)

    begun = time.monotonic()
    mesh.compose("stop")
    codes = {name: mesh.container(name).attrs["State"]["ExitCode"] for name in SERVICES}
    mesh.compose("down", "--volumes")
    took_s = time.monotonic() - begun

    assert "4" == reply_of(asking)["answer"]["text"]
    assert dict.fromkeys(SERVICES, 0) == codes
    assert took_s < TEARDOWN_LIMIT_S
