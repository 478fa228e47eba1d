"""Read a prompt: what it demands, how hard it looks, its domain, and what to expect of models."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router_svc.complexity import Complexity, complexity_of
from router_svc.demand import Demand, demand_of
from router_svc.domain import NO_MATCH, Match, nearest_domain
from router_svc.explain import Reading
from router_svc.forecast import NOTHING, Forecast
from router_svc.learned import Known, Learned
from router_svc.recording import NOT_RECORDED, Recorder
from services.core.deadline import Deadline
from services.core.errors import GremiumError
from services.core.prompts import Prompt
from services.models.embeddings import Embedder
from services.routing.features import Seen, excerpt, seen
from services.runtime.aside import aside

logger = logging.getLogger(__name__)

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Examples:
    """The example prompts of all domains, embedded."""

    domains: tuple[str, ...]
    """Domain of each example."""
    vectors: NDArray[np.float32]
    """Shape (n, d)."""


class Reader:
    """Reads prompts by rules and, for the domain, by an embedder that may fail."""

    def __init__(
        self,
        embedder: Embedder | None = None,
        examples: Examples | None = None,
        *,
        learned: Learned | None = None,
        recorder: Recorder = NOT_RECORDED,
        looks_for_domains: bool = True,
        min_similarity: float = 0.0,
        timeout_s: float = 0.0,
    ) -> None:
        """Without an embedder it looks for no domains, and what was learned has priors only."""
        self._embedder = embedder
        self._examples = examples
        self._learned = learned or Learned()
        self._recorder = recorder
        self._looks_for_domains = looks_for_domains
        self._min_similarity = min_similarity
        self._timeout_s = timeout_s

    async def read(self, prompt: Prompt, *, deadline: Deadline) -> Reading:
        """Read a prompt; without what needs its embedding if the embedder fails or is late."""
        known = self._learned.current
        looks = await aside(len(prompt.text), _looks, prompt, self._recorder)
        vector, why_not = await self._vector(prompt.question, deadline, known)
        match, note = self._domain(vector, why_not)
        return Reading(
            looks.demand,
            looks.complexity,
            match,
            note,
            _forecast(known, looks.seen, vector, why_not),
            self._recorder.recorded(looks.seen, looks.key, vector),
        )

    async def _vector(
        self, question: str, deadline: Deadline, known: Known | None
    ) -> tuple[Vector | None, str]:
        """The embedding, or why there is none; neither where nobody needs it."""
        if self._embedder is None or not question.strip():
            return None, ""
        for_domain = self._looks_for_domains and self._examples
        if known is None and not for_domain and not self._recorder.keeps_vectors:
            return None, ""
        until = deadline.within(min(self._timeout_s, deadline.left_s / 2))
        try:
            vectors = await self._embedder.embed([excerpt(question)], deadline=until)
        except TimeoutError:
            return None, "the embedder was out of time"
        except GremiumError as err:
            logger.warning("cannot embed a prompt: %s", err)
            return None, f"the embedder failed ({err.reason})"
        return vectors[0], ""

    def _domain(self, vector: Vector | None, why_not: str) -> tuple[Match, str]:
        if self._embedder is None or not self._looks_for_domains:
            return NO_MATCH, ""
        if self._examples is None:
            return NO_MATCH, "no domain: its examples could not be embedded at start"
        if vector is None:
            return NO_MATCH, f"no domain: {why_not}" if why_not else ""
        return self._nearest(vector, self._examples)

    def _nearest(self, vector: Vector, known: Examples) -> tuple[Match, str]:
        try:
            match = nearest_domain(
                vector, known.vectors, known.domains, min_similarity=self._min_similarity
            )
        except ValueError as err:
            logger.warning("cannot use the embedding of a prompt: %s", err)
            return NO_MATCH, "no domain: the embedder gave no usable vector"
        return match, ""


def _forecast(known: Known | None, prompt: Seen, vector: Vector | None, why_not: str) -> Forecast:
    if known is None:
        return NOTHING
    note = "" if vector is not None else f"priors only: {why_not or 'there is nothing to embed'}"
    return known.forecast(prompt, vector, note=note)


@dataclass(frozen=True, slots=True)
class _Looks:
    """What a prompt looks like, whatever it means."""

    complexity: Complexity
    demand: Demand
    seen: Seen
    key: str
    """Digest of its question; empty: not recorded."""


def _looks(prompt: Prompt, recorder: Recorder) -> _Looks:
    complexity = complexity_of(prompt)
    demand = demand_of(prompt, complexity=complexity.score)
    return _Looks(complexity, demand, seen(prompt, None), recorder.key(prompt.question))


async def embed_examples(
    embedder: Embedder, examples: Sequence[tuple[str, str]], *, deadline: Deadline
) -> Examples | None:
    """Embed pairs of domain and example; None if the embedder cannot."""
    try:
        vectors = await embedder.embed([text for _, text in examples], deadline=deadline)
    except (GremiumError, TimeoutError) as err:
        logger.warning("prompts get no domain until a restart: cannot embed the examples: %r", err)
        return None
    return Examples(tuple(domain for domain, _ in examples), vectors)
