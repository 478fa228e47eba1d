"""Every example runs as it stands, but for the address of its models, and does what it says."""

import asyncio
import json
import subprocess
import sys

import grpc
import pytest
import yaml

from bench.families import request
from examples import demo
from gremium.v1 import ensemble_pb2_grpc, manifest_pb2, types_pb2
from services.config.lint import lint
from services.config.load import load
from tests.running import ROOT, environment, mesh_running
from tests.scripted import upstream_thread
from tests.upstream import Reply

EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/gremium.yaml"))
LIMIT_S = 30


def text(name):
    return (ROOT / "examples" / name / "gremium.yaml").read_text()


def verdict(*, passed):
    finding = {"evidence": "seen", "pass": passed, "score": 0.9 if passed else 0.1}
    return Reply(text=json.dumps(dict.fromkeys(("hallucination", "safety", "logic"), finding)))


def at(url, name):
    """The example, with all its models at one address."""
    told = demo.in_place(yaml.safe_load(text(name)), ROOT / "examples" / name)
    for model in told["models"].values():
        model.update(backend="openai", base_url=url, api_key_env="")
    return yaml.safe_dump({**told, "embeddings": {"backend": "none"}})


@pytest.fixture
def asked(tmp_path):
    """Run an example over scripted models and ask it once."""

    def run(name, script, question):
        with upstream_thread(script) as models:
            config = at(models.url, name)
            with mesh_running(tmp_path, config, "--one-process") as mesh:
                return asyncio.run(ask(mesh.address, question))

    return run


async def ask(address, question):
    async with grpc.aio.insecure_channel(address) as channel:
        return await ensemble_pb2_grpc.EnsembleServiceStub(channel).Ask(question, timeout=LIMIT_S)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_clean_and_told_how_to_run(name):
    path = ROOT / "examples" / name / "gremium.yaml"

    assert [] == lint(load(path).config)
    assert f"# Pattern {name}:" in text(name)
    assert {name} == {each.pattern for each in load(path).config.ensembles.values()}


def test_route_goes_on_when_the_judge_fails_an_answer(asked):
    script = {
        "gpt-6-luna": Reply(text="It is Lyon."),
        "claude-sonnet-5-5": Reply(text="It is Paris."),
        "gemini-3.5-flash-lite": [verdict(passed=False), verdict(passed=True)],
    }

    reply = asked("route", script, request("What is the capital of France?", "thrifty"))

    assert ("It is Paris.", "sonnet") == (reply.answer.text, reply.answer.juror)
    kinds = [each.kind for each in reply.manifest.verdicts]
    assert [manifest_pb2.VERDICT_KIND_FAIL, manifest_pb2.VERDICT_KIND_PASS] == kinds


@pytest.mark.parametrize(
    ("second", "juror", "tiers"),
    [
        pytest.param("It was Alan Perlis.", "luna", 2, id="confirmed"),
        pytest.param("It was Grace Hopper in fact.", "sonnet", 3, id="differing"),
    ],
)
def test_cascade_asks_the_dear_model_only_where_the_cheap_ones_differ(asked, second, juror, tiers):
    script = {
        "gpt-6-luna": Reply(text="It was Alan Perlis."),
        "gemini-3.5-flash-lite": Reply(text=second),
        "claude-sonnet-5-5": Reply(text="Alan Perlis received the first Turing Award."),
    }

    question = request("Who received the Turing Award in 1966?", "agreeing")
    reply = asked("cascade", script, question)

    assert (juror, False) == (reply.answer.juror, reply.manifest.degraded)
    assert tiers == reply.manifest.model_calls


def test_jury_answers_what_most_agree_on(asked):
    script = {
        "gpt-6-luna": Reply(text="no"),
        "claude-haiku-5-5": Reply(text="No."),
        "gemini-3.5-flash-lite": Reply(text="yes"),
        "qwen3:8b": verdict(passed=True),
    }
    question = request("Is 91 a prime number?", "careful")
    question.prompt.output_format.CopyFrom(
        types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["yes", "no"]))
    )

    reply = asked("jury", script, question)

    assert manifest_pb2.OUTCOME_ANSWERED == reply.outcome
    assert "no" == reply.answer.text.lower().rstrip(".")
    assert "own-qwen" == reply.manifest.verdicts[0].judge


def test_specialists_answer_from_passages_and_have_it_checked(asked):
    script = {
        "gpt-6-luna": Reply(text="It warns of what works but defeats its purpose [1]."),
        "claude-haiku-5-5": Reply(text="supported"),
    }

    reply = asked("specialists", script, request("What does gremium lint warn of?", "handbook"))

    assert manifest_pb2.OUTCOME_ANSWERED == reply.outcome
    assert reply.answer.text.endswith("[1].\n\nChecked against the passages: supported.")
    assert any("gremium lint" in passage.text for passage in reply.manifest.passages)
    assert 2 == reply.manifest.model_calls


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
