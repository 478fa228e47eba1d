"""A record keeps as much of words as the configuration says, and says which answers they were."""

import hashlib

import pytest

from gremium.v1 import manifest_pb2, router_pb2, types_pb2
from services.ledger.redaction import NAMES, redactor
from services.ledger.texts import Texts, content_sha256
from tests.unit.ledger.canary import CANARY, filled, places

LEFT = {
    "request_id",
    "ensemble",
    "pattern",
    "chosen_juror",
    "chosen_step",
    "chosen_tier",
    "caller",
    "calibration_id",
    "config_sha256",
    "trace_id",
    "output_kind",
    "labels",
    "error.code",
    "error.reason",
    "error.metadata",
    "error.violations.field",
}
"""What a manifest says in words of its own, or of its caller's own choice."""
LEAVES = """
adequacy.calibration_id p_correct.calibration_id p_ok.calibration_id abstain_key artefact_id
calibration_id depends_on domain embedding fallback_trail family feature final forecast_note
from_tier id judge juror jurors key leader learned_domain merge_model method model name neighbors
objections outliers policy provider question_digest reason recovery repairs representative
requested_model role router_version runner_up same_as served_model source sources span_id
specialist step steps text tie_rule tier to_tier uncalibrated_text unjudged_reason usage_doubt
weakest_step
"""
"""What its lists say in names, codes, digests and sentences of our own about numbers."""
QUOTING = {"text", "arguments_json", "value", "evidence", "reason_text", "message", "description"}
QUOTING |= {"goal", "pointer", "content"}
"""Names of fields that may quote."""
OWN = {"route.candidates.objections.text"}
"""The router's own words: what a configured model lacks."""


def quoting(manifest, text=CANARY):
    """Fields that may quote, and hold the text."""
    manifest.ClearField("feedback")  # recorded apart
    return {path for path in places(manifest, text) if path.rpartition(".")[2] in QUOTING} - OWN


def settled(kept, manifest, prompt=None, **redacting):
    Texts(kept, redactor(**redacting) if redacting else redactor((), {})).settle(manifest, prompt)
    return manifest


def test_nothing_leaves_no_field_that_may_quote():
    manifest = settled("nothing", filled(manifest_pb2.Manifest()))

    assert set() == quoting(manifest)
    left = {path for path in places(manifest) if path not in LEFT}
    assert {path.rpartition(".")[2] for path in left} <= set(LEAVES.split())


def test_answers_leaves_what_was_answered_and_neither_prompt_nor_passages():
    manifest = settled("answers", filled(manifest_pb2.Manifest()), filled(types_pb2.Prompt()))

    assert CANARY == manifest.answers[0].text
    assert CANARY == manifest.verdicts[0].checks[0].evidence
    assert "" == manifest.passages[0].text


def test_all_leaves_the_prompt_too():
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text="6 x 7?")])
    prompt = types_pb2.Prompt(messages=[turn])

    manifest = settled("all", filled(manifest_pb2.Manifest()), prompt)

    assert prompt == manifest.prompt
    assert CANARY == manifest.passages[0].text


def test_an_image_is_kept_as_its_digest():
    image = types_pb2.Image(data=b"pixels", media_type="image/png")
    turn = types_pb2.Message(parts=[types_pb2.Part(image=image)])

    kept = settled("all", manifest_pb2.Manifest(), types_pb2.Prompt(messages=[turn])).prompt

    digest = hashlib.sha256(b"pixels").hexdigest()
    assert f"[image image/png, 6 bytes, SHA-256 {digest}]" == kept.messages[0].parts[0].text
    assert b"pixels" == image.data


def test_an_answer_that_is_not_kept_has_its_digest():
    manifest = manifest_pb2.Manifest(answers=[types_pb2.Answer(juror="a", text="Paris")])

    (answer,) = settled("nothing", manifest).answers

    assert ("", hashlib.sha256(b"Paris").hexdigest()) == (answer.text, answer.content_sha256)


def test_an_answer_that_is_redacted_has_the_digest_of_what_was_said():
    manifest = manifest_pb2.Manifest(answers=[types_pb2.Answer(text="Ask a@b.org")])

    (answer,) = settled("answers", manifest, names=NAMES, own={}).answers

    assert "Ask [email]" == answer.text
    assert hashlib.sha256(b"Ask a@b.org").hexdigest() == answer.content_sha256


def test_an_answer_that_is_kept_whole_needs_none():
    manifest = manifest_pb2.Manifest(answers=[types_pb2.Answer(text="Paris")])

    assert "" == settled("answers", manifest).answers[0].content_sha256


def test_a_digest_tells_text_and_calls_apart():
    call = types_pb2.ToolCall(name="f", arguments_json="{}")
    said = types_pb2.Answer(text="f{}"), types_pb2.Answer(text="", tool_calls=[call])

    assert content_sha256(said[0]) != content_sha256(said[1])


def vote(value, kind, pattern="jury"):
    tally = manifest_pb2.Tally(classes=[manifest_pb2.TallyClass(key="k", value=value)])
    return manifest_pb2.Manifest(pattern=pattern, output_kind=kind, tallies=[tally])


@pytest.mark.parametrize(
    ("value", "kind"),
    [('"yes"', "labels"), ("42", "number"), ("42.5", "json"), ("null", "json"), ("true", "json")],
)
def test_labels_and_numbers_that_were_voted_for_are_kept(value, kind):
    (tally,) = settled("nothing", vote(value, kind)).tallies

    assert value == tally.classes[0].value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ('"secret words"', "text"),
        ('{"name":"Ada"}', "json"),
        ('["Ada"]', "json"),
        ('"Ada"', "json"),
        ('{"tool_calls":[]}', "tools"),
        ("cut in the mid", "json"),
    ],
)
def test_words_that_were_voted_for_are_not(value, kind):
    (tally,) = settled("nothing", vote(value, kind)).tallies

    assert ("k", "") == (tally.classes[0].key, tally.classes[0].value)


def test_labels_of_a_step_may_be_any_words():
    (tally,) = settled("nothing", vote('"Ada"', "labels", pattern="specialists")).tallies

    assert "" == tally.classes[0].value


@pytest.mark.parametrize("kept", ["nothing", "answers", "all"])
def test_nothing_is_made_up_where_nothing_was_said(kept):
    manifest = settled(kept, manifest_pb2.Manifest(request_id="r1"))

    assert manifest_pb2.Manifest(request_id="r1") == manifest


def test_everything_that_is_kept_is_redacted():
    text = "mail a@b.org"
    manifest = filled(manifest_pb2.Manifest(), text)
    prompt = types_pb2.Prompt(
        messages=[types_pb2.Message(parts=[types_pb2.Part(text=text)])],
        grounding=types_pb2.Grounding(passages=[types_pb2.Passage(id="1", text=text)]),
    )

    settled("all", manifest, prompt, names=NAMES, own={})

    assert set() == quoting(manifest, text)
    assert "mail [email]" == manifest.prompt.messages[0].parts[0].text


def test_feedback_is_redacted_and_kept():
    said = manifest_pb2.Feedback(score=1.0, comment="by a@b.org", expected="42")

    Texts("nothing", redactor(NAMES, {})).said(said)

    assert ("by [email]", "42") == (said.comment, said.expected)


def test_a_route_keeps_its_numbers():
    features = router_pb2.PromptFeatures(version=1, values=[0.5], question_digest="d" * 32)
    route = router_pb2.RouteDecision(domain="code", reason_text="so", features=features)

    kept = settled("nothing", manifest_pb2.Manifest(route=route)).route

    assert ("code", "", features) == (kept.domain, kept.reason_text, kept.features)
