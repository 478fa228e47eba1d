"""Numbers, names and quotations of an answer count as far as other jurors give them, too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_svc.peers import MOST_THINGS, held_by_peers
from judge_svc.weighing import Standing, signals_on
from tests.unit.judge.cases import answer, prompt

PEERS = [
    "In 1901 the bridge by Anna Lindqvist opened: “a marvel of iron”.",
    "The bridge opened in 1901; Lindqvist built it.",
]


def told(text, peers=PEERS):
    return {each.name: (each.value, each.evidence) for each in held_by_peers(text, peers)}


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        pytest.param("It opened in 1901.", "peer_numbers", (1.0, ""), id="number of both"),
        pytest.param("It opened in 1.901.", "peer_numbers", (1.0, ""), id="written otherwise"),
        pytest.param("It opened in 1902.", "peer_numbers", (0.0, "1902"), id="number of none"),
        pytest.param("In 1901 or 1902.", "peer_numbers", (0.5, "1902"), id="one of two numbers"),
        pytest.param("It was by Lindqvist.", "peer_names", (1.0, ""), id="name of both"),
        pytest.param("It was by Anna.", "peer_names", (0.5, ""), id="name of one"),
        pytest.param("It was by Bergström.", "peer_names", (0.0, "Bergström"), id="name of none"),
        pytest.param("He said “A marvel, of iron!”.", "peer_quotes", (0.5, ""), id="quoted by one"),
        pytest.param(
            "“a marvel of steel”", "peer_quotes", (0.0, "a marvel of steel"), id="by none"
        ),
        pytest.param("Nobody knows.", "peer_numbers", (1.0, ""), id="nothing to hold"),
    ],
)
def test_is_the_share_of_peers_that_hold_it(text, name, expected):
    assert expected == told(text)[name]


def test_the_first_ones_tell_enough_and_each_counts_once():
    many = " ".join(str(n) for n in range(MOST_THINGS))

    assert (1.0, "") == told(f"{many} 7777", [many])["peer_numbers"]
    assert (0.5, "8") == told("7 and 8, 8, 8.", ["7"])["peer_numbers"]


@pytest.mark.parametrize(("text", "peers"), [("1901", []), ("1901", ["", "?!"]), ("", PEERS)])
def test_says_nothing_without_peers_or_words(text, peers):
    assert {} == told(text, peers)


@given(st.text(), st.lists(st.text(), max_size=3))
def test_every_signal_is_a_share_whatever_the_order_of_the_peers(text, peers):
    found = held_by_peers(text, peers)

    assert all(0.0 <= signal.value <= 1.0 for signal in found)
    assert found == held_by_peers(text, peers[::-1])


def test_they_are_signals_of_a_verdict_beside_those_of_the_passages():
    case = prompt(passages=[("p1", "It opened in 1901.")])
    peers = tuple(answer(text) for text in ("In 1899.", "In 1899, perhaps."))
    found = signals_on(case, answer("It opened in 1901."), Standing(peers=peers))

    values = {each.name: each.value for each in found}
    assert (1.0, 0.0) == (values["numbers"], values["peer_numbers"])
