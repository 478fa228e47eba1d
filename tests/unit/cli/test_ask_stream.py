"""What a person sees while a question is answered."""

import io
import json

import pytest
from rich.console import Console

from gremium.v1 import ensemble_pb2, jury_pb2, manifest_pb2, router_pb2, types_pb2
from services.cli.ask_events import LINE_CHARS, TAIL_CHARS, Board, Lines, line_of
from services.cli.ask_stream import drawn, showing

Event = ensemble_pb2.AskStreamResponse
ROUTED = Event(
    routed=router_pb2.RouteDecision(tiers=[router_pb2.Tier(name="small")], reason_text="cheap")
)
TALLIED = Event(tallied=manifest_pb2.Tally(consensus=True, method="majority", divergence=0.25))
JUDGED = Event(judged=manifest_pb2.Verdict(kind=manifest_pb2.VERDICT_KIND_PASS, judge="j"))
ESCALATED = Event(
    escalated=ensemble_pb2.Escalated(from_tier="small", to_tier="large", reason_text="unsure")
)


def started(juror="a"):
    return Event(juror_started=jury_pb2.JurorStarted(juror=juror, model="gpt"))


def wrote(text, juror="a"):
    return Event(juror_delta=jury_pb2.JurorDelta(juror=juror, text=text))


def settled(juror="a", text="Paris", status="ANSWERED", reason=""):
    part = manifest_pb2.Participation(
        name=juror,
        model="gpt",
        status=manifest_pb2.ParticipationStatus.Value(f"PARTICIPATION_STATUS_{status}"),
        reason=reason,
    )
    part.duration.FromMilliseconds(1500)
    answer = types_pb2.Answer(juror=juror, text=text) if text else None
    return Event(juror_settled=jury_pb2.JurorSettled(participation=part, answer=answer))


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (ROUTED, "route    small: cheap"),
        (started(), "asked    a (gpt)"),
        (settled(), "juror    a answered in 1.50 s"),
        (
            settled(text="", status="FAILED", reason="STREAM_CUT"),
            "juror    a failed: STREAM_CUT in 1.50 s",
        ),
        (TALLIED, "tally    consensus by majority, 0 classes, divergence 0.25"),
        (JUDGED, "verdict  pass by j"),
        (ESCALATED, "next     small to large: unsure"),
    ],
    ids=lambda value: value.WhichOneof("event") if isinstance(value, Event) else "",
)
def test_each_step_is_a_line(event, line):
    assert [line] == line_of(event)


def test_words_are_no_lines():
    assert [] == line_of(wrote("Par"))


def test_the_board_shows_how_far_everyone_is():
    board = Board()
    for event in (ROUTED, started("a"), started("b"), wrote("Par"), wrote("is\nis")):
        board.take(event)

    assert [("a", "writing", "Paris is"), ("b", "asked", "")] == [
        (row.juror, row.state, row.tail) for row in board.rows
    ]
    board.take(settled("a", "Paris"))
    board.take(settled("b", "", "FAILED", "STREAM_CUT"))
    board.take(TALLIED)
    assert [
        ("answered in 1.50 s", "Paris"),
        ("failed: STREAM_CUT in 1.50 s", ""),
    ] == [(row.state, row.tail) for row in board.rows]
    assert 2 == len(board.lines)


def test_a_juror_who_was_not_asked_is_on_the_board_too():
    board = Board()
    board.take(settled("a", "", "SKIPPED", "BUDGET_SPENT"))

    assert ["skipped: BUDGET_SPENT in 1.50 s"] == [row.state for row in board.rows]


def test_a_juror_of_the_next_tier_has_a_row_of_its_own():
    board = Board()
    for event in (started(), wrote("x"), settled(), ESCALATED, started(), wrote("y")):
        board.take(event)

    assert ["Paris", "y"] == [row.text for row in board.rows]


def test_only_the_end_of_a_long_answer_is_shown():
    board = Board()
    board.take(started())
    board.take(wrote("word " * 1000 + "end"))

    assert board.rows[0].tail.endswith("word end")
    assert TAIL_CHARS == len(board.rows[0].tail)


def test_the_table_takes_words_as_they_are():
    board = Board()
    for event in (ROUTED, started(), wrote("[bold]:smile:[/x]"), TALLIED):
        board.take(event)
    out = io.StringIO()
    Console(file=out, width=120, markup=False, emoji=False).print(drawn(board))

    lines = [line.strip() for line in out.getvalue().splitlines() if line.strip()]
    assert lines[0].startswith("route")
    assert "[bold]:smile:[/x]" in lines[-2]
    assert lines[-1].startswith("tally")


def told_of(*events):
    lines = Lines()
    return [line for event in events for line in lines.take(event)]


def test_words_are_told_by_the_line_and_those_of_two_jurors_do_not_mix():
    told = told_of(
        wrote("Par", "a"), wrote("Ro", "b"), wrote("is.\n\nIt ", "a"), wrote("me", "b"),
        settled("b", "Rome"), wrote("rains.", "a"), settled("a", "Paris.\n\nIt rains."),
    )  # fmt: skip

    assert [
        "says     a: Paris.",
        "says     b: Rome",
        "juror    b answered in 1.50 s",
        "says     a: It rains.",
        "juror    a answered in 1.50 s",
    ] == told


@pytest.mark.parametrize("text", ["word " * 100 + "end", "x" * 200, " " * 200 + "x"])
def test_a_long_line_is_broken_before_it_ends_and_nothing_is_lost(text):
    told = [line.removeprefix("says     a: ") for line in told_of(*map(wrote, text), settled())]

    assert max(map(len, told[:-1])) <= LINE_CHARS
    assert "".join(text.split()) == "".join("".join(told[:-1]).split())


def test_an_answer_that_came_at_once_is_told_when_it_is_there():
    assert ["says     a: Paris", "juror    a answered in 1.50 s"] == told_of(settled())


def test_a_juror_of_the_next_tier_begins_a_line_of_its_own():
    told = told_of(wrote("x"), settled(), ESCALATED, started(), wrote("y"), settled())

    assert ["says     a: x", "says     a: y"] == [line for line in told if "says" in line]


def test_without_a_terminal_steps_and_words_are_lines_on_standard_error(capsys):
    with showing(as_json=False) as show:
        show(started())
        show(wrote("Paris\nis"))

    assert ("", "asked    a (gpt)\nsays     a: Paris\n") == capsys.readouterr()


def test_json_is_a_line_an_event(capsys):
    with showing(as_json=True) as show:
        show(started())
        show(wrote("Par\nis"))

    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert {"juror": "a", "model": "gpt"} == first["juror_started"]
    assert "Par\nis" == second["juror_delta"]["text"]


def within(step, event, tier="jury"):
    placed = Event(step=step, tier=tier)
    placed.MergeFrom(event)
    return placed


PLANNED = Event(
    planned=router_pb2.Plan(
        steps=[router_pb2.Step(id="look"), router_pb2.Step(id="vote")],
        reason_text="2 steps, 2 in a row, up to 1 at once",
    )
)


def searched(*sources, status="ANSWERED", reason=""):
    part = settled("", "", status, reason).juror_settled.participation
    passages = [types_pb2.Passage(id=source, source=source) for source in sources]
    return Event(searched=ensemble_pb2.Searched(participation=part, passages=passages), step="look")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (PLANNED, "plan     look, vote: 2 steps, 2 in a row, up to 1 at once"),
        (within("out", PLANNED), "plan     out: look, vote: 2 steps, 2 in a row, up to 1 at once"),
        (searched("a.md", "b.md"), "search   look answered in 1.50 s: 2 passages"),
        (
            searched(status="FAILED", reason="INTERNAL"),
            "search   look failed: INTERNAL in 1.50 s: 0 passages",
        ),
        (within("vote", started()), "asked    vote: a (gpt)"),
        (within("a", started()), "asked    a (gpt)"),
        (within("out/a", started()), "asked    out/a (gpt)"),
        (within("vote", settled("")), "juror    vote answered in 1.50 s"),
        (within("vote", JUDGED), "verdict  vote: pass by j"),
        (within("vote", ROUTED), "route    vote: small: cheap"),
        (within("vote", ESCALATED), "next     vote: small to large: unsure"),
    ],
)
def test_a_line_names_its_step(event, line):
    assert [line] == line_of(event)


def test_jurors_of_the_same_name_have_rows_of_their_own():
    board = Board()
    places = [("left", "jury"), ("right", "jury"), ("right", "large")]
    for step, tier in places:
        board.take(within(step, started(), tier))
    for nth, (step, tier) in enumerate(places):
        board.take(within(step, wrote(str(nth)), tier))
    board.take(within("left", settled(text="done")))

    assert [("left: a", "done"), ("right: a", "1"), ("right: a", "2")] == [
        (row.label, row.text) for row in board.rows
    ]


def test_lines_of_jurors_of_the_same_name_do_not_mix():
    lines = Lines()
    for step in ("left", "right"):
        assert [] == lines.take(within(step, wrote(f"of {step}")))

    assert ["says     left: a: of left"] == lines.take(within("left", settled(text="x")))[:1]
    assert ["says     right: a: of right"] == lines.take(within("right", settled(text="x")))[:1]


def test_the_words_of_a_model_cannot_steer_the_terminal():
    board = Board()

    board.take(started())
    board.take(wrote("Paris\x1b[2J"))

    assert "Paris\\x1b[2J" == board.rows[0].tail
