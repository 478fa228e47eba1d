"""The trained router in use, and what it expects of models on one prompt."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from router_svc.forecast import NOTHING, Effect, Forecast, Outlook, Tokens
from services.routing.artefact import Routing
from services.routing.features import Seen
from services.routing.predict import Prediction, predict

MAX_EFFECTS = 6
"""Effects of features that a decision tells of each model."""


class Learned:
    """Holds the trained router that is in use; another takes its place at once, never half."""

    def __init__(self, routing: Routing | None = None, *, models: Iterable[str] = ()) -> None:
        """`models` is the roster."""
        self._models = tuple(models)
        self._current = _known(routing, self._models)

    @property
    def current(self) -> "Known | None":
        """What decides now. Ask once a request: it may be another one later."""
        return self._current

    @property
    def id(self) -> str:
        """Of the one that is in use; empty: none is."""
        return self._current.routing.id if self._current else ""

    def swap(self, routing: Routing | None) -> None:
        """Let another one decide from the next request on; None: nothing was learned."""
        self._current = _known(routing, self._models)


class Known:
    """One trained router, and what of it does not depend on the prompt."""

    def __init__(self, routing: Routing, models: Iterable[str]) -> None:
        self.routing = routing
        self._models = tuple(models)
        self._always = replace(
            NOTHING,
            artefact_id=routing.id,
            correlations=_correlations(routing),
            held_out=_held_out(routing),
        )

    def forecast(
        self, prompt: Seen, vector: NDArray[np.float32] | None, *, note: str = ""
    ) -> Forecast:
        """What it expects; by priors alone without a vector that it can use."""
        if vector is not None and vector.shape != (self.routing.embedding.dim,):
            needed = self.routing.embedding.dim
            note = f"priors only: the prompt's vector has {vector.size} numbers, {needed} are due"
            vector = None
        found = predict(self.routing, replace(prompt, vector=vector), self._models)
        return replace(
            self._always,
            models={each.model: _outlook(each) for each in found.models},
            novel=found.novel and not note,
            domain=found.domain,
            neighbors=found.nearest,
            similarity=found.similarity,
            note=note,
        )


def _known(routing: Routing | None, models: Iterable[str]) -> Known | None:
    return None if routing is None else Known(routing, models)


def _outlook(told: Prediction) -> Outlook:
    tokens = None
    if told.tokens_p50 is not None:
        tokens = Tokens(told.tokens_p50, max(told.tokens_p50, told.tokens_p90 or 0.0))
    return Outlook(
        told.adequacy,
        max(told.high - told.adequacy, told.adequacy - told.low),
        told.n_labels,
        told.calibrated and not told.cold,
        told.cold,
        tokens,
        tuple(Effect(name, logits) for name, logits in told.contributions[:MAX_EFFECTS]),
    )


def _correlations(routing: Routing) -> dict[tuple[str, str], float]:
    if routing.held_out is None:
        return {}
    table = routing.held_out.correlation
    return {
        (one, other): float(table[i, j])
        for i, one in enumerate(routing.names)
        for j, other in enumerate(routing.names)
    }


def _held_out(routing: Routing) -> dict[str, NDArray[np.float64]]:
    if routing.held_out is None:
        return {}
    columns = routing.held_out.adequacy.astype(np.float64).T
    return dict(zip(routing.names, columns, strict=True))
