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
from services.core.deadline import Deadline
from services.core.errors import GremiumError
from services.core.prompts import Prompt
from services.models.embeddings import Embedder
from services.routing.features import Seen
from services.runtime.aside import aside

logger = logging.getLogger(__name__)

Vector = NDArray[np.float32]

MAX_EMBEDDED_CHARS = 2_000
"""The embedder reads a few hundred tokens; the end of a long prompt says what is asked."""


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
        looks_for_domains: bool = True,
        min_similarity: float = 0.0,
        timeout_s: float = 0.0,
    ) -> None:
        """Without an embedder it looks for no domains, and what was learned has priors only."""
        self._embedder = embedder
        self._examples = examples
        self._learned = learned or Learned()
        self._looks_for_domains = looks_for_domains
        self._min_similarity = min_similarity
        self._timeout_s = timeout_s

    async def read(self, prompt: Prompt, *, deadline: Deadline) -> Reading:
        """Read a prompt; without what needs its embedding if the embedder fails or is late."""
        known = self._learned.current
        complexity, demand, seen = await aside(len(prompt.text), _seen, prompt, known)
        vector, why_not = await self._vector(prompt.question, deadline, known)
        match, note = self._domain(vector, why_not)
        return Reading(demand, complexity, match, note, _forecast(known, seen, vector, why_not))

    async def _vector(
        self, question: str, deadline: Deadline, known: Known | None
    ) -> tuple[Vector | None, str]:
        """The embedding, or why there is none; neither where nobody needs it."""
        if self._embedder is None or not question.strip():
            return None, ""
        if known is None and not (self._looks_for_domains and self._examples):
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


def _forecast(
    known: Known | None, seen: Seen | None, vector: Vector | None, why_not: str
) -> Forecast:
    if known is None or seen is None:
        return NOTHING
    note = "" if vector is not None else f"priors only: {why_not or 'there is nothing to embed'}"
    return known.forecast(seen, vector, note=note)


def _seen(prompt: Prompt, known: Known | None) -> tuple[Complexity, Demand, Seen | None]:
    complexity = complexity_of(prompt)
    demand = demand_of(prompt, complexity=complexity.score)
    return complexity, demand, known.seen(prompt) if known else None


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


def excerpt(question: str) -> str:
    """Beginning and end of a question that is too long to embed."""
    if len(question) <= MAX_EMBEDDED_CHARS:
        return question
    half = MAX_EMBEDDED_CHARS // 2
    return f"{question[:half]}\n{question[-half:]}"
