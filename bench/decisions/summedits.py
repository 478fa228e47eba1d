"""Summaries told apart from edited ones by what of them stands in their documents."""

import pathlib
from collections.abc import Iterator

import numpy as np

from bench.decisions import Row
from bench.decisions.pools import lines
from bench.decisions.signals import Answers, area, balanced, interval, told_apart
from judge_svc.grounding import context_of, grounded

LEXICAL = ("recall",)
MEASURES = (("balanced accuracy", balanced, False, 56.0), ("AUROC", area, True, 0.56))
"""Each with the most that lexical support reaches; the whole interval has to lie above."""
NOTE = (
    "checks alone, 5 folds by document; baseline: lexical support alone, its threshold learned too"
)


def rows(data: pathlib.Path) -> Iterator[Row]:
    answers = _answers(data)
    ours, lexical = told_apart(answers), told_apart(answers, LEXICAL)
    for name, measure, by_area, reach in MEASURES:
        low, high = interval(answers, ours, lexical, by_area=by_area)
        own, other = measure(ours, answers.ok), measure(lexical, answers.ok)
        yield Row(f"SummEdits: {name}", own, other, reach, low + other > reach, NOTE, (low, high))


def _answers(data: pathlib.Path) -> Answers:
    documents = {row["doc_id"]: row["doc"] for row in lines(data / "judge/summedits_docs.jsonl.gz")}
    contexts = {name: context_of([text]) for name, text in documents.items()}
    found = lines(data / "judge/summedits.jsonl.gz")
    signals = [
        {s.name: s.value for s in grounded(row["summary"], contexts[row["doc_id"]])}
        for row in found
    ]
    ok = np.array([row["label"] == 1 for row in found])
    return Answers(signals, ok, [str(row["doc_id"]) for row in found])
