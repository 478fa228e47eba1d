"""A question of the command line becomes a request that the contract accepts."""

import pytest

from gremium.v1.types_pb2 import ROLE_SYSTEM, ROLE_USER
from services.cli.question import Question, request_of
from services.runtime.rules import check


def kind(**options):
    return request_of(Question("Why?", **options)).prompt.output_format.WhichOneof("kind")


def test_asks_for_prose_by_default():
    assert kind() is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"labels": ("yes", "no")}, "labels", id="labels"),
        pytest.param({"schema_json": '{"type": "object"}'}, "json", id="schema"),
        pytest.param({"number": True}, "number", id="number"),
    ],
)
def test_asks_for_a_shape(options, expected):
    assert expected == kind(**options)


@pytest.mark.parametrize(
    "options", [{}, {"labels": ("yes", "no")}, {"schema_json": "{}"}, {"number": True}]
)
def test_an_answer_of_any_shape_may_abstain_where_it_is_allowed(options):
    may, may_not = (
        request_of(Question("Why?", may_abstain=may, **options)).prompt for may in (True, False)
    )

    assert may.output_format.may_abstain
    assert not may_not.output_format.may_abstain


def test_puts_the_system_instruction_first():
    turns = request_of(Question("Why?", system="Be brief.")).prompt.messages

    assert [ROLE_SYSTEM, ROLE_USER] == [turn.role for turn in turns]


def test_sets_no_limit_that_was_not_given():
    assert not request_of(Question("Why?")).budget.HasField("max_cost_usd")
    assert request_of(Question("Why?", max_cost_usd=0.0)).budget.HasField("max_cost_usd")


def test_names_the_shapes_that_exclude_each_other():
    assert ["--label", "--number"] == Question("Why?", labels=("a", "b"), number=True).shapes


def test_the_contract_accepts_it():
    request = request_of(Question("Why?", system="s", labels=("a", "b"), request_id="r-1"))

    assert check(request) is None


@pytest.mark.parametrize("attest", [True, False])
def test_asks_for_the_signed_record_where_it_is_wanted(attest):
    assert attest == request_of(Question("Why?", attest=attest)).attest
