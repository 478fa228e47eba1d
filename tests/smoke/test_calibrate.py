"""A mesh is asked, told what was right, taught by its ledger, and decides otherwise afterwards."""

import json
import random

import grpc
import pytest
import yaml

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2, types_pb2
from tests.running import ROOT, mesh_running

N = 60
LABELS = ("A", "B", "C")
JURORS = {"expert": 0.95, "guess": 0.4, "hunch": 0.4}
NEW = "Which one is it, now?"
SHAPE = types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=LABELS))


def prompt(nth):
    return f"Which one is it in case {nth}?"


def answers():
    """Right answers by prompt, and what each juror says; at the end the expert stands alone."""
    rng = random.Random(3)  # noqa: S311 - a seed, no secret
    gold = {prompt(nth): rng.choice(LABELS) for nth in range(N)}
    said = {
        (juror, text): right if rng.random() < p else rng.choice(sorted({*LABELS} - {right}))
        for juror, p in JURORS.items()
        for text, right in gold.items()
    }
    return gold, {**said, ("expert", NEW): "A", ("guess", NEW): "B", ("hunch", NEW): "B"}


def config(**more):
    models = {
        juror: {
            "backend": "recorded",
            "model": juror,
            "family": f"family of {juror}",
            "timeout_s": 5,
            "cassette": "answers.jsonl",
        }
        for juror in JURORS
    }
    jury = {"pattern": "jury", "jurors": [{"model": juror} for juror in JURORS], "quorum": 3}
    return yaml.safe_dump(
        {
            "models": models,
            "ensembles": {"main": {**jury, "default_timeout_s": 10}},
            "embeddings": {"backend": "none"},
            **more,
        }
    )


@pytest.fixture
def recorded(tmp_path):
    gold, said = answers()
    lines = [
        {"model": juror, "prompt": text, "labels": LABELS, "text": answer}
        for (juror, text), answer in said.items()
    ]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return gold


def ask(stub, text, request_id):
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=text)])
    asked = types_pb2.Prompt(messages=[turn], output_format=SHAPE)
    request = ensemble_pb2.AskRequest(request_id=request_id, prompt=asked)
    return stub.Ask(request, timeout=10)


def say(stub, reply, right):
    """Tell whether the answer was right, and else what would have been."""
    good = reply.answer.text == right
    said = manifest_pb2.Feedback(score=float(good), expected="" if good else right)
    request = ensemble_pb2.SubmitFeedbackRequest(request_id=reply.request_id, feedback=said)
    stub.SubmitFeedback(request, timeout=10)


@pytest.mark.parametrize(
    "options", [pytest.param((), id="five processes"), pytest.param(("--one-process",), id="one")]
)
def test_feedback_becomes_a_calibration_that_changes_a_decision(
    recorded, gremium, tmp_path, options
):
    with mesh_running(tmp_path, config(), *options) as mesh, grpc.insecure_channel(mesh.address) as channel:  # fmt: skip
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        for nth, (text, right) in enumerate(recorded.items()):
            say(stub, ask(stub, text, f"case-{nth}"), right)
        before = ask(stub, NEW, "new-before")
        code, out, err = gremium(
            tmp_path, "calibrate", "--ledger", "--out", "calibration.json", "--explain"
        )

    assert (0, f"main: {N} labels") == (code, out.splitlines()[1]), err
    made = json.loads((tmp_path / "calibration.json").read_text())["id"]
    assert ("B", "") == (before.answer.text, before.manifest.calibration_id)

    taught = config(calibration="calibration.json")
    with mesh_running(tmp_path, taught, *options) as mesh, grpc.insecure_channel(mesh.address) as channel:  # fmt: skip
        after = ask(ensemble_pb2_grpc.EnsembleServiceStub(channel), NEW, "new-after")

    (tally,) = after.manifest.tallies
    assert ("A", made, made, True) == (
        after.answer.text,
        after.manifest.calibration_id,
        tally.p_correct.calibration_id,
        tally.p_correct.calibrated,
    )


def test_the_documented_example_can_be_learned_from(gremium, tmp_path):
    _, _, told = (ROOT / "README.md").read_text().partition("gremium calibrate --from")
    example = told.partition("```jsonl\n")[2].partition("```")[0]
    (tmp_path / "outcomes.jsonl").write_text(example)

    code, out, err = gremium(tmp_path, "calibrate", "--from", "outcomes.jsonl", "--json")

    assert 0 == code, err
    assert "2 labels; 50 are needed" in json.loads(out)["uncalibrated"]["everyday"]


def test_a_broken_calibration_is_named_before_anything_starts(recorded, gremium, tmp_path):
    (tmp_path / "gremium.yaml").write_text(config(calibration="calibration.json"))
    (tmp_path / "calibration.json").write_text('{"format": 1}')

    for command in ("up", "lint"):
        code, out, err = gremium(tmp_path, command)

        assert 1 == code
        assert (
            f"calibration: {tmp_path.resolve()}/calibration.json: created: field required"
            in out + err
        )
