"""Of a pool that misses its target: other methods, the learning curve, the way to the oracle."""

from collections.abc import Iterator

from bench.decisions.counted import (
    PARTS,
    Counted,
    by_log_odds,
    by_plurality,
    learning_curve,
    percent,
)
from bench.decisions.pools import Pool
from services.calibration.measures import auroc

LABELS = (50, 100, 200, 400)


def shortfall(pool: Pool, found: Counted) -> str:
    """What was tried for the accuracy, in one line."""
    methods = {
        "log-odds": percent(by_log_odds(pool)[0]),
        "logit without gate": percent(found.open_right),
        "best juror": percent(found.best),
        "plurality": percent(found.plain),
    }
    tried = ", ".join(f"{name} {value:.1f}" for name, value in methods.items())
    curve = ", ".join(f"{size}: {percent(by.open_right):.1f}" for size, by in _curve(pool))
    oracle = percent(pool.votes.right.any(axis=1))
    return (
        f"tried: {tried}; the logit by labels {curve}; oracle {oracle:.1f}, "
        f"{oracle - percent(found.right):.1f} away"
    )


def area_shortfall(pool: Pool, found: Counted) -> str:
    """What was tried to tell right answers from wrong ones, in one line."""
    shares = {"log-odds": by_log_odds(pool), "plurality": by_plurality(pool)}
    tried = ", ".join(
        f"share by {name} {auroc(share, right) or 0.0:.3f}"
        for name, (right, share) in shares.items()
    )
    curve = ", ".join(f"{size}: {auroc(by.sure, by.right) or 0.0:.3f}" for size, by in _curve(pool))
    away = 1.0 - (auroc(found.sure, found.right) or 0.0)
    return f"tried beside the logit: {tried}; by labels {curve}; oracle 1, {away:.3f} away"


def _curve(pool: Pool) -> Iterator[tuple[int, Counted]]:
    most = len(pool.votes.keys) * (PARTS - 1) // PARTS
    return learning_curve(pool, [size for size in LABELS if size < most])
