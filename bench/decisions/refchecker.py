"""Claims without any context, borne out or not by what the other models answered."""

import pathlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from bench.decisions import Row, SkippedError, apart
from bench.decisions.signals import PARTS, Answers, Told, area, interval, told_apart
from bench.forms import Line
from bench.recordings import files, located, rows_of, stem
from judge_svc.grounding import context_of, grounded
from judge_svc.peers import held_by_peers
from judge_svc.support import borne_out

REACH = 0.762
"""Lexical support, as published for these claims."""

RESPONSES = 2_100
"""Of the recording that this is published of."""
FEWEST = 30
"""Claims of either kind: ten of each have to be in any four of five folds."""


def rows(data: pathlib.Path) -> Iterator[Row]:
    known = located(data, "judge/refchecker_7models_claims")
    others = [path for path in files(data, "claims") if path != known]
    yield from apart(partial(_measured, path) for path in (known, *others))


def _measured(path: pathlib.Path) -> Iterator[Row]:
    every = rows_of(path, "claims")
    answers, lexical = _answers(every)
    fewest = min(int(answers.ok.sum()), int((~answers.ok).sum()))
    if fewest < FEWEST or len(set(answers.groups)) < PARTS:
        told = (
            f"{path.name} holds {len(answers.ok)} claims on which others answered, without context"
        )
        raise SkippedError(f"{told}, {fewest} of one kind; {FEWEST} are needed")
    ours = told_apart(answers)
    plain = Told(lexical, lexical > 0.5)
    low, high = interval(answers, ours, plain, by_area=True)
    own, other = area(ours, answers.ok), area(plain, answers.ok)
    is_published = stem(path) == "refchecker_7models_claims" and len(every) == RESPONSES
    reach = REACH if is_published else other
    note = f"{len(answers.ok)} claims, 5 folds by question; baseline: share of a claim's words that the others hold"
    title = "RefChecker" if is_published else stem(path)
    yield Row(f"{title}, zero context: AUROC", own, other, reach, own > reach, note, (low, high))


def _answers(every: Sequence[Line]) -> tuple[Answers, np.ndarray]:
    """Claims of answers to questions that others answered, too."""
    by_question: dict[str, list[Line]] = defaultdict(list)
    for row in every:
        if row["setting"] == "zero_context":
            by_question[str(row["qid"])].append(row)
    signals, ok, groups, lexical = [], [], [], []
    for question, said in by_question.items():
        for row in said if len(said) > 1 else []:
            peers = [other["response"] for other in said if other is not row]
            for claim in row["claims"]:
                text = " ".join(claim["t"])
                told = (*borne_out(text, peers), *held_by_peers(text, peers))
                signals.append({s.name: s.value for s in told})
                lexical.append(_lexical(text, peers))
                ok.append(claim["label"] == "Entailment")
                groups.append(question)
    return Answers(signals, np.array(ok, dtype=bool), groups), np.array(lexical)


def _lexical(claim: str, peers: Sequence[str]) -> float:
    """Mean over the peers of the share of the claim's words that they hold."""
    found = [{s.name: s.value for s in grounded(claim, context_of([peer]))} for peer in peers]
    return float(np.mean([signals.get("recall", 0.0) for signals in found]))
