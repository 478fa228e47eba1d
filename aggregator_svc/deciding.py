"""Decides between answers: reads the ballots, counts them, or finds the medoid."""

import asyncio
import logging
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aggregator_svc.case import Case, Decision
from aggregator_svc.counting import count_of
from aggregator_svc.declining import beside, declining
from aggregator_svc.guess import guessed
from aggregator_svc.medoid import MIN_SIMILARITY, MIN_SIMILARITY_BY_WORDS, Medoid, medoid
from aggregator_svc.together import put_together
from aggregator_svc.voting import (
    TIE,
    Class,
    Count,
    Floats,
    entropy,
    fallen_back,
    margin,
    scaled,
)
from services.core.answers import Answer
from services.core.canonical import NO_CALL, PROSE, Ballot, ballot, prose_ballot
from services.core.closeness import alike
from services.core.deadline import Deadline
from services.core.errors import GremiumError
from services.core.visible import visible_text
from services.models.embeddings import Embedder
from services.models.words import word_vectors
from services.runtime.aside import aside

EMBED_RESERVE_S = 0.1
"""Seconds kept back from the embedding for what comes after it."""

NO_EMBEDDINGS = "no_embeddings"
NO_SCORES = "no_scores"
"""In the trail: prose went by its words because the embedder did not answer, and votes by their
weights because no judge's score came."""

logger = logging.getLogger(__name__)


async def decide(
    case: Case, ballots: tuple[Ballot, ...], embedder: Embedder | None, *, deadline: Deadline
) -> Decision:
    """Count structured answers, find the medoid of prose.

    Without an embedder, or when it fails or has no time left, prose is
    compared by its words, and the method says so. Where judge scores count,
    they scale the weights, and of a class the best scored answer stands for it.
    """
    unscored = case.method == "weighted" and bool(np.isnan(case.scores).all())
    if case.method == "weighted":
        known = np.where(np.isnan(case.scores), case.priors, (1.0 + case.scores) / 2.0)
        case = replace(case, weights=scaled(case.weights, case.scores), priors=known)
    members = [i for i, vote in enumerate(ballots) if vote.key or vote.reason == PROSE]
    if not members:
        return Decision("plurality", ballots, None, reason_text=_no_ballot(ballots))
    declined = declining(case, ballots, members)
    answering = [i for i in members if i not in declined]
    if len(answering) > 1 and _is_prose(case, [ballots[i] for i in answering]):
        nearest = await _nearest(case, ballots, answering, embedder, deadline=deadline)
        found = beside(case, nearest, declined)
    else:
        found = await _counted(case, ballots, members, embedder, deadline=deadline)
    if found.count is None or found.count.leader.p_correct is not None:
        return found
    heard = [i for i in members if case.weights[i] > 0.0] or members
    count = guessed(found.count, case.priors[heard], min_confidence=case.min_confidence)
    if unscored and len(members) > 1:
        count = fallen_back(count, NO_SCORES)
    return replace(found, count=count, reason_text=count.reason_text)


async def ballots_of(case: Case, *, deadline: Deadline) -> tuple[Ballot, ...]:
    """The ballots as the case counts them: numbers within the tolerance share a key.

    Where all together are long, each is read beside the event loop, and others
    have their turn between two.

    Raises
    ------
    DeadlineSpentError
        If the time is over before all are read.
    """
    votes = []
    for a in case.answers:
        deadline.remaining()
        votes.append(await aside(case.size, _ballot, case, a))
        await asyncio.sleep(0)
    if case.output_format.kind == "number":
        votes = alike(votes, relative_tolerance=case.output_format.relative_tolerance)
    return tuple(votes)


def _ballot(case: Case, answer: Answer) -> Ballot:
    vote = ballot(
        answer.text, answer.tool_calls, output_format=case.output_format, tools=case.tools
    )
    is_by_letters = case.method == "plurality" and vote.reason == PROSE
    return prose_ballot(answer.text) if is_by_letters else vote


def _no_ballot(ballots: Sequence[Ballot]) -> str:
    reasons = ", ".join(sorted({vote.reason for vote in ballots}))
    return f"no answer gave a ballot: {reasons}"


def _is_prose(case: Case, votes: Sequence[Ballot]) -> bool:
    if case.method == "medoid":
        return True
    return all(vote.reason == PROSE or vote.key == NO_CALL.key for vote in votes) and (
        case.method in {"auto", "weighted"}
    )


async def _counted(
    case: Case,
    ballots: tuple[Ballot, ...],
    members: Sequence[int],
    embedder: Embedder | None,
    *,
    deadline: Deadline,
) -> Decision:
    votes = [await aside(case.size, _named, ballots[i], case.answers[i]) for i in members]
    rule, counted = await aside(case.size, count_of, case, votes, members)
    spliced = None
    if case.allow_splicing and rule == "fieldwise" and not counted.consensus:
        counted, spliced = await put_together(case, votes, members, counted, deadline=deadline)
        rule = "spliced" if spliced else rule
    count = _mapped(counted, members)
    if count.leader.key == NO_CALL.key and len(count.leader.members) > 1:
        found, by_words = await _medoid(case, count.leader.members, embedder, deadline=deadline)
        count = _represented(count, count.leader.members[found.chosen])
        if by_words and embedder is not None:
            count = fallen_back(count, NO_EMBEDDINGS)
    named = dict(zip(members, votes, strict=True))
    return Decision(
        method=rule if len(members) > 1 else "single",
        ballots=tuple(named.get(i, vote) for i, vote in enumerate(ballots)),
        count=count,
        reason_text=count.reason_text,
        spliced=spliced,
    )


def _named(vote: Ballot, answer: Answer) -> Ballot:
    return vote if vote.key else prose_ballot(answer.text)


def _mapped(count: Count, members: Sequence[int]) -> Count:
    """The same count with indices of answers instead of ballots."""
    classes = tuple(
        replace(
            c,
            members=tuple(members[i] for i in c.members),
            representative=members[c.representative],
        )
        for c in count.classes
    )
    return replace(count, classes=classes, leader=classes[count.classes.index(count.leader)])


def _represented(count: Count, answer: int) -> Count:
    """The same count with another answer standing for its leader."""
    leader = replace(count.leader, representative=answer)
    classes = tuple(leader if c is count.leader else c for c in count.classes)
    return replace(count, classes=classes, leader=leader)


async def _nearest(
    case: Case,
    ballots: tuple[Ballot, ...],
    members: Sequence[int],
    embedder: Embedder | None,
    *,
    deadline: Deadline,
) -> Decision:
    found, by_words = await _medoid(case, members, embedder, deadline=deadline)
    told = await aside(case.size, _by_medoid, case, ballots, members, found, by_words=by_words)
    if told.count is None or not by_words or embedder is None:
        return told
    return replace(told, count=fallen_back(told.count, NO_EMBEDDINGS))


def _by_medoid(
    case: Case,
    ballots: tuple[Ballot, ...],
    members: Sequence[int],
    found: Medoid,
    *,
    by_words: bool,
) -> Decision:
    classes = [_cluster(case, members, cluster, found) for cluster in found.clusters]
    key_of = {i: c.key for c in classes for i in c.members}
    value_of = {c.key: _prose(case, c.representative).value for c in classes}
    needed = case.min_similarity
    if needed is None:
        needed = MIN_SIMILARITY_BY_WORDS if by_words else MIN_SIMILARITY
    chosen = members[found.chosen]
    if case.method == "weighted":
        chosen = _heaviest(classes, chosen)
    count = _clustered(classes, chosen, found, min_similarity=needed)
    by_medoid = "medoid_words" if by_words else "medoid"
    return Decision(
        method="weighted" if case.method == "weighted" else by_medoid,
        ballots=tuple(
            Ballot(key_of[i], value_of[key_of[i]], vote.repairs) if i in key_of else vote
            for i, vote in enumerate(ballots)
        ),
        count=count,
        similarity=_known(found.similarity),
        centroid_distance=_known(found.centroid_distance),
        outliers=tuple(members[i] for i in found.outliers),
        by_meaning=True,
        reason_text=count.reason_text,
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _heaviest(classes: Sequence[Class], chosen: int) -> int:
    """The representative of the heaviest class; of equally heavy ones the chosen answer's."""
    most = max(found.weight for found in classes) - TIE
    heaviest = [found for found in classes if found.weight >= most]
    own = [found for found in heaviest if chosen in found.members]
    return (own or heaviest)[0].representative


def _cluster(case: Case, members: Sequence[int], cluster: Sequence[int], found: Medoid) -> Class:
    indices = tuple(members[i] for i in cluster)
    is_chosen = found.chosen in cluster
    best = found.chosen if is_chosen else max(cluster, key=lambda i: (found.scores[i], -i))
    if case.method == "weighted":
        best = max(cluster, key=lambda i: (case.weights[members[i]], found.scores[i], -i))
    weight, total = float(case.weights[list(indices)].sum()), float(case.weights[members].sum())
    key = _prose(case, members[best]).key
    return Class(key, indices, weight, weight / total if total > 0.0 else 0.0, members[best])


def _prose(case: Case, answer: int) -> Ballot:
    return prose_ballot(_said(case.answers[answer]))


def _clustered(
    classes: Sequence[Class], chosen: int, found: Medoid, *, min_similarity: float
) -> Count:
    leader = next(c for c in classes if c.representative == chosen)
    ranked = tuple(sorted(classes, key=lambda c: (-c.weight, c is not leader, c.key)))
    others = [c.share for c in classes if c is not leader]
    reason_text = _too_far(found.similarity, min_similarity, sum(c.weight for c in classes))
    return Count(
        classes=ranked,
        leader=leader,
        margin=margin([leader.share, *others]),
        entropy=entropy([c.share for c in classes], sum(len(c.members) for c in classes)),
        divergence=found.divergence,
        tie=found.tie,
        tie_rule=found.tie_rule,
        consensus=not reason_text,
        reason_text=reason_text,
    )


def _too_far(similarity: float, min_similarity: float, weight: float) -> str:
    if weight <= 0.0:
        return "the jurors who answered carry no weight"
    if math.isnan(similarity):
        return "the answers cannot be compared"
    if similarity < min_similarity:
        return (
            f"the most central answer has a mean similarity of {similarity:.2f} to the others; "
            f"{min_similarity:.2f} is needed"
        )
    return ""


async def _medoid(
    case: Case, members: Sequence[int], embedder: Embedder | None, *, deadline: Deadline
) -> tuple[Medoid, bool]:
    """The medoid of some answers, and whether it goes by words only."""
    texts = [await aside(case.size, _said, case.answers[i]) for i in members]
    vectors = await _embedded(texts, embedder, deadline=deadline)
    found = await aside(case.size, _central, case, members, texts, vectors)
    return found, vectors is None


def _central(
    case: Case, members: Sequence[int], texts: Sequence[str], vectors: Floats | None
) -> Medoid:
    known: Floats = word_vectors(texts).astype(np.float64) if vectors is None else vectors
    rows = list(members)
    nearby = np.ones(len(rows)) if case.method == "weighted" else case.weights[rows]
    return medoid(texts, known, nearby, case.priors[rows])


def _said(answer: Answer) -> str:
    calls = " ".join(f"{call.name} {call.arguments_json}" for call in answer.tool_calls)
    return f"{visible_text(answer.text)} {calls}".strip()


async def _embedded(
    texts: Sequence[str], embedder: Embedder | None, *, deadline: Deadline
) -> Floats | None:
    """The vectors; None when there is no embedder, or none that answers in time."""
    until = deadline.reserve(EMBED_RESERVE_S)
    if embedder is None:
        return None
    try:
        async with asyncio.timeout(until.remaining()):
            return (await embedder.embed(texts, deadline=until)).astype(np.float64)
    except (GremiumError, TimeoutError) as err:
        logger.warning("prose is compared by its words: %s", err or type(err).__name__)
        return None
