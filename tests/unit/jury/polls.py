"""Ballots of a jury of which some are in, and what the aggregator makes of them."""

import math

import numpy as np
from hypothesis import strategies as st

from aggregator_svc.logit import Fitted, fitted_vote
from aggregator_svc.voting import plurality
from jury_svc.leads import Fit, Poll, Vote, Voter

NO_BALLOT = ""
KEYS = st.sampled_from(["a", "b", "c", NO_BALLOT])
WEIGHTS = st.sampled_from([0.0, 0.1, 0.2, 0.3, 1.0, 2.0, 1e6]) | st.floats(0.0, 5.0)
PRIORS = st.sampled_from([-1.0, 0.3, 0.5, 0.5 + 1e-10, 0.9])
SHARES = st.sampled_from([0.0, 1 / 3, 0.4, 0.5, 0.6, 1.0])
GAINS = st.sampled_from([0.0, -1.5, -0.1, 0.2, 1.0])


def voters(*weights, priors=()):
    given_priors = priors or [-1.0] * len(weights)
    return tuple(
        Voter(f"j{i}", weight, prior)
        for i, (weight, prior) in enumerate(zip(weights, given_priors, strict=True))
    )


def poll(keys, jury, fit=None):
    """The first jurors' ballots are in; the others' are not."""
    cast = zip(jury, keys, strict=False)
    votes = tuple(Vote(voter, key) for voter, key in cast if key != NO_BALLOT)
    return Poll(votes, jury[len(keys) :], fit)


def equal(keys, n):
    return poll(keys, voters(*[1.0] * n))


@st.composite
def juries(draw):
    """A jury, its ballots in order of arrival, and how many of them are in."""
    keys = draw(st.lists(KEYS, min_size=1, max_size=7))
    jury = tuple(
        Voter(f"j{i}", draw(WEIGHTS), draw(PRIORS), draw(GAINS), draw(GAINS))
        for i in range(len(keys))
    )
    return keys, jury, draw(st.integers(1, len(keys)))


def counted(keys, jury, *, min_share=0.0):
    cast = [(voter, key) for voter, key in zip(jury, keys, strict=False) if key != NO_BALLOT]
    priors = [math.nan if voter.prior < 0.0 else voter.prior for voter, _ in cast]
    weights = np.array([voter.weight for voter, _ in cast])
    named = [key for _, key in cast]
    return plurality(named, weights, np.array(priors), [0] * len(cast), min_share=min_share)


def fitted_count(keys, jury, fit, **needed):
    cast = [(voter, key) for voter, key in zip(jury, keys, strict=False) if key != NO_BALLOT]
    names = [voter.name for voter, _ in cast]
    return fitted_vote(
        [key for _, key in cast],
        np.array([voter.weight for voter, _ in cast]),
        np.array([math.nan if voter.prior < 0.0 else voter.prior for voter, _ in cast]),
        [0] * len(cast),
        Fitted(
            none_score=fit.none_score,
            abstain_score=fit.abstain_score,
            abstain_key=fit.abstain_key,
            alone=np.array([voter.alone for voter, _ in cast]),
            abstaining=np.array([voter.abstaining for voter, _ in cast]),
            best=names.index(fit.best) if fit.best in names else None,
            slope=fit.slope,
            offset=fit.offset,
            covariance=(0.0, 0.0, 0.0),
        ),
        **{"min_share": 0.0, **needed},
    )


FITS = st.builds(
    Fit,
    none_score=st.sampled_from([-1.0, 0.0, 2.0]),
    abstain_score=st.sampled_from([-1.0, 0.0, 0.7]),
    abstain_key=st.sampled_from(["", "c"]),
    best=st.sampled_from(["", "", "j0", "j2"]),
    slope=st.sampled_from([0.5, 1.0, 1.5]),
    offset=st.sampled_from([-0.5, 0.0, 0.5]),
)


NEEDS = st.fixed_dictionaries(
    {"min_share": SHARES, "min_confidence": st.sampled_from([0.0, 0.2, 0.5, 0.8, 0.98])}
)
