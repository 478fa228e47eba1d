"""The values of an aggregation: what is to be decided, and what was."""

from dataclasses import dataclass
from typing import Literal

from aggregator_svc.logit import Fitted
from aggregator_svc.voting import Count, Floats
from services.core.answers import Answer
from services.core.canonical import Ballot
from services.core.prompts import OutputFormat, Tool, ToolCall

Method = Literal["auto", "plurality", "medoid", "weighted", "log_odds", "fieldwise"]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of jurors of whose votes nothing was learned."""

    best: int | None
    """Index of the answer that stands, being that of a juror far better than the others."""
    by_log_odds: bool
    """Whether ballots weigh by their jurors' priors; all are known."""


@dataclass(frozen=True, slots=True)
class Case:
    """Answers to decide between, and by what rule."""

    answers: tuple[Answer, ...]
    """n answers of different jurors. Not empty."""
    output_format: OutputFormat
    tools: tuple[Tool, ...]
    method: Method
    weights: Floats
    """Shape (n,), >= 0."""
    priors: Floats
    """Shape (n,), in [0, 1]; NaN when unknown."""
    scores: Floats
    """What a judge thinks of each answer, shape (n,), in [-1, 1]; NaN when unknown."""
    min_share: float
    min_similarity: float | None
    """In [-1, 1]; None: as the vectors ask for."""
    fitted: Fitted | None = None
    """What was learned of the jurors. Indices are those of the answers."""
    known: Known | None = None
    """For want of a fit. None: each ballot counts its weight."""
    min_confidence: float | None = None
    """P(correct) in [0, 1] that the leader needs, by a fit or for want of one by a guess."""
    allow_splicing: bool = False
    """Whether fields of different answers may be put together."""
    abstain_key: str = ""
    """Class that abstains or calls no tool; empty where none can."""
    abstain_weight: float = 1.0
    """What a ballot for it counts without a fit, as a multiple of its weight, >= 0."""

    @property
    def size(self) -> int:
        """Characters of all answers."""
        return sum(answer.size for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Source:
    """Where one field of a spliced answer comes from."""

    pointer: str
    answer: int | None
    """Index of the answer; None: most left the field out."""
    share: float


@dataclass(frozen=True, slots=True)
class Spliced:
    """An answer that nobody gave."""

    form: str
    """Canonical, JSON text."""
    text: str
    tool_calls: tuple[ToolCall, ...]
    sources: tuple[Source, ...]
    """The fields that are not as in the answer that stands for it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """How the answers were counted. Indices are those of the answers."""

    method: str
    """`plurality`, `medoid`, `medoid_words`, `single`, `weighted`, `logit`, `log_odds`, `fieldwise`
    or `spliced`."""
    ballots: tuple[Ballot, ...]
    """One per answer, with the key of its class."""
    count: Count | None
    """None when no answer gave a ballot."""
    similarity: float | None = None
    """Mean similarity of a medoid to the others, in [-1, 1]."""
    centroid_distance: float | None = None
    """Of a medoid to the mean of the embeddings, in [0, 2]."""
    outliers: tuple[int, ...] = ()
    """Prose too far from the rest to be chosen."""
    spliced: Spliced | None = None
    """What stands for the leader instead of an answer as it was given."""
    by_meaning: bool = False
    """Whether the answers are prose, compared by what they mean."""
    reason_text: str = ""
    """Why there is no consensus; empty with consensus."""

    @property
    def representative(self) -> int | None:
        """Index of the answer that stands for the leading class."""
        return None if self.count is None else self.count.leader.representative
