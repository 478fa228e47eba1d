"""How true predicted adequacies are, as a row of the table."""

from collections.abc import Sequence

import numpy as np

from bench.decisions import Row
from bench.routing.telling import ECE_REACH
from services.calibration.measures import ece, ece_of_the_perfect
from services.routing.features import Floats

DRAWS = 200


def calibration_row(name: str, told: Sequence[Floats], labels: Sequence[Floats]) -> Row:
    """Mean over splits and models, beside what chance alone gives a true predictor.

    Parameters
    ----------
    told, labels : sequence of ndarray of float64, shape (n, m)
        Of each split's test prompts; labels are NaN where a model was not judged.
    """
    every = [pair for p, y in zip(told, labels, strict=True) for pair in zip(p.T, y.T, strict=True)]
    known = [(p[~np.isnan(y)], y[~np.isnan(y)]) for p, y in every]
    pairs = [(p, y) for p, y in known if y.size]
    errors = np.array([ece(p, y) for p, y in pairs])
    perfect = np.array([ece_of_the_perfect(p, seed=0, draws=DRAWS) for p, _ in pairs])
    allowed = np.maximum(ECE_REACH, perfect)
    return Row(
        f"{name}: ECE of predicted adequacy",
        float(errors.mean()),
        float(perfect.mean()),
        float(allowed.mean()),
        bool(errors.mean() <= allowed.mean()),
        f"baseline: 95 % quantile of a perfect predictor; {(errors <= allowed).mean():.0%} of the"
        f" splits and models keep their own; worst {errors.max():.3f}",
    )
