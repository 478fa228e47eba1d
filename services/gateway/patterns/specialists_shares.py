"""What money a step gets of what is left. No I/O."""

import math

from services.core.lease import Lease
from services.gateway.patterns.specialists_needs import Need


def share(lease: Lease, own: Need, others: list[Need]) -> Lease:
    """What a step may spend when these others are still to start.

    Each limit is split by expected use; money like calls where no price is
    known. Of money and tokens a step on the critical path gets twice as much
    as one beside it: what it lacks, everybody waits for. Calls are whole: a
    step gets as many as it is expected to make, if there are so many.

    Examples
    --------
    >>> model, search = Need(1.0, 1, 3.0), Need(1.0, 0, 0.0)
    >>> share(Lease(cost_usd=0.9), Need(1.0, 1, 3.0, critical=True), [model]).cost_usd
    0.6
    >>> share(Lease(cost_usd=1.0, model_calls=4, tokens=900), model, [model, model, search])
    Lease(cost_usd=0.3333333333333333, model_calls=1, tokens=300)
    >>> share(Lease(model_calls=1), search, [model])
    Lease(cost_usd=None, model_calls=0, tokens=None)
    """
    calls = _part(own.calls, [need.calls for need in others])
    used = _part(own.calls * _weight(own), [need.calls * _weight(need) for need in others])
    prices = [need.usd * _weight(need) for need in others]
    usd = _part(own.usd * _weight(own), prices) if own.usd or any(prices) else used
    whole = 0 if lease.model_calls is None else math.floor(lease.model_calls * calls + 1e-9)
    return Lease(
        None if lease.cost_usd is None else lease.cost_usd * usd,
        None if lease.model_calls is None else min(lease.model_calls, max(whole, own.calls)),
        None if lease.tokens is None else math.floor(lease.tokens * used + 1e-9),
    )


def _weight(need: Need) -> float:
    return 1.0 + need.critical


def _part(own: float, others: list[float]) -> float:
    total = own + sum(others)
    return own / total if total else 0.0
