"""What of an answer stands in its context, and what in the answers of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_svc.grounding import context_of, grounded
from judge_svc.opposites import PAIRS, opposite_in
from judge_svc.support import borne_out

CONTEXT = [
    "Anna Lindqvist said that sales rose by 5.2 % in 2021.",
    "The board did not approve the merger.",
    "“We are pleased with the outcome”, she added.",
]


def signals(answer, context=CONTEXT):
    return {signal.name: signal for signal in grounded(answer, context_of(context))}


def against(answer):
    return {n: s.evidence for n, s in signals(answer).items() if s.evidence and n != "reworded"}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        pytest.param("Sales rose by 5.2 % in 2021.", {}, id="faithful"),
        pytest.param("Sales rose by 5,2 %.", {}, id="another decimal mark"),
        pytest.param("Sales rose by 7 %.", {"numbers": "7"}, id="number"),
        pytest.param("Sales fell by 5.2 %.", {"opposites": "fell for rose"}, id="opposite"),
        pytest.param("She said Bergström left.", {"names": "Bergström"}, id="name"),
        pytest.param(
            "Sales did not rise by 5.2 % in 2021.",
            {"negation": "Sales did not rise by 5.2 % in 2021."},
            id="negation",
        ),
        pytest.param("The merger was not approved.", {}, id="negation that stands there"),
        pytest.param("She said “we are pleased”.", {}, id="quotation"),
        pytest.param(
            "She said “we are appalled by it”.", {"quotes": "we are appalled by it"}, id="made up"
        ),
    ],
)
def test_finds_what_does_not_stand_there(answer, found):
    assert {k: v for k, v in against(answer).items() if k in found or not found} == found


def test_more_that_is_made_up_counts_more():
    values = [signals(f"Sales were {n}.")["numbers"].value for n in ("5.2", "71", "71 and 72")]

    assert values == [1.0, 1 / 2, 1 / 3]


@pytest.mark.parametrize(("answer", "context"), [("", CONTEXT), ("Sales.", []), ("?!", ["."])])
def test_says_nothing_of_nothing(answer, context):
    assert grounded(answer, context_of(context)) == ()


def test_opposites_hold_both_ways():
    pairs = [pair.split("/") for pair in PAIRS.split()]

    assert all(opposite_in(a, [b]) == b and opposite_in(b, [a]) == a for a, b in pairs)
    assert opposite_in("careful", ["careless"]) == "careless"
    assert opposite_in("careless", ["careful"]) == "careful"
    assert opposite_in("side", ["inside"]) != "" == opposite_in("form", ["reform"])
    assert "" == opposite_in("it", ["unit"]), "too short to be turned round"


@given(st.text(), st.lists(st.text(), max_size=3))
def test_every_signal_is_a_share(answer, texts):
    found = [*grounded(answer, context_of(texts)), *borne_out(answer, texts)]

    assert all(0.0 <= signal.value <= 1.0 for signal in found)


def test_the_order_of_peers_does_not_matter():
    peers = ["Opened in 1901.", "It opened in 1899 in Turin.", "No idea."]

    assert borne_out("It opened 1899.", peers) == borne_out("It opened 1899.", peers[::-1])


def test_what_peers_say_speaks_for_an_answer():
    peers = ["The bridge opened in 1901.", "The bridge opened in 1901 in Turin."]
    borne, alone = (
        {s.name: s.value for s in borne_out(f"The bridge opened in {year}.", peers)}
        for year in (1901, 1950)
    )

    assert all(borne[name] > alone[name] for name in ("agreement", "echo", "held", "rarest"))


def test_what_the_second_nearest_sentence_denies_is_no_denial_of_its_own():
    context = ["The board met and approved the merger.", "The board did not approve the sale."]
    said = signals("The board did not approve the merger.", context)

    assert (1.0, "") == (said["negation"].value, said["negation"].evidence)


def test_names_the_sentence_that_peers_bear_out_least():
    found = borne_out("It opened in 1901. Kings wept.", ["It opened in 1901."])

    assert found[0].evidence == "Kings wept."
