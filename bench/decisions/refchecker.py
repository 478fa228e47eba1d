"""Claims without any context, borne out or not by what the other models answered."""

import pathlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from bench.decisions import Row
from bench.decisions.pools import Line, lines
from bench.decisions.signals import Answers, Told, area, interval, told_apart
from judge_svc.grounding import context_of, grounded
from judge_svc.peers import held_by_peers
from judge_svc.support import borne_out

REACH = 0.762
"""Lexical support, as published for these claims."""


def rows(data: pathlib.Path) -> Iterator[Row]:
    answers, lexical = _answers(data)
    ours = told_apart(answers)
    plain = Told(lexical, lexical > 0.5)
    low, high = interval(answers, ours, plain, by_area=True)
    own, other = area(ours, answers.ok), area(plain, answers.ok)
    note = f"{len(answers.ok)} claims, 5 folds by question; baseline: share of a claim's words that the others hold"
    yield Row("RefChecker, zero context: AUROC", own, other, REACH, own > REACH, note, (low, high))


def _answers(data: pathlib.Path) -> tuple[Answers, np.ndarray]:
    by_question: dict[str, list[Line]] = defaultdict(list)
    for row in lines(data / "judge/refchecker_7models_claims.jsonl.gz"):
        if row["setting"] == "zero_context":
            by_question[row["qid"]].append(row)
    signals, ok, groups, lexical = [], [], [], []
    for question, said in by_question.items():
        for row in said:
            peers = [other["response"] for other in said if other is not row]
            for claim in row["claims"]:
                text = " ".join(claim["t"])
                told = (*borne_out(text, peers), *held_by_peers(text, peers))
                signals.append({s.name: s.value for s in told})
                lexical.append(_lexical(text, peers))
                ok.append(claim["label"] == "Entailment")
                groups.append(question)
    return Answers(signals, np.array(ok), groups), np.array(lexical)


def _lexical(claim: str, peers: Sequence[str]) -> float:
    """Mean over the peers of the share of the claim's words that they hold."""
    found = [{s.name: s.value for s in grounded(claim, context_of([peer]))} for peer in peers]
    return float(np.mean([signals.get("recall", 0.0) for signals in found]))
