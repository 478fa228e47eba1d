"""What the aggregator makes of a pool: fitted on training folds, counted on the others."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aggregator_svc.log_odds import log_odds, prior_weights
from aggregator_svc.logit import Fitted, fitted_vote
from aggregator_svc.voting import Count, plurality
from bench.decisions.pools import Pool
from services.calibration.artefact import PoolFit
from services.calibration.fit_pool import fit_pool
from services.calibration.votes import Bools, Floats, Ints, Votes, folds

PARTS, SEED = 5, 0


@dataclass(frozen=True)
class Counted:
    """Results on prompts that the fit had not seen. All have shape (n,)."""

    right: Bools
    """Whether the answer that was chosen is right."""
    accepted: Bools
    """Whether any answer of the chosen class is right."""
    sure: Floats
    """P(correct) as the tally tells it; 0 without any ballot."""
    open_right: Bools
    """The same as `right`, had no gate been there."""
    best: Bools
    """Whether the juror that was best on the training folds is right; where it was not heard, the
    next best."""
    plain: Bools
    """Whether plurality is right, ties by the training folds' priors."""
    closed: Sequence[bool]
    """Whether the gate was closed, by fold."""
    is_sure: bool
    """Whether there were labels enough to learn P(correct) from."""


def counted(pool: Pool, *, labels: int | None = None) -> Counted:
    """Five folds by prompt; `labels` takes that many of each training part at most."""
    n = len(pool.votes.keys)
    part, rng = folds(n, parts=PARTS, seed=SEED), np.random.default_rng(SEED)
    right, accepted, open_right, best, plain = (np.zeros(n, dtype=bool) for _ in range(5))
    sure, closed, is_sure = np.zeros(n), [], True
    for held in range(PARTS):
        seen = part != held
        if labels is not None:
            seen = np.isin(np.arange(n), rng.permutation(np.flatnonzero(seen))[:labels])
        known = pool.votes.only(seen)
        fit = fit_pool(known, seed=SEED)
        best[part == held] = alone(pool.votes, known.best, known.priors)[part == held]
        closed.append(fit.gate.closed)
        is_sure &= fit.rule != "log_odds"
        for i in np.flatnonzero(part == held):
            plain[i] = _is_right(pool, i, _plain(pool, i, np.array(fit.priors)))
            open_right[i] = _is_right(pool, i, _by_fit(pool, i, fit, gated=False))
            found = _by_fit(pool, i, fit, gated=True)
            right[i] = _is_right(pool, i, found)
            accepted[i] = _is_accepted(pool, i, found)
            sure[i] = 0.0 if found is None else found.leader.p_correct or 0.0
    return Counted(right, accepted, sure, open_right, best, plain, closed, is_sure)


def alone(votes: Votes, best: int, priors: Floats | None = None) -> Bools:
    """Whether one juror is right; where it was not heard, the next by its prior."""
    by_prior = np.argsort(-(votes.priors if priors is None else priors), kind="stable")
    order = np.array([best, *(j for j in by_prior if j != best)])
    first = order[votes.heard[:, order].argmax(axis=1)]
    found: Bools = votes.right[np.arange(len(first)), first]
    return found


def chosen(pool: Pool, prompts: Ints, fit: PoolFit) -> tuple[Floats, Bools]:
    """P(correct) of the answers that a fit chooses, and whether they are right."""
    found = [_by_fit(pool, int(i), fit, gated=True) for i in prompts]
    sure = [0.0 if each is None else each.leader.p_correct or 0.0 for each in found]
    right = [_is_right(pool, int(i), each) for i, each in zip(prompts, found, strict=True)]
    return np.array(sure), np.array(right)


def _given(pool: Pool, i: int) -> list[int]:
    return [j for j, key in enumerate(pool.votes.keys[i]) if key]


def _is_right(pool: Pool, i: int, count: Count | None) -> bool:
    if count is None:
        return False
    return bool(pool.votes.right[i, _given(pool, i)[count.leader.representative]])


def _is_accepted(pool: Pool, i: int, count: Count | None) -> bool:
    given = _given(pool, i)
    return count is not None and any(pool.votes.right[i, given[m]] for m in count.leader.members)


def _by_priors(pool: Pool, i: int, priors: Floats, *, gated: bool) -> Count | None:
    given = _given(pool, i)
    weights = prior_weights(priors, given)[0] if gated else log_odds(priors)
    return _weighed(pool, i, priors, weights)


def _plain(pool: Pool, i: int, priors: Floats) -> Count | None:
    return _weighed(pool, i, priors, np.ones(priors.size))


def _weighed(pool: Pool, i: int, priors: Floats, weights: Floats) -> Count | None:
    given = _given(pool, i)
    if not given:
        return None
    keys = [pool.votes.keys[i][j] for j in given]
    mended = [pool.ballots[i][j].mended for j in given]
    return plurality(keys, weights[given], priors[given], mended, min_share=0.0)


def _by_fit(pool: Pool, i: int, fit: PoolFit, *, gated: bool) -> Count | None:
    given = _given(pool, i)
    if not given:
        return None
    if fit.rule == "log_odds":
        return _by_priors(pool, i, np.array(fit.priors), gated=gated)
    priors = np.array(fit.priors)[given]
    keys = [pool.votes.keys[i][j] for j in given]
    mended = [pool.ballots[i][j].mended for j in given]
    forms = [pool.forms[i][j] for j in given]
    weights = np.array(fit.weights)[given]
    known = _known(pool, fit, given, gated=gated)
    return fitted_vote(keys, weights, priors, mended, known, forms=forms, min_share=0.0)


def _known(pool: Pool, fit: PoolFit, given: Sequence[int], *, gated: bool) -> Fitted:
    best = fit.jurors.index(fit.gate.best)
    stands = gated and fit.gate.closed and best in given
    return Fitted(
        none_score=fit.none_score,
        abstain_score=fit.abstain,
        abstain_key=pool.votes.abstain_key,
        alone=np.array(fit.alone)[list(given)],
        abstaining=np.array(fit.abstaining)[list(given)],
        best=given.index(best) if stands else None,
        slope=fit.confidence.slope,
        offset=fit.confidence.offset,
        covariance=fit.confidence.covariance,
    )


def paired(ours: Bools, theirs: Bools, *, seed: int = SEED) -> tuple[float, float]:
    """90 % interval of the difference in accuracy, in points, by 2,000 paired bootstraps."""
    rng, n = np.random.default_rng(seed), ours.size
    gaps = ours.astype(float) - theirs.astype(float)
    drawn = [float(gaps[rng.integers(n, size=n)].mean()) for _ in range(2000)]
    low, high = np.quantile(drawn, [0.05, 0.95])
    return 100 * float(low), 100 * float(high)


def by_log_odds(pool: Pool) -> tuple[Bools, Floats]:
    """Whether the vote by log-odds of the training folds' priors is right, and its leader's share."""
    return _by_training(pool, lambda i, priors: _by_priors(pool, i, priors, gated=False))


def by_plurality(pool: Pool) -> tuple[Bools, Floats]:
    """Whether plurality is right, ties by the training folds' priors, and its leader's share."""
    return _by_training(pool, lambda i, priors: _plain(pool, i, priors))


def _by_training(pool: Pool, vote: Callable[[int, Floats], Count | None]) -> tuple[Bools, Floats]:
    n = len(pool.votes.keys)
    part, right, share = folds(n, parts=PARTS, seed=SEED), np.zeros(n, dtype=bool), np.zeros(n)
    for held in range(PARTS):
        priors = pool.votes.only(part != held).priors
        for i in np.flatnonzero(part == held):
            count = vote(int(i), priors)
            right[i] = _is_right(pool, i, count)
            share[i] = 0.0 if count is None else count.leader.share
    return right, share


def percent(right: Bools) -> float:
    return 100 * float(right.mean())


def learning_curve(pool: Pool, sizes: Sequence[int]) -> Iterator[tuple[int, Counted]]:
    """Results by the number of labels that the fit may see."""
    for size in sizes:
        yield size, counted(pool, labels=size)
