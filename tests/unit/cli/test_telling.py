"""A manifest is told in words that a person can act on."""

import io

import pytest
from google.protobuf.duration_pb2 import Duration
from rich.console import Console

from gremium.v1 import ensemble_pb2, manifest_pb2, router_pb2, types_pb2
from services.cli import show, telling

JUROR = manifest_pb2.Participation(
    stage=manifest_pb2.STAGE_JURY,
    name="terse",
    model="small",
    requested_model="small-1",
    status=manifest_pb2.PARTICIPATION_STATUS_ANSWERED,
    model_calls=1,
)


def participation(**fields):
    copied = manifest_pb2.Participation()
    copied.CopyFrom(JUROR)
    copied.MergeFrom(manifest_pb2.Participation(**fields))
    return copied


def split():
    """Two jurors say yes and one says no; a fourth gave no vote."""
    return manifest_pb2.Tally(
        classes=[
            manifest_pb2.TallyClass(value='"yes"', jurors=["a"], share=0.5),
            manifest_pb2.TallyClass(value='"no"', jurors=["b"], share=0.5),
        ],
        ballots=[manifest_pb2.Ballot(juror="c", reason="UNKNOWN_LABEL")],
        method="plurality",
        divergence=1.0,
        reason_text="two classes lead with 50 % each",
    )


def test_a_plain_answer_needs_no_explanation():
    reply = ensemble_pb2.AskResponse(outcome=manifest_pb2.OUTCOME_ANSWERED)

    assert [] == telling.explanation(reply)


def test_no_consensus_names_who_said_what():
    reply = ensemble_pb2.AskResponse(
        outcome=manifest_pb2.OUTCOME_NO_CONSENSUS, manifest=manifest_pb2.Manifest(tallies=[split()])
    )

    assert [
        "The jurors disagree too much to answer.",
        "two classes lead with 50 % each",
        '  "yes": a (50%)',
        '  "no": b (50%)',
        "  no vote from c: UNKNOWN_LABEL",
    ] == telling.explanation(reply)


def stopped(**fields):
    return telling.story(manifest_pb2.Manifest(jury_stops=[manifest_pb2.JuryStop(**fields)]))


def test_an_early_stop_is_told_with_what_it_saved():
    saved = {"saved_calls": 1, "saved_usd": 0.25, "saved_time": Duration(nanos=500_000_000)}

    assert ["stop     small: DECIDED, saved about 1 call, $0.25, 0.5 s"] == stopped(
        tier="small", reason="DECIDED", **saved
    )
    assert ["stop     QUORUM"] == stopped(reason="QUORUM")


@pytest.mark.parametrize("reason", ["ALL_SETTLED", "DEADLINE"])
def test_a_jury_that_did_not_stop_early_is_not_told_of(reason):
    assert [] == stopped(reason=reason, saved_usd=1.0)


def test_a_rejection_names_what_the_judge_found():
    verdict = manifest_pb2.Verdict(
        kind=manifest_pb2.VERDICT_KIND_FAIL,
        reason_text="hallucination failed",
        checks=[
            manifest_pb2.Check(name="schema", outcome=manifest_pb2.CHECK_OUTCOME_PASS),
            manifest_pb2.Check(
                name="hallucination",
                outcome=manifest_pb2.CHECK_OUTCOME_FAIL,
                evidence="Lyon is no capital",
            ),
        ],
    )
    reply = ensemble_pb2.AskResponse(
        outcome=manifest_pb2.OUTCOME_REJECTED, manifest=manifest_pb2.Manifest(verdicts=[verdict])
    )

    assert [
        "The judge failed the answer.",
        "hallucination failed",
        "  hallucination: Lyon is no capital",
    ] == telling.explanation(reply)


def test_an_answer_that_nobody_judged_says_why_it_is_withheld():
    reply = ensemble_pb2.AskResponse(outcome=manifest_pb2.OUTCOME_REJECTED, unjudged=True)

    assert ["Nobody judged the answer, and this ensemble gives none without a verdict."] == (
        telling.explanation(reply)
    )


def test_the_story_says_why_another_tier_was_asked():
    manifest = manifest_pb2.Manifest()
    manifest.escalations.add(from_tier="small", to_tier="large", reason_text="not sure")

    assert "next     small → large: not sure" in telling.story(manifest)


def test_the_story_says_how_it_was_routed_counted_and_judged():
    manifest = manifest_pb2.Manifest(
        route=router_pb2.RouteDecision(
            tiers=[router_pb2.Tier(name="jury")], reason_text="the only tier"
        ),
        tallies=[split()],
        verdicts=[manifest_pb2.Verdict(kind=manifest_pb2.VERDICT_KIND_PASS, judge="g", score=0.9)],
    )

    assert [
        "route    jury: the only tier",
        "tally    no consensus by plurality, 2 classes, divergence 1.00",
        "verdict  pass by g, score 0.90",
    ] == telling.story(manifest)


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"synthesised": True, "sources": ["a", "c"]}, "synthesis of a, c"),
        ({"fallback_trail": ["synthesis_no_budget"]}, "no synthesis (no budget)"),
    ],
)
def test_the_story_says_out_of_what_the_answer_was_written(told, line):
    tally = manifest_pb2.Tally(method="medoid", consensus=True, **told)

    assert [f"tally    consensus by medoid, 0 classes, divergence 0.00, {line}"] == (
        telling.story(manifest_pb2.Manifest(tallies=[tally]))
    )


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [pytest.param("specialists", "left: ", id="graph"), pytest.param("jury", "", id="no steps")],
)
def test_the_story_of_a_graph_names_its_steps(pattern, prefix):
    verdict = manifest_pb2.Verdict(kind=manifest_pb2.VERDICT_KIND_PASS, judge="g", tier="left")
    manifest = manifest_pb2.Manifest(
        pattern=pattern,
        tallies=[manifest_pb2.Tally(tier="left", method="single")],
        escalations=[
            manifest_pb2.Escalation(
                step=prefix.removesuffix(": "), from_tier="s", to_tier="l", reason_text="not sure"
            )
        ],
        verdicts=[verdict],
    )

    assert [
        f"tally    {prefix}no consensus by single, 0 classes, divergence 0.00",
        f"next     {prefix}s → l: not sure",
        f"verdict  {prefix}pass by g",
    ] == telling.story(manifest)


def test_who_took_part_in_a_graph_is_named_after_the_step():
    late = {
        "status": manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT,
        "reason_text": "no reply within 5 s",
    }
    parts = [participation(tier=step, **late) for step in ("left", "right", "outer/terse")]
    parts.append(participation(stage=manifest_pb2.STAGE_AGGREGATOR, tier="left"))
    parts[-1].name = ""
    graph = manifest_pb2.Manifest(pattern="specialists", participations=parts)
    names = ["left: terse", "right: terse", "outer/terse", "left"]

    assert names == list(show.participations(graph).columns[1].cells)
    assert [f"{name} timed out: no reply within 5 s" for name in names[:3]] == (
        telling.cautions(graph)
    )
    jury = manifest_pb2.Manifest(pattern="jury", participations=parts)
    assert ["terse", "terse", "terse", ""] == list(show.participations(jury).columns[1].cells)


def test_cautions_explain_every_flag():
    manifest = manifest_pb2.Manifest(
        outcome=manifest_pb2.OUTCOME_ANSWERED, self_ensemble=True, unjudged=True, degraded=True
    )

    said = " ".join(telling.cautions(manifest))

    assert ["self-ensemble", "unjudged", "degraded"] == telling.flags(manifest)
    assert all(flag in said for flag in telling.flags(manifest))


def test_cautions_do_not_repeat_a_verdict():
    alone = "there is no judge of another family"
    judge = participation(
        status=manifest_pb2.PARTICIPATION_STATUS_SKIPPED, reason="ALONE", reason_text=alone
    )
    manifest = manifest_pb2.Manifest(
        participations=[judge], verdicts=[manifest_pb2.Verdict(reason_text=alone)]
    )

    assert [] == telling.cautions(manifest)


def test_cautions_name_who_did_not_answer():
    late = participation(
        status=manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT,
        reason="TIMED_OUT",
        reason_text="no reply within 5 s",
    )

    assert ["terse timed out: no reply within 5 s"] == telling.cautions(
        manifest_pb2.Manifest(participations=[late])
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, "answered", id="answered"),
        pytest.param(
            {"status": manifest_pb2.PARTICIPATION_STATUS_UNUSABLE, "reason": "EMPTY"},
            "unusable: EMPTY",
            id="with a reason",
        ),
        pytest.param(
            {"status": manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT, "reason": "TIMED_OUT"},
            "timed out",
            id="a reason that says nothing more",
        ),
    ],
)
def test_an_ending_says_why(fields, expected):
    assert expected == telling.ending(participation(**fields))


def test_who_is_being_asked_has_not_ended():
    assert "not ended" == telling.ending(manifest_pb2.Participation(name="a"))


def test_a_model_is_named_as_served_where_that_differs():
    assert "small-1" == telling.model_name(participation(served_model="small-1"))
    assert "small-1 as small-1b" == telling.model_name(participation(served_model="small-1b"))


def test_totals_are_one_line():
    manifest = manifest_pb2.Manifest(
        duration=Duration(seconds=1, nanos=230_000_000),
        model_calls=3,
        usage=types_pb2.Usage(input_tokens=40, output_tokens=2),
        cost_usd=0.00012,
        self_ensemble=True,
    )

    assert (
        "1.23 s · 3 model calls · 42 tokens · $0.000120 · uncalibrated · self-ensemble"
        == telling.totals(manifest)
    )


def test_of_jurors_with_one_name_only_the_chosen_ones_text_is_told():
    places = [("left", "jury"), ("right", "small"), ("right", "large")]
    answers = [
        types_pb2.Answer(juror="a", step=step, tier=tier, text=f"{step} {tier}")
        for step, tier in places
    ]
    manifest = manifest_pb2.Manifest(
        answers=answers, chosen_juror="a", chosen_step="right", chosen_tier="small"
    )

    assert ["right small"] == telling.chosen_texts(manifest)
    assert [] == telling.chosen_texts(manifest_pb2.Manifest(answers=answers))


def test_of_an_answer_whose_words_are_not_kept_the_digest_is_told():
    answer = types_pb2.Answer(juror="a", content_sha256="5dd2")
    manifest = manifest_pb2.Manifest(answers=[answer], chosen_juror="a")

    assert ["(not kept; its SHA-256 is 5dd2)"] == telling.chosen_texts(manifest)


@pytest.mark.parametrize(
    ("is_terminal", "shown"), [(True, "Paris\\x1b[2J\n"), (False, "Paris\x1b[2J\n")]
)
def test_a_model_cannot_steer_a_terminal(monkeypatch, capsys, is_terminal, shown):
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)

    show.say("Paris\x1b[2J")

    assert shown == capsys.readouterr().out


@pytest.mark.parametrize("columns", [60, 80])
def test_an_id_can_be_copied_from_a_narrow_terminal(columns):
    id_ = "0123456789abcdef" * 2
    manifest = manifest_pb2.Manifest(request_id=id_, ensemble="a-rather-long-name-of-an-ensemble")
    console = Console(width=columns, file=io.StringIO())

    console.print(show.manifest_list([manifest]))

    shown = console.file.getvalue()
    assert id_ in shown
    assert "…" not in shown
