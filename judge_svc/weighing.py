"""Which signals there are on an answer, and what verdict they lead to. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from judge_svc.checks import Check
from judge_svc.fusion import JUDGE, Fit, Weighed, weighed
from judge_svc.grounding import Signal, context_of, grounded
from judge_svc.peers import held_by_peers
from judge_svc.support import borne_out
from judge_svc.verdict import Verdict
from services.core.answers import Answer
from services.core.prompts import Prompt, ToolResult
from services.core.visible import visible_text

READ_CHARS: Final = 65_536
"""How much of an answer is held against others: the time that takes grows with its square."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an answer beside its text."""

    peers: tuple[Answer, ...] = ()
    """What the other jurors answered."""
    support: float | None = None
    """P(correct) of the answer's class, or its share of the vote where nothing is fitted."""
    prior: float | None = None
    """How often its juror is right."""


def signals_on(prompt: Prompt, answer: Answer, standing: Standing) -> tuple[Signal, ...]:
    """All signals that need no model. What does not apply is left out."""
    text = said(answer)[:READ_CHARS]
    peers = [said(peer)[:READ_CHARS] for peer in standing.peers]
    return (
        *([] if standing.support is None else [Signal("support", standing.support)]),
        *([] if standing.prior is None else [Signal("prior", standing.prior)]),
        *borne_out(text, peers),
        *held_by_peers(text, peers),
        *grounded(text, context_of(_told(prompt))),
    )


def size_of(prompt: Prompt, *answers: Answer) -> int:
    """Characters that are read for the signals."""
    return len(prompt.text) + sum(map(len, _told(prompt))) + sum(each.size for each in answers)


def said(answer: Answer) -> str:
    """What an answer says and calls."""
    calls = [f"{call.name} {call.arguments_json}" for call in answer.tool_calls]
    return "\n".join([visible_text(answer.text), *calls])


def _told(prompt: Prompt) -> list[str]:
    """What an answer has to be faithful to: passages and results of tools."""
    parts = (part for turn in prompt.messages for part in turn.parts)
    results = [part.content for part in parts if isinstance(part, ToolResult)]
    return [*(passage.text for passage in prompt.passages), *results]


def judge_signal(verdict: Verdict) -> tuple[Signal, ...]:
    """A judge model's finding as a signal; none when it gave none, 0 when it objects."""
    if verdict.kind == "unjudged" or verdict.score is None:
        return ()
    value = verdict.score if verdict.kind == "pass" else 0.0
    return (Signal(JUDGE, value, verdict.reason_text),)


def unasked(signals: Sequence[Signal], fit: Fit) -> Weighed:
    """What the signals say where no judge model's score could turn the decision.

    P(ok) is then the end that is nearer to the threshold.
    """
    known = [signal for signal in signals if signal.name != JUDGE]
    least, most = (weighed([*known, Signal(JUDGE, score)], fit) for score in (0.0, 1.0))
    found = least if least.accepted else most
    ends = sorted(p for p in (least.p_ok, most.p_ok) if p is not None)
    given = tuple(signal for signal in found.signals if signal.name != JUDGE)
    return replace(found, signals=given, interval=(ends[0], ends[-1]) if ends else None)


def by_weight(checks: Sequence[Check], found: Weighed, judged: Verdict | None = None) -> Verdict:
    """Pass or fail by P(ok); a judge model's objection stays one.

    Raises
    ------
    ValueError
        If there is no P(ok) or no threshold.
    """
    if found.p_ok is None or found.fit.threshold is None:
        raise ValueError("a verdict by weight needs P(ok) and a threshold")
    passes = found.accepted and (judged is None or judged.kind != "fail")
    return Verdict(
        "pass" if passes else "fail",
        tuple(judged.checks if judged else checks),
        _why(found, passes=passes),
        score=judged.score if judged else None,
        judge=judged.judge if judged else "",
        repairs=judged.repairs if judged else (),
        weighed=found,
    )


def unpromised(judged: Verdict, found: Weighed) -> Verdict:
    """A judge model's verdict where nothing can be promised: what it lets pass is unjudged."""
    told = replace(judged, weighed=found)
    if judged.kind != "pass":
        return told
    missing = ", ".join(found.missing)
    why = f"nothing is known of {missing}" if missing else "no P(ok) keeps the promise"
    text = f"{why}, so that the word of {judged.judge} alone passes nothing"
    return replace(told, kind="unjudged", reason_text=text, unjudged_reason="NO_PROMISE")


def _why(found: Weighed, *, passes: bool) -> str:
    fit = found.fit
    told = f"P(ok) {found.p_ok:.2f} {'reaches' if passes else 'does not reach'} {fit.threshold:.2f}"
    if not found.guarantee_holds:
        return told
    sure = 1.0 - fit.delta
    return f"{told}: accepted answers are wrong at most {fit.alpha:.0%} of the time, by {sure:.0%} confidence"
