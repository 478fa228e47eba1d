"""Summaries told apart from edited ones by what of them stands in their documents."""

import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bench.decisions import Row, SkippedError
from bench.decisions.local_judge import Verify, local_judge
from bench.decisions.signals import PARTS, Answers, Told, area, balanced, interval, told_apart
from bench.forms import Line
from bench.recordings import located, rows_of
from judge_svc.fusion import JUDGE
from judge_svc.grounding import context_of, grounded
from services.calibration.votes import Bools

LEXICAL = ("recall",)
MEASURES = (("balanced accuracy", balanced, False, 56.0), ("AUROC", area, True, 0.56))
"""Each with the most that lexical support reaches; the whole interval has to lie above."""
JUDGED, JUDGE_S, FEWEST = 400, 900.0, 30
"""Most summaries that a local judge is asked about, its time, and how many a fit needs."""
PROMPTS = 4_681
"""Of the recording that the published figures are about."""
SIZES = (30, 60, 120, 240)
PASSES = 0.5
"""Score from which on a judge that is asked alone lets a summary pass, as `judge.min_score` has it."""
NOTE = (
    "checks alone, 5 folds by document; baseline: lexical support alone, its threshold learned too"
)

Given = tuple[list[Line], dict[str, str]]


def rows(data: pathlib.Path) -> Iterator[Row]:
    found, documents = _given(data)
    answers = _answers(found, documents)
    ours, lexical = told_apart(answers), told_apart(answers, LEXICAL)
    for name, measure, by_area, published in MEASURES:
        low, high = interval(answers, ours, lexical, by_area=by_area)
        own, other = measure(ours, answers.ok), measure(lexical, answers.ok)
        reach = published if len(found) == PROMPTS else other
        yield Row(
            f"SummEdits: {name}, checks alone",
            own,
            other,
            reach,
            low + other > reach,
            f"{NOTE}; {len(found):,} summaries of {len(set(answers.groups))} documents",
            (low, high),
        )
    yield from _with_judge((found, documents), answers, ours, lexical)


def _given(data: pathlib.Path) -> tuple[list[Line], dict[str, str]]:
    """Summaries whose document is known, and the documents.

    Raises
    ------
    SkippedError
        If there are too few to learn from.
    """
    known = rows_of(located(data, "judge/summedits_docs", form="documents"), "documents")
    documents = {str(row["doc_id"]): row["doc"] for row in known}
    every = rows_of(located(data, "judge/summedits", form="summaries"), "summaries")
    found = [row for row in every if str(row["doc_id"]) in documents]
    faithful = sum(row["label"] for row in found)
    if min(faithful, len(found) - faithful) < FEWEST or len(documents) < PARTS:
        told = f"{len(found)} of {len(every)} summaries have a document, {faithful} are faithful"
        raise SkippedError(f"{told}; {FEWEST} of either kind are needed")
    return found, documents


def _with_judge(given: Given, answers: Answers, checks: Told, lexical: Told) -> Iterator[Row]:
    """The checks, and a local judge's score of as many summaries as it tells of in its time."""
    scores = _scores(given, answers.ok)
    at = np.array(list(scores))
    ok = answers.ok[at]
    both = _heard(answers, scores, checks)
    said = np.array(list(scores.values()))
    for name, measure, by_area, published in MEASURES:
        low, high = interval(answers, both, lexical, by_area=by_area)
        other = measure(lexical, answers.ok)
        reach = published if len(answers.ok) == PROMPTS else other
        there = {
            "both": measure(_at(both, at), ok),
            "checks alone": measure(_at(checks, at), ok),
            "judge alone": measure(Told(said, said >= PASSES), ok),
            "lexical support": measure(_at(lexical, at), ok),
        }
        curve = ", ".join(
            f"{n}: {measure(_at(_heard(answers, first, checks), at), ok):.3g}"
            for n, first in _first(scores)
        )
        note = (
            f"{len(at)} of {len(answers.ok):,} judged, half of them faithful, the others by the "
            f"checks alone; among the judged {_listed(there)}; both by number of judged {curve}"
        )
        label = f"SummEdits: {name}, with a local judge"
        own = measure(both, answers.ok)
        yield Row(label, own, other, reach, low + other > reach, note, (low, high))


def _heard(answers: Answers, scores: Mapping[int, float], checks: Told) -> Told:
    """What the checks and a judge tell together; where it was not asked, what the checks do."""
    signals = [
        {**found, JUDGE: scores[i]} if i in scores else found
        for i, found in enumerate(answers.signals)
    ]
    both = told_apart(Answers(signals, answers.ok, answers.groups))
    alone = np.isnan(both.p_ok)
    return Told(
        np.where(alone, checks.p_ok, both.p_ok), np.where(alone, checks.accepted, both.accepted)
    )


def _at(told: Told, at: np.ndarray) -> Told:
    return Told(told.p_ok[at], told.accepted[at])


def _listed(there: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in there.items())


def _first(scores: Mapping[int, float]) -> Iterator[tuple[int, dict[int, float]]]:
    """The first ones, half faithful like all: how far more of them would lead."""
    for n in SIZES:
        if n < len(scores):
            yield n, dict(list(scores.items())[:n])


def _scores(given: Given, ok: Bools) -> dict[int, float]:
    """What a local judge thinks of some summaries, half of them faithful.

    Raises
    ------
    SkippedError
        If it told of too few within its time.
    """
    rng, found = np.random.default_rng(0), {}
    drawn = [rng.permutation(np.flatnonzero(ok == kind))[: JUDGED // 2] for kind in (True, False)]
    with local_judge("hallucination", limit_s=JUDGE_S) as verify:
        for i in (int(i) for both in zip(*drawn, strict=True) for i in both):
            score = _score(verify, given, i)
            if score is not None:
                found[i] = score
    if len(found) < FEWEST:
        told = f"a local judge told of {len(found)} summaries in {JUDGE_S:.0f} s"
        raise SkippedError(f"{told}; {FEWEST} are needed")
    return found


def _score(verify: Verify, given: Given, i: int) -> float | None:
    """What a judge thinks of a summary; 0 where it gives no verdict, as who fails closed has it.

    None when time is up.
    """
    found, documents = given
    text = documents[str(found[i]["doc_id"])]
    verdict = verify("Summarise the passage.", found[i]["summary"], passages=[text])
    if verdict is None:
        return None
    return verdict.score if verdict.HasField("score") else 0.0


def _answers(found: Sequence[Line], documents: Mapping[str, str]) -> Answers:
    contexts = {name: context_of([text]) for name, text in documents.items()}
    signals = [
        {s.name: s.value for s in grounded(row["summary"], contexts[str(row["doc_id"])])}
        for row in found
    ]
    ok = np.array([row["label"] == 1 for row in found])
    return Answers(signals, ok, [str(row["doc_id"]) for row in found])
