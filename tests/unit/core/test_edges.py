"""What a goal reads of an output must be something that the output can have."""

import pytest

from services.core.edges import edge_faults, field_of, source, sources
from services.core.prompts import OutputFormat

SCHEMA = {"properties": {"city": {"properties": {"name": {"type": "string"}}}, "size": {}}}
FORMATS = {"facts": OutputFormat("json", schema=SCHEMA), "vote": OutputFormat("number"), "x": None}


def texts(goal, *reads):
    return [fault.text for fault in edge_faults("s", goal, reads, FORMATS)]


@pytest.mark.parametrize(
    "goal", ["{prompt}", "{facts}", "{facts.size} {facts.city.name}", "{vote} {x}", "no place"]
)
def test_whole_outputs_and_fields_that_are_described_fit(goal):
    assert [] == texts(goal, *FORMATS)


@pytest.mark.parametrize("goal", ["{facts.town}", "{facts.size.x}", "{vote.size}", "{x.size}"])
def test_a_field_that_no_schema_describes_is_a_fault(goal):
    (text,) = texts(goal, *FORMATS)

    assert f"`{goal}` is no field" in text


def test_an_output_that_is_not_read_is_a_fault():
    assert ["`{vote}` is the output of no step in `depends_on`"] == texts("{vote}", "facts")


def test_the_longest_id_is_meant_where_one_begins_like_another():
    assert ("a.b", ("c",)) == source("a.b.c", ["a", "a.b"])


def test_a_template_reads_steps_once_and_names_strangers():
    assert ["facts", "else"] == sources("{facts.size} {prompt} {else} {facts}", ["facts"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"city": 1}', "1"),
        ('```json\n{"city": "Lima"}\n```', "Lima"),
        ("no", ""),
        ('{"a": 1}', ""),
    ],
)
def test_a_field_that_is_missing_is_empty(text, found):
    assert found == field_of(text, ["city"])
