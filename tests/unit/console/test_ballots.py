"""Answers stand side by side under the class of their ballots; a class keeps its mark."""

from gremium.v1 import manifest_pb2, types_pb2
from services.gateway.console.ballots import Mark, cards, counts, marks, silent, spoken
from services.gateway.console.wording import CUT_CHARS
from tests.unit.console.manifests import FAILED, JURY, answer, manifest, part, tally


def test_the_same_answer_has_the_same_mark_in_every_tier():
    known = marks([tally("small", four=["a"], five=["b"]), tally("large", five=["c"])])

    assert {"four": Mark("A", 1), "five": Mark("B", 2)} == known


def test_the_ninth_class_shares_the_quiet_colour_but_has_its_own_letter():
    known = marks([tally(**{f"k{nth}": ["a"] for nth in range(28)})])

    assert Mark("H", 8) == known["k7"]
    assert [Mark("I", 0), Mark("Z", 0), Mark("A2", 0)] == [known[k] for k in ("k8", "k25", "k26")]


def test_an_answer_is_under_the_class_of_its_own_tiers_ballot():
    found = cards(
        manifest(
            answers=[answer("a", "4", tier="small"), answer("a", "5", tier="large")],
            tallies=[tally("small", four=["a"]), tally("large", five=["a"])],
            chosen_juror="a",
            chosen_tier="large",
        )
    )

    assert [("A", False), ("B", True)] == [(card.mark.letter, card.given) for card in found]


def test_in_a_graph_answers_belong_to_their_steps():
    (card,) = cards(
        manifest(
            part(JURY, "a", tier="facts"),
            answers=[answer("a", "4", tier="jury", step="facts")],
            tallies=[tally("facts", four=["a"])],
            chosen_juror="a",
            chosen_tier="jury",
            chosen_step="facts",
        )
    )

    assert ("A", "facts", True, "a") == (card.mark.letter, card.place, card.given, card.part.name)


def test_an_answer_that_is_no_vote_says_why():
    refused = manifest_pb2.Tally(ballots=[manifest_pb2.Ballot(juror="a", reason="NOT_A_LABEL")])
    (card,) = cards(manifest(answers=[answer("a")], tallies=[refused]))

    assert (None, "NOT_A_LABEL") == (card.mark, card.reason)


def test_a_long_answer_is_cut_and_says_so():
    (card,) = cards(manifest(answers=[answer("a", "x" * (CUT_CHARS + 1))]))

    assert (CUT_CHARS + 1, False, CUT_CHARS + 1) == (len(card.text), card.whole, card.chars)


def test_tool_calls_are_part_of_what_was_said():
    calls = [types_pb2.ToolCall(name="weather", arguments_json='{"city": "Ulm"}')]

    assert 'Let me see.\nweather({"city": "Ulm"})' == spoken(
        answer("a", "Let me see.", tool_calls=calls)
    )


def test_shares_fill_the_bar_from_the_left():
    (count,) = counts(manifest(tallies=[tally(four=["a", "b", "c"], five=["d"])]))

    assert [(0.0, 75.0), (75.0, 25.0)] == [(each.left, each.width) for each in count.classes]
    assert [True, False] == [each.leads for each in count.classes]


def test_shares_that_add_up_to_too_much_do_not_leave_the_bar():
    classes = [manifest_pb2.TallyClass(key=key, share=0.9) for key in "xy"]
    (count,) = counts(manifest(tallies=[manifest_pb2.Tally(classes=classes)]))

    assert 100.0 == sum(each.width for each in count.classes)


def test_jurors_without_an_answer_are_named_with_their_reason():
    found = silent(
        manifest(
            part(JURY, "a"),
            part(JURY, "b", status=FAILED, reason="HTTP_500"),
            answers=[answer("a")],
        )
    )

    assert [("b", "failed", "HTTP_500")] == [
        (each.name, each.status, each.reason) for each in found
    ]
