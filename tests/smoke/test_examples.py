"""Every example runs as it stands, but for who answers, and does what it says.

The models are recorded ones: what they say, the judges' verdicts too, stands in `cassettes/` and
was written by hand, for no real model of these names was asked. A line with a `key` was written
to a prompt that the mesh words itself; when that wording changes, the failure names the new key.
"""

import json
import re
import subprocess
import sys
import uuid

import grpc
import pytest
import yaml

from bench.families import request
from examples import demo
from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2, types_pb2
from services.config.lint import lint
from services.config.load import load
from tests.running import ROOT, environment, mesh_running

HERE = ROOT / "tests/smoke"
EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/gremium.yaml"))
LIMIT_S = 30
PASS, FAIL = manifest_pb2.VERDICT_KIND_PASS, manifest_pb2.VERDICT_KIND_FAIL


def text(name):
    return (ROOT / "examples" / name / "gremium.yaml").read_text()


def recorded(name):
    """The example with its models on a cassette; its folder is one that does not change."""
    told = demo.in_place(yaml.safe_load(text(name)), HERE / "handbook/examples" / name)
    for model in told["models"].values():
        model.setdefault("provider", model["backend"])
        model.update(backend="recorded", cassette=str(HERE / f"cassettes/{name}.jsonl"))
    return yaml.safe_dump(told)


@pytest.fixture(scope="module")
def mesh(request, require, tmp_path_factory):
    """All services in one process, which serve an example."""
    require("weights")
    folder = tmp_path_factory.mktemp(request.param)
    with mesh_running(folder, recorded(request.param), "--one-process") as running:
        yield running


def of(example):
    return pytest.mark.parametrize("mesh", [example], indirect=True)


def ask(mesh, question, *labels):
    """Ask the example's only ensemble, and see that every model had its line."""
    asked = request(question, "")
    asked.request_id = uuid.uuid4().hex
    if labels:
        form = types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=labels))
        asked.prompt.output_format.CopyFrom(form)
    with grpc.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        try:
            return stub.Ask(asked, timeout=LIMIT_S)
        finally:
            wanted = ensemble_pb2.GetManifestRequest(request_id=asked.request_id)
            manifest = stub.GetManifest(wanted, timeout=LIMIT_S).manifest
            assert [] == [p.reason_text for p in parts(manifest) if p.reason == "CASSETTE_MISS"]


def parts(manifest, *stages):
    return [p for p in manifest.participations if not stages or p.stage in stages]


def jurors(reply):
    return [each.name for each in parts(reply.manifest, manifest_pb2.STAGE_JURY)]


def escalations(reply):
    return [(each.from_tier, each.to_tier) for each in reply.manifest.escalations]


def verdicts(reply):
    return [(each.judge, each.kind) for each in reply.manifest.verdicts]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_clean_and_told_how_to_run(name):
    path = ROOT / "examples" / name / "gremium.yaml"

    assert [] == lint(load(path).config)
    assert f"# Pattern {name}:" in text(name)
    assert {name} == {each.pattern for each in load(path).config.ensembles.values()}


@of("route")
@pytest.mark.parametrize(
    ("question", "juror", "says"),
    [
        pytest.param("What is the capital of France?", "luna", "Paris", id="easy"),
        pytest.param(
            "Prove step by step that the square root of 2 is irrational.",
            "sonnet",
            "no such fraction",
            id="hard",
        ),
    ],
)
def test_route_asks_one_model_and_the_prompt_decides_which(mesh, question, juror, says):
    reply = ask(mesh, question)

    assert [juror] == jurors(reply)
    assert says in reply.answer.text
    assert [("flash-lite", PASS)] == verdicts(reply)


@of("route")
def test_route_goes_on_when_the_judge_fails_an_answer(mesh):
    reply = ask(mesh, "How many times does the letter r occur in strawberry?")

    assert ["luna", "sonnet"] == jurors(reply)
    assert [("flash-lite", FAIL), ("flash-lite", PASS)] == verdicts(reply)
    assert [("small", "large")] == escalations(reply)
    assert reply.answer.text.startswith("Three times")


@of("cascade")
def test_cascade_ends_where_a_second_model_says_the_same(mesh):
    reply = ask(mesh, "Who received the Turing Award in 1966?")

    assert ["luna", "flash-lite"] == jurors(reply)
    assert [("first", "second")] == escalations(reply)
    assert "Alan Perlis" in reply.answer.text


@of("cascade")
def test_cascade_asks_the_dear_model_where_the_cheap_ones_differ(mesh):
    reply = ask(mesh, "Which city was the seat of Australia's parliament in 1910?")

    assert ["luna", "flash-lite", "sonnet"] == jurors(reply)
    assert [("first", "second"), ("second", "last")] == escalations(reply)
    assert ("sonnet", False) == (reply.answer.juror, reply.manifest.degraded)
    assert "Melbourne" in reply.answer.text


@of("jury")
def test_jury_answers_what_most_agree_on_and_names_who_does_not(mesh):
    reply = ask(mesh, "Is 91 a prime number?", "yes", "no")

    (tally,) = reply.manifest.tallies
    votes = {json.loads(each.value): set(each.jurors) for each in tally.classes}
    assert {"no": {"luna", "haiku"}, "yes": {"flash-lite"}} == votes
    assert pytest.approx(2.5 / 3.5) == tally.classes[0].share
    assert "no" == reply.answer.text.lower().rstrip(".")
    assert [("own-qwen", PASS)] == verdicts(reply)


@of("jury")
def test_jury_does_not_guess_where_it_is_split(mesh):
    reply = ask(mesh, "Is a hot dog a sandwich?", "yes", "no", "unsure")

    assert manifest_pb2.OUTCOME_NO_CONSENSUS == reply.outcome
    assert not reply.HasField("answer")
    assert not reply.manifest.tallies[0].consensus


@of("specialists")
def test_specialists_find_then_write_then_check(mesh):
    reply = ask(mesh, "What does gremium lint warn of?")

    steps = parts(reply.manifest, manifest_pb2.STAGE_RETRIEVAL, manifest_pb2.STAGE_JURY)
    begun = [each.start_time.ToNanoseconds() for each in steps]
    ended = [
        start + each.duration.ToNanoseconds() for start, each in zip(begun, steps, strict=True)
    ]
    assert ["search", "draft", "check"] == [each.tier for each in steps]
    assert all(before <= after for before, after in zip(ended, begun[1:], strict=False))
    assert reply.answer.text.endswith("\n\nChecked against the passages: supported.")


@of("specialists")
def test_specialists_cite_what_the_search_found(mesh):
    reply = ask(mesh, "What does gremium lint warn of?")

    found = {each.id: each for each in reply.manifest.passages}
    cited = re.findall(r"\[(\d+)\]", reply.answer.text)
    assert ["1", "2"] == cited
    assert found["1"].source.startswith("README.md")
    assert "defeats its purpose" in found["1"].text
    assert "file and line" in found["2"].text
    (verdict,) = reply.manifest.verdicts
    (citations,) = (each for each in verdict.checks if each.name == "citations")
    assert manifest_pb2.CHECK_OUTCOME_PASS == citations.outcome


def test_the_tour_goes_through_every_example():
    assert set(EXAMPLES) == set(demo.QUESTIONS)


@pytest.mark.timeout(600)
def test_the_tour_runs_with_the_embedded_model(require):
    require("embedded", "weights")

    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/demo.py")],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )

    assert 0 == done.returncode, done.stderr[-2000:]
    assert len(EXAMPLES) == done.stdout.count("=== ")
    assert "Paris" in done.stdout
    assert "passage  [1] " in done.stdout
