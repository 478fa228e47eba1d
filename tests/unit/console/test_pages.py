"""Any manifest can be shown: an empty one, one of a newer release, one in which all is odd."""

import time

import pytest
from google.protobuf.descriptor import FieldDescriptor

from gremium.v1 import ledger_pb2, manifest_pb2
from services.gateway.console import wording
from services.gateway.console.assets import Assets
from services.gateway.console.rendering import Templates
from services.gateway.console.request_page import view
from tests.unit.console.manifests import answer, manifest, tally

CANARY = "<script>alert(1)</script>"
BEYOND = 99
"""A value of every enum that a newer release might have."""
NUMBERS = {
    FieldDescriptor.CPPTYPE_DOUBLE: 0.5,
    FieldDescriptor.CPPTYPE_FLOAT: 0.5,
    FieldDescriptor.CPPTYPE_INT32: 3,
    FieldDescriptor.CPPTYPE_INT64: 3,
    FieldDescriptor.CPPTYPE_UINT32: 3,
    FieldDescriptor.CPPTYPE_UINT64: 3,
    FieldDescriptor.CPPTYPE_BOOL: True,
    FieldDescriptor.CPPTYPE_ENUM: BEYOND,
}


def filled(message, depth=0):
    """The message with every field set, texts to what a browser must not run."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type and field.message_type.GetOptions().map_entry:
            continue
        if field.message_type and depth > 4:
            continue
        if field.message_type:
            inner = getattr(message, field.name)
            filled(inner.add() if field.is_repeated else inner, depth + 1)
            continue
        value = value_of(field)
        if field.is_repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)
    return message


def value_of(field):
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        is_bytes = field.type == FieldDescriptor.TYPE_BYTES
        return CANARY.encode() if is_bytes else CANARY
    return NUMBERS[field.cpp_type]


@pytest.fixture(scope="module")
def page():
    templates = Templates(Assets())

    def render(shown, proof=None, **more):
        told = {
            **view(shown, now_ns=time.time_ns()),
            "proof": proof,
            "may_say": True,
            "said": True,
            "refusal": CANARY,
            "config_sha256": "",
            **more,
        }
        return templates.render("request.html", told)

    return render


def test_a_manifest_that_says_nothing_is_shown(page):
    assert "<h1>" in page(manifest_pb2.Manifest())


def test_whatever_a_manifest_says_is_text(page):
    odd = filled(manifest_pb2.Manifest(labels={CANARY: CANARY}))
    odd.state = manifest_pb2.MANIFEST_STATE_COMPLETED

    html = page(odd, filled(ledger_pb2.Attestation()))

    assert CANARY not in html
    assert html.count("&lt;script&gt;") > 60


def test_values_that_begin_alike_are_shown_where_they_differ(page):
    begin = '{"tool_calls":[{"name":"weather","arguments":{"city":"' + "x" * 200
    odd = manifest(answers=[answer("a"), answer("b")], tallies=[tally(one=["a"], two=["b"])])
    for each, end in zip(odd.tallies[0].classes, ("Ulm", "Bonn"), strict=True):
        each.value = begin + end

    html = page(odd)

    assert "…" + "x" * 24 + "Ulm<" in html
    assert "…" + "x" * 24 + "Bonn<" in html


def test_a_step_that_never_began_is_shown_with_its_reason(page):
    skipped = manifest_pb2.StepRecord(
        id="facts",
        specialist="searcher",
        status=manifest_pb2.PARTICIPATION_STATUS_SKIPPED,
        reason="UPSTREAM_FAILED",
    )

    html = page(manifest(steps=[skipped]))

    assert "searcher" in html
    assert "UPSTREAM_FAILED" in html


@pytest.mark.parametrize(
    "word", [wording.state, wording.outcome, wording.stage, wording.verdict, wording.breaker]
)
def test_what_a_newer_release_says_has_no_word(word):
    assert ("", "") == (word(0), word(BEYOND))


def test_how_a_part_ended_in_a_newer_release_is_unknown():
    assert ("at work", "unknown") == (wording.status(0), wording.status(BEYOND))
