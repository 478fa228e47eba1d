"""A task of three steps is planned, run and told of by five processes, with every kind of plan.

Recorded answers stand in `cassettes/plans.jsonl` and were written by hand, for no real model of
these names was asked. Each has the `key` of a prompt that the mesh words itself; when that wording
changes, the failure names the new key.
"""

import uuid

import grpc
import pytest
import yaml

from bench.families import request
from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2, router_pb2
from tests.running import ROOT, mesh_running
from tests.scripted import upstream_thread
from tests.upstream import Reply

CASSETTE = ROOT / "tests/smoke/cassettes/plans.jsonl"
LIMIT_S = 60
QUESTION = (
    "Prove step by step, and justify each claim, whether a town should ban cars from its centre:"
    " derive what it costs and what it brings, weigh the constraints, and then decide."
)


def recorded(name, adequacy):
    return {
        "backend": "recorded",
        "model": name,
        "family": f"family of {name}",
        "provider": "nobody",
        "cassette": str(CASSETTE),
        "timeout_s": 5,
        "expected_latency_s": 3,
        "adequacy": adequacy,
    }


SHOWN = {
    "quick": {"adequacy": 0.3, "timeout_s": 5},
    "thorough": {"adequacy": 0.97, "timeout_s": 5},
    "planner": {"timeout_s": 5},
}
SAID = [Reply(text="Paris."), Reply(text="Austen."), Reply(text="Both.")]


def planned(live=""):
    """An ensemble whose models are named so, and end in `live`."""
    return {
        "pattern": "specialists",
        "specialists": {"expert": {"model": f"thorough{live}", "description": "towns and traffic"}},
        "direct": {"model": f"quick{live}"},
        "planner": {"model": f"planner{live}"},
        "merge": {"model": f"thorough{live}"},
        "judge": {},
    }


def both(url):
    """One ensemble of recorded models, and one of models that `url` answers for."""
    live = {
        f"{name}-live": {
            "backend": "openai",
            "model": name,
            "family": name,
            "base_url": url,
            **shown,
        }
        for name, shown in SHOWN.items()
    }
    models = {
        "quick": recorded("quick", 0.3),
        "thorough": recorded("thorough", 0.97),
        "planner": recorded("planner", 0.9),
        **live,
    }
    return yaml.safe_dump(
        {
            "models": models,
            "ensembles": {"town": planned(), "parts": planned("-live")},
            "default_ensemble": "town",
            "embeddings": {"backend": "none"},
        }
    )


STEPS = {
    "costs": {"goal": "Name one cost of this in a sentence: {prompt}"},
    "gains": {"goal": "Name one gain of this in a sentence: {prompt}", "on_fail": "retry"},
    "decision": {
        "goal": "Say in one sentence what follows from {costs} and {gains}.",
        "depends_on": ["costs", "gains"],
    },
}


@pytest.fixture(scope="module")
def provider():
    with upstream_thread({"thorough": SAID}) as provider:
        yield provider


@pytest.fixture(scope="module")
def mesh(provider, tmp_path_factory):
    """Five processes with both ensembles."""
    with mesh_running(tmp_path_factory.mktemp("plans"), both(provider.url)) as running:
        yield running


def ask(mesh, question, ensemble=""):
    asked = request(question, ensemble)
    asked.request_id = uuid.uuid4().hex
    with grpc.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        try:
            return stub.Ask(asked, timeout=LIMIT_S)
        finally:
            wanted = ensemble_pb2.GetManifestRequest(request_id=asked.request_id)
            manifest = stub.GetManifest(wanted, timeout=LIMIT_S).manifest
            missed = [p.reason_text for p in manifest.participations if p.reason == "CASSETTE_MISS"]
            assert [] == missed


def told(reply):
    """What the manifest says of each step: how it ended, what it read, and its calls."""
    return {
        step.id: (
            manifest_pb2.ParticipationStatus.Name(step.status)[21:],
            list(step.depends_on),
            step.model_calls,
        )
        for step in reply.manifest.steps
    }


THREE = {
    "costs": ("ANSWERED", [], 1),
    "gains": ("ANSWERED", [], 1),
    "decision": ("ANSWERED", ["costs", "gains"], 1),
}


def test_a_planner_writes_three_steps_that_recorded_models_do(mesh):
    reply = ask(mesh, QUESTION)

    assert reply.answer.text.startswith("Ban them")
    assert router_pb2.PLAN_ORIGIN_PLANNER == reply.manifest.plan.origin
    assert THREE == told(reply)
    (planner,) = [p for p in reply.manifest.participations if p.name == "planner"]
    assert (manifest_pb2.STAGE_ROUTER, "planner") == (planner.stage, planner.model)
    assert 4 == reply.manifest.model_calls
    gate = reply.manifest.plan.gate
    assert gate.p_plan > gate.p_single + 0.05
    assert gate.speed_up >= 1.3


def test_parts_of_a_question_are_done_at_once_over_five_processes(mesh, provider):
    reply = ask(mesh, "1. What is the capital of France?\n2. Who wrote Emma?", "parts")

    assert "Both." == reply.answer.text
    assert router_pb2.PLAN_ORIGIN_RULES == reply.manifest.plan.origin
    assert ["part1", "part2", "merge"] == list(told(reply))
    assert 3 == provider.calls == reply.manifest.model_calls


@pytest.mark.timeout(300)
def test_the_embedded_model_does_three_steps(tmp_path, embedded):
    config = yaml.safe_load(embedded)
    name = next(iter(config["models"]))
    steps = {key: {"model": name, **step} for key, step in STEPS.items()}
    config["ensembles"] = {"town": {"pattern": "specialists", "steps": steps}}
    config.pop("default_ensemble", None)

    with mesh_running(tmp_path, yaml.safe_dump(config)) as mesh:
        reply = ask(mesh, "Should a town ban cars from its centre?")

    assert reply.answer.text.strip()
    assert router_pb2.PLAN_ORIGIN_CONFIG == reply.manifest.plan.origin
    assert THREE.keys() == told(reply).keys()
    assert {"ANSWERED"} == {ended for ended, _, _ in told(reply).values()}
    spans = {step.id: step.start_time.ToNanoseconds() for step in reply.manifest.steps}
    assert spans["decision"] > max(spans["costs"], spans["gains"])
