"""Who audits answers, as the configuration words it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from services.config.section import Fraction, Name, Seconds, Section


class Promise(Section):
    """How seldom an accepted answer may be wrong, by a calibration."""

    alpha: float = Field(gt=0.0, lt=1.0)
    """Accepted answers are wrong at most this often ..."""
    delta: float = Field(default=0.1, gt=0.0, lt=1.0)
    """... except with this probability, over the draw of the labels."""


class Judge(Section):
    """Who audits answers, and for what."""

    models: tuple[Name, ...] = ()
    """Models of the roster in order of preference; the first of another family than the answer's
    author is asked."""
    timeout_s: Seconds = 15.0
    """Longest time to wait for its verdict."""
    criteria: tuple[Literal["hallucination", "safety", "logic"], ...] = (
        "hallucination",
        "safety",
        "logic",
    )
    """What to look for."""
    min_score: Fraction = 0.5
    """Score that an answer needs to pass."""
    promise: Promise | None = None
    """Where a calibration has a threshold for it, only answers pass of which it can promise this.
    A judge model is then asked where its score can turn the decision, and only there. Unset: its
    score decides."""
    on_failure: Literal["open", "closed"] = "open"
    """What becomes of an answer without a verdict because the judge was down or gave none, or
    nothing could be promised: `open` gives it, marked unjudged; `closed` rejects it."""

    @model_validator(mode="after")
    def _only_a_model_can_fail(self) -> Self:
        if self.on_failure == "closed" and not self.models:
            raise ValueError("`on_failure: closed` without judge models would reject every answer")
        return self
