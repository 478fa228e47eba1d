"""Of a pool that misses its target: other methods, the learning curve, the way to the oracle."""

from collections.abc import Iterator

from bench.decisions.counted import PARTS, Counted, by_log_odds, learning_curve, percent
from bench.decisions.pools import Pool

LABELS = (50, 100, 200, 400)


def shortfall(pool: Pool, found: Counted) -> str:
    """What was tried, in one line."""
    methods = {
        "log-odds": percent(by_log_odds(pool)),
        "logit without gate": percent(found.open_right),
        "best juror": percent(found.best),
        "plurality": percent(found.plain),
    }
    tried = ", ".join(f"{name} {value:.1f}" for name, value in methods.items())
    curve = ", ".join(f"{size}: {value:.1f}" for size, value in _curve(pool))
    oracle = percent(pool.votes.right.any(axis=1))
    return (
        f"tried: {tried}; the logit by labels {curve}; oracle {oracle:.1f}, "
        f"{oracle - percent(found.right):.1f} away"
    )


def _curve(pool: Pool) -> Iterator[tuple[int, float]]:
    most = len(pool.votes.keys) * (PARTS - 1) // PARTS
    return learning_curve(pool, [size for size in LABELS if size < most])
