"""What the configuration says of when a jury stops by what its ballots say."""

from typing import Literal

from pydantic import Field

from services.config.section import Fraction, Section


class Stop(Section):
    """When a jury stops before everybody is in; never below the quorum.

    Free text has no ballots: then, and where judge scores, embeddings or fields
    decide (`aggregate.method` `weighted`, `semantic_mean` or `fieldwise`), or `log_odds` weighs
    all of them together, only quorum and grace count. With ballots the end of the grace cuts off only jurors who could not change the
    winner; others are waited for while there is time.
    """

    rule: Literal["uncatchable", "beta", "agree", "posterior", "quorum"] = "uncatchable"
    """`uncatchable`: when nobody who is out can change the winner, as sure as waiting for all;
    `beta`: when the leader is the more usual answer of the two leading ones, for several samples of
    one model; `agree`: when `k` jurors agree with the leader; `posterior`: when the leader is right
    with `tau` by the calibration, for want of one as `uncatchable`; `quorum`: by quorum and grace
    alone."""
    gamma: float = Field(default=0.95, ge=0.5, lt=1.0)
    """For `beta`: probability that it takes."""
    k: int = Field(default=3, ge=1, le=64)
    """For `agree`: how many it takes."""
    tau: Fraction = 0.95
    """For `posterior`: P(correct) that it takes."""
