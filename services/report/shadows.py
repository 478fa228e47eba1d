"""What a report needs of each request that a cheaper tier was asked, too."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shadow:
    """A request that a dear tier answered, asked of a cheaper one after the reply."""

    request_id: str
    ensemble: str
    used: str
    """Tier whose answer was given."""
    cheaper: str
    propensity: float
    """Probability with which it was drawn, in (0, 1]."""
    enough: bool | None
    """Whether the cheaper answer would have done as well; None: it is not known."""
    method: str
    """`ballots` or `judge`; empty: nothing compared them."""
    used_usd: float
    cheaper_usd: float
    spent_usd: float
    """What shadowing cost, the comparison included."""
    start_s: float
    tokens: int = 0
    """Input tokens of the prompt, as the cheaper tier counts them; 0: unknown."""
