"""Pairs of jurors that hardly count as two, of recorded requests. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from services.report.ballots import Ballots, ballots_of
from services.report.likeness import ALIKE, Errors
from services.report.rows import Request, Vote
from services.report.summary import pair_figures
from services.report.wording import number, percent


@dataclass(frozen=True, slots=True)
class Together:
    """Two jurors of one tier whose errors move together."""

    ensemble: str
    tier: str
    """Empty in the pattern `jury`."""
    first: str
    second: str
    errors: Errors

    @property
    def text(self) -> str:
        """What was seen, as one sentence."""
        return f"{self.first} and {self.second} hardly count as two: {seen(self.errors)}"


def seen(errors: Errors) -> str:
    """In what their errors are alike."""
    correlation = errors.correlation
    if correlation.low is not None and correlation.low > ALIKE:
        return f"their errors correlate with {number(correlation)} in {correlation.n} requests"
    share = percent(errors.same_mistake)
    return f"of their common mistakes {share} beyond chance are the same one"


def together(requests: Sequence[Request]) -> Iterator[Together]:
    """Every such pair, of requests of which it is known who was right."""
    votes: dict[tuple[str, str], list[Vote]] = {}
    for request in requests:
        for vote in request.votes:
            if vote.right is not None and not vote.prose:
                votes.setdefault((request.ensemble, vote.tier), []).append(vote)
    for (ensemble, tier), told in sorted(votes.items(), key=lambda item: item[0]):
        yield from _of(ballots_of(told), ensemble, tier)


def _of(ballots: Ballots, ensemble: str, tier: str) -> Iterator[Together]:
    for i, j in combinations(range(len(ballots.jurors)), 2):
        found = pair_figures(ballots, i, j)
        if found.errors.together:
            yield Together(ensemble, tier, found.first, found.second, found.errors)
