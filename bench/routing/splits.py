"""What several splits of one recording come to together."""

from collections.abc import Sequence

import numpy as np

from services.routing.evaluate import paired_bootstrap
from services.routing.features import Floats
from services.routing.heads import Ints


def percent(found: Sequence[Floats]) -> float:
    """Mean of the means of several splits, in points."""
    return 100.0 * float(np.mean([each.mean() for each in found]))


def interval(tests: Sequence[Ints], gains: Sequence[Floats]) -> tuple[float, float]:
    """Of a gain, in points: means of each prompt over the splits that test it, drawn anew."""
    prompts, at = np.unique(np.concatenate(tests), return_inverse=True)
    mean = np.bincount(at, weights=np.concatenate(gains)) / np.bincount(at)
    low, high = paired_bootstrap(lambda drawn: float(mean[drawn].mean()), len(prompts))
    return 100.0 * low, 100.0 * high
