"""A real Prometheus scrapes the five services of `gremium up`, and answers for every figure."""

import json
import shutil
import subprocess
from contextlib import nullcontext, suppress

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc
from tests.fault.stubs import VERDICT
from tests.mesh.meshes import request
from tests.mesh.test_ask import LABELS
from tests.prometheus import prometheus
from tests.running import mesh_running
from tests.scripted import upstream_thread
from tests.upstream import Reply

TIMEOUT_S = 10.0
SERVICES = {"router", "jury", "judge", "aggregator", "gateway"}
PRICE = {"input_usd_per_mtok": 1000.0, "output_usd_per_mtok": 1000.0}
SCRIPT = {
    "yes": Reply("yes"),
    "also": Reply("yes"),
    "no": Reply("no", delay_s=0.3),
    "down": Reply(status=500),
    "judge": Reply(VERDICT),
}
SCRAPES = """
global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}
rule_files: [%s]
scrape_configs:
  - job_name: gremium
    file_sd_configs: [{files: ["%s"], refresh_interval: 1s}]
"""
REQUESTS = 3
OURS = '{__name__=~"(gremium|rpc|gen_ai)_.+"}'


def config(url):
    common = {"backend": "openai", "base_url": url, "timeout_s": 3, "price": PRICE}
    models = {
        name: {**common, "model": name, "family": name, "retry": {"max_attempts": 1}}
        for name in SCRIPT
    }
    models["down"]["breaker"] = {"min_calls": 2, "window": 2, "open_s": 300}
    judge = {"judge": {"models": ["judge"]}}
    jury = {"pattern": "jury", "jurors": [{"model": name} for name in ("yes", "also", "no")]}
    tiers = [{"name": name, "jurors": [{"model": name}]} for name in ("yes", "no", "also")]
    ensembles = {
        "all": {**jury, **judge, "quorum": 3, "stop": {"rule": "quorum"}},
        "early": {**jury, "quorum": 2},
        "tiers": {"pattern": "cascade", "tiers": tiers},
        "broken": {"pattern": "jury", "jurors": [{"model": "down"}]},
    }
    whole = {"models": models, "ensembles": ensembles, "embeddings": {"backend": "none"}}
    return json.dumps({**whole, "default_ensemble": "all"})


@pytest.fixture(scope="module")
def mesh(require, tmp_path_factory):
    require("prometheus")
    folder = tmp_path_factory.mktemp("mesh")
    with upstream_thread(SCRIPT) as server, mesh_running(folder, config(server.url)) as mesh:
        yield mesh


@pytest.fixture(scope="module")
def server(mesh, tmp_path_factory, pytestconfig):
    """A Prometheus that reads what the mesh says of itself."""
    rules = pytestconfig.rootpath / "deploy" / "rules.yml"
    scrapes = SCRAPES % (rules, mesh.folder / ".gremium" / "prometheus.json")
    with prometheus(tmp_path_factory.mktemp("prometheus"), scrapes) as server:
        server.until(lambda s: s.query("up == 1", "service").keys() == SERVICES)
        yield server


@pytest.fixture(scope="module")
def spent_usd(mesh, server):
    """What all requests cost, by their manifests; they are asked when the server looks on."""
    with grpc.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        replies = [
            ask(stub, nth, ensemble)
            for nth in range(REQUESTS)
            for ensemble in ("all", "early", "tiers", "broken")
        ]
        stream(stub)
        told = stub.ListManifests(ensemble_pb2.ListManifestsRequest(page_size=100), timeout=10)
    assert len(replies) + 1 == len(told.manifests)
    return sum(manifest.cost_usd for manifest in told.manifests)


def ask(stub, nth, ensemble):
    asked = request(
        "Is it?", ensemble=ensemble, shape=LABELS, request_id=f"secret-{nth}-{ensemble}"
    )
    with suppress(grpc.RpcError) if ensemble == "broken" else nullcontext():
        stub.Ask(asked, timeout=TIMEOUT_S, metadata=(("gremium-caller", f"secret-{nth}"),))


def stream(stub):
    asked = ensemble_pb2.AskStreamRequest(ask=request("Is it?", ensemble="all", shape=LABELS))
    assert list(stub.AskStream(asked, timeout=TIMEOUT_S))


STAGE_CALLS = (
    "rpc_server_call_duration_seconds_count"
    '{rpc_method=~".*/(Ask|Route|Deliberate|Aggregate|Verify)"}'
)
PAIR = ("gremium_juror", "gremium_juror_other")
JURY = REQUESTS + 1
FIGURES = [
    (
        "request latency by pattern and outcome",
        "sum by (gremium_pattern, gremium_outcome) (gremium_request_duration_seconds_count)",
        ("gremium_pattern", "gremium_outcome"),
        {
            ("jury", "ANSWERED"): JURY + REQUESTS,
            ("jury", "FAILED"): REQUESTS,
            ("cascade", "ANSWERED"): REQUESTS,
        },
    ),
    (
        "why requests failed",
        'sum by (error_type) (gremium_request_duration_seconds_count{gremium_outcome="FAILED"})',
        ("error_type",),
        {"QUORUM_NOT_REACHED": REQUESTS},
    ),
    (
        "per-model latency",
        'count by (gremium_model) (gen_ai_client_operation_duration_seconds_bucket{le="+Inf"})',
        ("gremium_model",),
        dict.fromkeys(("yes", "also", "no", "down", "judge"), 1),
    ),
    (
        "time to first token",
        "sum by (gremium_model) (gen_ai_client_operation_time_to_first_chunk_seconds_count)",
        ("gremium_model",),
        dict.fromkeys(("yes", "also", "no"), 1),
    ),
    (
        "tokens",
        'sum by (gen_ai_token_type) (gen_ai_client_token_usage_sum{gremium_model="judge"})',
        ("gen_ai_token_type",),
        {"input": 10 * JURY, "output": 2 * JURY},
    ),
    (
        "failures by reason",
        'sum by (gremium_model, gremium_reason) (gremium_model_calls_total{gremium_status="failed"})',
        ("gremium_model", "gremium_reason"),
        {("down", "HTTP_STATUS"): 2},
    ),
    (
        "calls that the breaker refused",
        'sum by (gremium_model) (gremium_model_calls_total{gremium_reason="BREAKER_OPEN"})',
        ("gremium_model",),
        {"down": REQUESTS - 2},
    ),
    (
        "breaker",
        'gremium_model_breaker_state{gremium_service="jury"} > 0',
        ("gremium_model",),
        {"down": 2},
    ),
    (
        "concurrency limit",
        'count by (gremium_service) (gremium_model_concurrency_limit{gremium_model="yes"} > 0)',
        ("gremium_service",),
        dict.fromkeys(("jury", "judge"), 1),
    ),
    (
        "early stops",
        'sum by (gremium_ensemble) (gremium_jury_stops_total{gremium_reason="DECIDED"})',
        ("gremium_ensemble",),
        {"early": REQUESTS},
    ),
    (
        "deadline reserve left",
        'sum by (gremium_ensemble) (gremium_deadline_left_share_bucket{le="0.5"})',
        ("gremium_ensemble",),
        dict.fromkeys(("all", "early", "tiers", "broken"), 0),
    ),
    (
        "disagreement by pair",
        'gremium_jurors_disagreed_total{gremium_ensemble="all"}',
        PAIR,
        {("also", "no"): JURY, ("also", "yes"): 0, ("no", "yes"): JURY},
    ),
    (
        "comparisons by pair",
        'gremium_jurors_compared_total{gremium_ensemble="all"}',
        PAIR,
        dict.fromkeys((("also", "no"), ("also", "yes"), ("no", "yes")), JURY),
    ),
    (
        "divergence",
        'round(gremium_tally_divergence_sum{gremium_ensemble="all"} * 3)',
        ("gremium_ensemble",),
        {"all": 2 * JURY},
    ),
    (
        "verdicts",
        "sum by (gremium_judge, gremium_verdict) (gremium_verdicts_total)",
        ("gremium_judge", "gremium_verdict"),
        {("judge", "PASS"): JURY},
    ),
    (
        "escalations",
        "gremium_escalations_total",
        ("gremium_tier_from", "gremium_tier_to"),
        {("yes", "no"): REQUESTS, ("no", "also"): REQUESTS},
    ),
    (
        "calls of the mesh by service",
        f"count by (service) (sum by (service, rpc_method) ({STAGE_CALLS}))",
        ("service",),
        dict.fromkeys(SERVICES, 1),
    ),
    (
        "calls that ended in an error",
        'sum by (rpc_method, error_type) (rpc_server_call_duration_seconds_count{error_type!=""})',
        ("rpc_method", "error_type"),
        {("gremium.v1.EnsembleService/Ask", "ABORTED"): REQUESTS},
    ),
]


@pytest.mark.parametrize(
    ("query", "labels", "expected"), [each[1:] for each in FIGURES], ids=[e[0] for e in FIGURES]
)
def test_answers_for(server, spent_usd, query, labels, expected):
    del spent_usd

    assert expected == server.last(expected, query, *labels)


@pytest.mark.parametrize(
    "metric", ["gremium_model_cost_usd_total", "gremium_request_cost_usd_total"]
)
def test_its_dollars_are_those_of_the_manifests(server, spent_usd, metric):
    assert server.until(
        lambda s: s.query(f"sum({metric})")[()] == pytest.approx(spent_usd, abs=1e-9)
    )


VARIABLES = {"$ensemble": ".+", "$__rate_interval": "1m", "$__range": "1h"}
SHARES = ("requests:failed", "verdicts:unjudged")


def empty_panels(server, dashboard):
    """Titles of what shows nothing."""
    for panel in json.loads(dashboard.read_text())["panels"]:
        for target in panel.get("targets", ()):
            asked = target["expr"]
            for name, value in VARIABLES.items():
                asked = asked.replace(name, value)
            if not server.get("query", query=asked)["result"]:
                yield panel["title"]


def test_every_panel_of_the_dashboard_has_something_to_show(server, spent_usd, pytestconfig):
    del spent_usd
    dashboard = pytestconfig.rootpath / "deploy" / "grafana.json"

    assert server.until(lambda s: not list(empty_panels(s, dashboard)))


@pytest.mark.parametrize("share", SHARES)
def test_where_nothing_failed_that_share_is_none(server, spent_usd, share):
    del spent_usd
    asked = f'gremium:{share}_share{{gremium_ensemble="all"}}'

    assert {"all": 0.0} == server.last({"all": 0.0}, asked, "gremium_ensemble")


def test_prometheus_takes_the_shipped_configuration(require, pytestconfig):
    require("prometheus")
    shipped = pytestconfig.rootpath / "deploy" / "prometheus.yml"
    done = subprocess.run(
        [shutil.which("promtool") or "promtool", "check", "config", shipped],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_alerts_and_recorded_shares_can_be_computed(server, spent_usd):
    del spent_usd
    groups = server.until(
        lambda s: [
            rule
            for group in s.get("rules")["groups"]
            for rule in group["rules"]
            if rule["health"] != "unknown"
        ]
    )

    assert {"ok"} == {rule["health"] for rule in groups}


def test_no_label_tells_callers_or_requests_apart(server, spent_usd):
    del spent_usd
    series = server.get("series", **{"match[]": OURS})

    assert series
    assert not [each for each in series if "secret" in json.dumps(each)]


def test_more_callers_and_requests_make_no_more_series(mesh, server, spent_usd):
    del spent_usd
    before = {
        json.dumps(each, sort_keys=True) for each in server.get("series", **{"match[]": OURS})
    }
    with grpc.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        for nth in range(REQUESTS, 3 * REQUESTS):
            ask(stub, nth, "all")
    told = 'sum(gremium_request_duration_seconds_count{gremium_ensemble="all"})'
    server.until(lambda s: s.query(told)[()] == JURY + 2 * REQUESTS)

    after = {json.dumps(each, sort_keys=True) for each in server.get("series", **{"match[]": OURS})}
    assert before == after


def test_one_process_tells_of_all_services_on_one_page(require, tmp_path):
    require("prometheus")
    with (
        upstream_thread(SCRIPT) as upstream,
        mesh_running(tmp_path, config(upstream.url), "--one-process") as mesh,
        grpc.insecure_channel(mesh.address) as channel,
    ):
        ask(ensemble_pb2_grpc.EnsembleServiceStub(channel), 0, "all")
        scrapes = SCRAPES % ("none.yml", mesh.folder / ".gremium" / "prometheus.json")
        with prometheus(tmp_path, scrapes) as server:
            asked = "sum by (gremium_service) (gremium_model_calls_total)"
            found = server.last({"jury": 3, "judge": 1}, asked, "gremium_service")
            services = server.query("up", "service").keys()

    assert ({"jury": 3, "judge": 1}, {"gateway"}) == (found, services)


def test_the_page_says_who_it_is_of(server):
    names = server.query("target_info", "service_name").keys()

    assert {f"gremium-{service}" for service in SERVICES} == names
