"""Votes and requests for the tests of a report."""

import numpy as np

from services.report.ballots import Ballots
from services.report.rows import Request, Vote

USD = 0.01


def vote(
    said, *, right=None, given=None, lost=(), usd=None, prose=False, plain=True, divergence=0.0
):
    """`said` is the class by juror; the first one's wins unless `given` says otherwise."""
    keys = dict(said)
    return Vote(
        tier="",
        keys=keys,
        lost=frozenset(lost),
        given=next(iter(keys.values()), "") if given is None else given,
        divergence=divergence,
        usd=usd or dict.fromkeys((*keys, *lost), USD),
        right=right,
        prose=prose,
        plain=plain,
    )


def ballots(rows, right=None, *, jurors="abc", given=None, usd=None):
    """Ballots by letter, such as `["xxy", "xyy"]`; `-`: not heard. `right` likewise, 1 for right."""
    votes = []
    for i, row in enumerate(rows):
        said = {juror: key for juror, key in zip(jurors, row, strict=True) if key != "-"}
        told = (
            None if right is None else {j: m == "1" for j, m in zip(jurors, right[i], strict=True)}
        )
        won = max(sorted(set(said.values())), key=list(said.values()).count)
        votes.append(vote(said, right=told, given=won if given is None else given[i], usd=usd))
    return Ballots(tuple(jurors), tuple(votes))


def request(number=0, **changed):
    """A request that one tier answered."""
    told = {
        "request_id": f"r-{number}",
        "ensemble": "thrifty",
        "pattern": "route",
        "outcome": "ANSWERED",
        "degraded": False,
        "unjudged": False,
        "usd": USD,
        "duration_s": 1.0,
        "start_s": 1_000_000.0 + number,
        "tiers": ("large",),
        "tier_usd": {"large": USD},
        "in_vain_usd": 0.0,
        "adequacy": {},
        "good": None,
        "votes": (),
        "audits": (),
    }
    return Request(**{**told, **changed})


def rng(seed=0):
    return np.random.default_rng(seed)
