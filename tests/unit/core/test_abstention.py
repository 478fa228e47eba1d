"""An answer that gives none says so by its opening, and is a class of its own where it may."""

# ruff: noqa: RUF001  (answers are written in their own scripts)

import pytest

from services.core.abstention import MAX_CHARS, declined
from services.core.canonical import DECLINED, NO_CALL, abstain_key, ballot
from services.core.prompts import OutputFormat, Tool

REFUSAL = "I'm sorry, but I can't help with that."
UNKNOWN = "I don't know."
TEXT, NUMBER, JSON = (OutputFormat(kind, may_abstain=True) for kind in ("text", "number", "json"))
LABELS = OutputFormat("labels", labels=("yes", "no"), may_abstain=True)
OBJECT = OutputFormat("json", schema={"type": "object"}, may_abstain=True)
NULLABLE = {"type": ["object", "null"]}
WITH_UNKNOWN = ("yes", "no", "Unknown")


def cast(text, form, tools=()):
    return ballot(text, (), output_format=form, tools=tools)


@pytest.mark.parametrize(
    "text",
    [
        UNKNOWN,
        "I’m afraid I do not know which of them it is.",
        "I'm not sure which label fits.",
        "**Answer:** unknown",
        "The answer cannot be determined from the text.",
        "Cannot be determined.",
        "There is not enough information to tell.",
        "None of the above.",
        "None of these labels applies.",
        "N/A",
        "null",
        "Das weiß ich leider nicht.",
        "Es lässt sich nicht bestimmen.",
        "Keine der genannten.",
        "Je ne sais pas.",
        "No lo sé.",
        "Não sei.",
        "Non lo so.",
        "Я не знаю.",
        "我不知道。",
        "わかりません。",
        "모르겠습니다.",
        "لا أعرف.",
    ],
)
def test_not_to_know_is_to_abstain(text):
    assert "ABSTAINED" == declined(text)


def test_a_refusal_is_told_from_not_knowing():
    assert "REFUSED" == declined(REFUSAL)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("42", id="an answer"),
        pytest.param("neutral", id="a label"),
        pytest.param("No.", id="no"),
        pytest.param("I'm not sure, but probably 5.", id="a guess"),
        pytest.param("I don't know for certain. Answer: B", id="an answer after all"),
        pytest.param("I can't help with the details. The answer is 5.", id="a refusal of a part"),
        pytest.param("None of these is wrong, so yes.", id="a statement of all"),
        pytest.param("Nobody knows: 3 papers say so.", id="of others"),
        pytest.param(UNKNOWN + " It is long." * MAX_CHARS, id="long"),
    ],
)
def test_what_gives_an_answer_or_is_none_at_all_does_not_abstain(text):
    assert "" == declined(text)


@pytest.mark.parametrize("form", [TEXT, NUMBER, JSON, LABELS, OBJECT], ids=lambda f: f.kind)
@pytest.mark.parametrize(("text", "why"), [(REFUSAL, "REFUSED"), (UNKNOWN, "ABSTAINED")])
def test_is_a_class_of_its_own_where_it_may(form, text, why):
    vote = cast(text, form)

    assert (DECLINED.key, (why,)) == (vote.key, vote.repairs)
    assert vote.key == cast("null", form).key == abstain_key(form, ())
    assert 0 == vote.mended, "to abstain is a usual form"


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        pytest.param(NUMBER, "I'm not sure, but probably 5.", "5", id="a guessed number"),
        pytest.param(LABELS, "I don't know. Answer: yes", '"yes"', id="a label after all"),
        pytest.param(OBJECT, 'I do not know all of it: {"a": 1}', '{"a":1}', id="JSON after all"),
    ],
)
def test_what_answers_after_all_is_read_as_that(form, text, value):
    assert value == cast(text, form).value


def test_a_number_amid_what_abstains_is_no_answer():
    assert DECLINED.key == cast("I don't know: 3 of the 5 do not say.", NUMBER).key


@pytest.mark.parametrize("kind", ["number", "json"])
@pytest.mark.parametrize(("text", "reason"), [(REFUSAL, "REFUSED"), (UNKNOWN, "ABSTAINED")])
def test_where_it_may_not_it_is_no_vote_and_says_why(kind, text, reason):
    assert ("", reason) == (
        cast(text, OutputFormat(kind)).key,
        cast(text, OutputFormat(kind)).reason,
    )


def test_prose_that_declines_is_like_any_other_where_it_may_not():
    assert "PROSE" == cast(UNKNOWN, OutputFormat()).reason


def test_with_tools_to_call_none_is_to_abstain():
    tools = (Tool("now"),)

    assert NO_CALL.key == cast(UNKNOWN, TEXT, tools).key == abstain_key(OutputFormat(), tools)


def test_a_label_that_says_so_is_that_class_whether_it_may_or_not():
    named, may = (OutputFormat("labels", labels=WITH_UNKNOWN, may_abstain=m) for m in (False, True))

    assert '"Unknown"' == cast("unknown", named).value == cast(UNKNOWN, may).value
    assert abstain_key(named, ()) == cast("Unknown", named).key == abstain_key(may, ())


@pytest.mark.parametrize(
    ("form", "key"),
    [
        pytest.param(OutputFormat("json", schema=NULLABLE), DECLINED.key, id="takes null"),
        pytest.param(OutputFormat("json"), DECLINED.key, id="any JSON"),
        pytest.param(OutputFormat("json", schema={"type": "object"}), "", id="takes no null"),
        pytest.param(OutputFormat("number"), "", id="number"),
        pytest.param(OutputFormat("labels", labels=("yes", "no")), "", id="labels"),
        pytest.param(OutputFormat(), "", id="prose"),
    ],
)
def test_null_is_that_class_where_the_schema_takes_it(form, key):
    assert key == abstain_key(form, ())
