"""What a trained router expects of models on one prompt, as the policy sees it. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Z_90: Final = 1.2815515655446004
"""Standard normal quantile of .9."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Length of an answer, reasoning included."""

    p50: float
    """Median, >= 0."""
    p90: float
    """Nine of ten answers keep below, >= `p50`."""

    @property
    def mean(self) -> float:
        """Expected length, by a log-normal law through both quantiles.

        Examples
        --------
        >>> Tokens(100.0, 100.0).mean
        100.0
        >>> round(Tokens(100.0, 300.0).mean)
        144
        """
        if self.p50 <= 0.0:
            return 0.0
        sigma = math.log(max(1.0, self.p90 / self.p50)) / Z_90
        return self.p50 * math.exp(0.5 * sigma * sigma)


@dataclass(frozen=True, slots=True)
class Effect:
    """What one feature did to a prediction."""

    feature: str
    logits: float
    """Log-odds that it added."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of one model's answer."""

    adequacy: float
    """In [0, 1]."""
    spread: float
    """Standard error of it, >= 0."""
    n_labels: int
    calibrated: bool = True
    cold: bool = False
    """Whether too little was learned of it, so that this is a prior."""
    tokens: Tokens | None = None
    """None: not learned."""
    effects: tuple[Effect, ...] = ()
    """Largest first."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a trained router makes of a prompt."""

    artefact_id: str = ""
    """Empty: nothing was learned."""
    models: Mapping[str, Outlook] = field(default_factory=dict)
    """By roster name; a model that it knows nothing of is missing."""
    correlations: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Of the mistakes of two models, both ways."""
    held_out: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """By model: adequacy as predicted for training prompts by fits that had not seen them."""
    novel: bool = False
    """Whether the prompt is unlike everything it learned from."""
    domain: str = ""
    """Of the training prompts that this one is most like; empty: unknown."""
    neighbors: tuple[str, ...] = ()
    """Ids of the training prompts that are most like it, nearest first."""
    similarity: float | None = None
    """Cosine to the nearest one, in [-1, 1]; None: not known."""
    note: str = ""
    """Why it was not used, or only in part."""

    @property
    def is_learned(self) -> bool:
        """Whether anything that was learned stands behind it."""
        return any(outlook.n_labels for outlook in self.models.values())


NOTHING: Final = Forecast()
