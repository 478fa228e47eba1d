"""Read a prompt: what it demands, how hard it looks, which domain it is of."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router_svc.complexity import Complexity, complexity_of
from router_svc.demand import Demand, demand_of
from router_svc.domain import NO_MATCH, Match, nearest_domain
from router_svc.explain import Reading
from services.core.deadline import Deadline
from services.core.errors import GremiumError
from services.core.prompts import Prompt
from services.models.embeddings import Embedder
from services.runtime.aside import aside

logger = logging.getLogger(__name__)

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
        min_similarity: float = 0.0,
        timeout_s: float = 0.0,
    ) -> None:
        """Without an embedder it looks for no domains."""
        self._embedder = embedder
        self._examples = examples
        self._min_similarity = min_similarity
        self._timeout_s = timeout_s

    async def read(self, prompt: Prompt, *, deadline: Deadline) -> Reading:
        """Read a prompt; without its domain if the embedder fails or is out of time."""
        complexity, demand = await aside(len(prompt.text), _seen, prompt)
        match, note = await self._domain(prompt.question, deadline)
        return Reading(demand, complexity, match, note)

    async def _domain(self, question: str, deadline: Deadline) -> tuple[Match, str]:
        if self._embedder is None or not question.strip():
            return NO_MATCH, ""
        if self._examples is None:
            return NO_MATCH, "no domain: its examples could not be embedded at start"
        until = deadline.within(min(self._timeout_s, deadline.left_s / 2))
        try:
            vectors = await self._embedder.embed([excerpt(question)], deadline=until)
        except TimeoutError:
            return NO_MATCH, "no domain: the embedder was out of time"
        except GremiumError as err:
            logger.warning("cannot embed a prompt: %s", err)
            return NO_MATCH, f"no domain: the embedder failed ({err.reason})"
        return self._nearest(vectors, self._examples)

    def _nearest(self, vectors: NDArray[np.float32], known: Examples) -> tuple[Match, str]:
        try:
            match = nearest_domain(
                vectors[0], known.vectors, known.domains, min_similarity=self._min_similarity
            )
        except ValueError as err:
            logger.warning("cannot use the embedding of a prompt: %s", err)
            return NO_MATCH, "no domain: the embedder gave no usable vector"
        return match, ""


def _seen(prompt: Prompt) -> tuple[Complexity, Demand]:
    complexity = complexity_of(prompt)
    return complexity, demand_of(prompt, complexity=complexity.score)


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
