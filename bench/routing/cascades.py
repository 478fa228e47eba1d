"""A cascade over recorded answers: whom to ask first and next, and which answer to give.

Who is asked is decided by `improvement.best_offer`, as in the mesh: the expected gain of the better
of two answers, less its price. What is known before a call comes from the trained router; what is
known after it, P(right) of each answer in hand, from a fit of `fit_judge.fit_fusion`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import log
from typing import Any, Final, Self

import numpy as np

from router_svc.forecast import Tokens
from services.calibration.fit_judge import MIN_OF_EACH, Bools, Fusion, fit_fusion, probabilities
from services.gateway.patterns.improvement import Offer, Quality, best_offer
from services.routing.artefact import Embedding, Routing
from services.routing.features import Floats, Seen
from services.routing.fit import fit
from services.routing.heads import Ints
from services.routing.predict import Prediction, predict
from services.routing.rows import Rows

CHARS_PER_TOKEN: Final = 4.0
NOTHING: Final = Quality(0.0, 0.0)
RIGHT: Final = 0.5
PRACTISED: Final = 1_000
"""Training prompts that the worth of a right answer is chosen by."""

Hand = Mapping[str, Any]
"""By model: its answer; None where it was cut off."""
SignalsOf = Callable[[str, Hand], dict[str, float]]


@dataclass(frozen=True)
class Price:
    """US dollars a token."""

    input: float
    output: float


@dataclass(frozen=True)
class Recorded:
    """Prompts with every model's answer."""

    rows: Rows
    said: tuple[tuple[Any, ...], ...]
    """By prompt and model; None where the answer was cut off."""

    def only(self, at: Ints) -> "Recorded":
        return Recorded(self.rows.only(at), tuple(self.said[i] for i in at))

    def of(self, models: Ints) -> "Recorded":
        """Some of the models, by index."""
        rows = replace(
            self.rows,
            models=tuple(self.rows.models[j] for j in models),
            labels=self.rows.labels[:, models],
            costs_usd=self.rows.costs_usd[:, models],
            output_tokens=self.rows.output_tokens[:, models],
        )
        return Recorded(rows, tuple(tuple(row[j] for j in models) for row in self.said))


@dataclass(frozen=True)
class Terms:
    """How a cascade is trained and paid."""

    embedding: Embedding
    prices: Mapping[str, Price]
    signals: SignalsOf
    most_tokens: float = float("inf")
    """Output at which an answer is cut off."""
    first: tuple[str, ...] = ()
    """Asked about every prompt, all at once; empty: whoever is worth most."""


@dataclass(frozen=True)
class Belief:
    """What is expected of one model on one prompt, before it is asked."""

    adequacy: float
    cost_usd: float


Beliefs = Mapping[str, Belief]


@dataclass(frozen=True)
class Given:
    """What a cascade came to; arrays have shape (n,)."""

    right: Floats
    cost_usd: Floats
    calls: Floats

    @classmethod
    def of(cls, found: Sequence[tuple[float, float, int]]) -> Self:
        return cls(*np.array(found, dtype=np.float64).T)


@dataclass(frozen=True)
class Moves:
    """What one more answer was like on training prompts, by P(right) of the one in hand."""

    base: float
    by_sure: float
    by_adequacy: float
    """Right answers are expected by a line in P(right) in hand and the router's prediction."""
    own: float
    """How far P(right) of the answer in hand moved: standard deviation."""
    other: float
    """How far that of the new one was from what was expected."""
    correlation: float

    def expected(self, sure: Any, adequacy: Any) -> Any:
        """P(right) of the new answer before it is there."""
        line = self.base + self.by_sure * sure + self.by_adequacy * adequacy
        return np.clip(line, 0.0, 1.0)


class Cascade:
    """Trained on some prompts, asked about others."""

    def __init__(self, train: Recorded, terms: Terms, *, seed: int) -> None:
        """What routers expect of training prompts comes from those that had not seen them."""
        self._terms, self._train = terms, train
        order = np.random.default_rng(seed).permutation(len(train.said))
        self._beliefs: list[Beliefs] = [{} for _ in order]
        for held in np.array_split(order, 2):
            other = fit(train.rows.only(np.setdiff1d(order, held)), terms.embedding, created="")
            for i, told in zip(held, beliefs(other, train.only(held), terms), strict=True):
                self._beliefs[i] = told
        self.routing = fit(train.rows, terms.embedding, created="")
        self._fitted = cache(self._fit)
        self._p = cache(self._told)
        self._moves = cache(self._moved)

    def practised(self, value_usd: float) -> Given:
        """On some of the prompts that it was trained on."""
        return self._asked(self._train, self._beliefs[:PRACTISED], value_usd)

    def asked(self, of: Recorded, value_usd: float) -> Given:
        return self._asked(of, beliefs(self.routing, of, self._terms), value_usd)

    def within(self, budget_usd: float, values_usd: Sequence[float]) -> float:
        """What a right answer has to be worth: most accurate on training prompts for the money."""
        tried = [(self.practised(value), value) for value in values_usd]
        paid = [each for each in tried if each[0].cost_usd.mean() <= budget_usd] or tried[:1]
        return max(paid, key=lambda each: (each[0].right.mean(), -each[1]))[1]

    def _asked(self, of: Recorded, told: Sequence[Beliefs], value_usd: float) -> Given:
        return Given.of([self._ask(of, i, each, value_usd) for i, each in enumerate(told)])

    def _ask(
        self, of: Recorded, i: int, told: Beliefs, value_usd: float
    ) -> tuple[float, float, int]:
        at = {name: j for j, name in enumerate(of.rows.models)}
        hand: dict[str, Any] = {name: of.said[i][at[name]] for name in self._terms.first}
        sure = self._sure(told, hand)
        while asked := self._next(told, hand, sure, value_usd):
            hand[asked] = of.said[i][at[asked]]
            sure = self._sure(told, hand)
        cost = sum(float(of.rows.costs_usd[i, at[name]]) for name in hand)
        given = max(sure, key=lambda name: sure[name], default=None)
        right = 0.0 if given is None else float(of.rows.labels[i, at[given]])
        return right, cost, len(hand)

    def _next(
        self, told: Beliefs, hand: Hand, sure: Mapping[str, float], value_usd: float
    ) -> str | None:
        """The model whose answer is worth most beyond its price; None where none is."""
        best = max(sure, key=lambda name: sure[name], default=None)
        gains = {}
        for name in sorted(set(told) - set(hand)):
            now, offer = self._offer(told[name], sure.get(best or "", 0.0), best, name, hand)
            if choice := best_offer(now, [offer], value_usd=value_usd):
                gains[name] = choice.gain_usd
        return max(gains, key=lambda name: gains[name], default=None)

    def _offer(
        self, told: Belief, sure: float, best: str | None, name: str, hand: Hand
    ) -> tuple[Quality, Offer]:
        if best is None:
            return NOTHING, Offer(Quality(told.adequacy, 0.0), told.cost_usd)
        moves = self._moves(best, name, frozenset(hand))
        expected = float(moves.expected(sure, told.adequacy))
        offered = Offer(Quality(expected, moves.other), told.cost_usd, moves.correlation)
        return Quality(sure, moves.own), offered

    def _sure(self, told: Beliefs, hand: Hand) -> dict[str, float]:
        """P(right) of each answer in hand."""
        found = {}
        for name in (name for name, answer in hand.items() if answer is not None):
            fusion = self._fitted(name, frozenset(hand))
            given = self._signals(told, name, hand)
            found[name] = float(probabilities(fusion, [given])[0])
        return found

    def _signals(self, told: Beliefs, name: str, hand: Hand) -> dict[str, float]:
        p = told[name].adequacy
        return {"adequacy": log(p / (1.0 - p)), **self._terms.signals(name, hand)}

    def _fit(self, name: str, hand: frozenset[str]) -> Fusion:
        some, given = self._practice(name, hand)
        right = self._train.rows.labels[some, self._train.rows.models.index(name)] >= RIGHT
        few = min(int(right.sum()), int((~right).sum())) < MIN_OF_EACH
        return _constant(right) if few else fit_fusion(given, right)

    def _practice(self, name: str, hand: frozenset[str]) -> tuple[Ints, list[dict[str, float]]]:
        """Training prompts that a model answered, and the signals on it beside the others."""
        names = self._train.rows.models
        at = {each: names.index(each) for each in sorted(hand)}
        some = [i for i, row in enumerate(self._train.said) if row[at[name]] is not None]
        held = [{each: self._train.said[i][j] for each, j in at.items()} for i in some]
        found = [self._signals(self._beliefs[i], name, h) for i, h in zip(some, held, strict=True)]
        return np.array(some, dtype=np.intp), found

    def _told(self, name: str, hand: frozenset[str]) -> Floats:
        """P(right) on the training prompts; NaN where the model gave no answer."""
        some, given = self._practice(name, hand)
        found = np.full(len(self._train.said), np.nan)
        found[some] = probabilities(self._fitted(name, hand), given)
        return found

    def _moved(self, best: str, name: str, hand: frozenset[str]) -> Moves:
        both, rows = hand | {name}, self._train.rows
        sure, right = self._p(best, hand), rows.labels[:, rows.models.index(name)]
        ahead = np.array([told[name].adequacy for told in self._beliefs])
        heard = np.isfinite(sure)
        line = Moves(*_line(sure[heard], ahead[heard], right[heard]), 0.0, 0.0, 0.0)
        own, other = self._p(best, both) - sure, self._p(name, both) - line.expected(sure, ahead)
        known = np.isfinite(own) & np.isfinite(other)
        own, other = own[known], other[known]
        together = float(np.corrcoef(own, other)[0, 1]) if own.std() and other.std() else 0.0
        return replace(line, own=float(own.std()), other=float(other.std()), correlation=together)


def _constant(right: Bools) -> Fusion:
    """Where a model is hardly ever wrong, or right, signals tell nothing."""
    p = (right.sum() + 1.0) / (right.size + 2.0)
    return Fusion((), np.zeros(0), log(p / (1.0 - p)))


def _line(sure: Floats, ahead: Floats, right: Floats) -> tuple[float, float, float]:
    """Least squares, with a trace of a penalty."""
    table = np.column_stack([np.ones(sure.size), sure, ahead])
    bent = table.T @ table + np.eye(3)
    base, by_sure, by_adequacy = np.linalg.solve(bent, table.T @ right)
    return float(base), float(by_sure), float(by_adequacy)


def beliefs(routing: Routing, of: Recorded, terms: Terms) -> list[Beliefs]:
    """What a router expects of every model on prompts."""
    rows = of.rows
    found: list[Beliefs] = []
    for i, text in enumerate(rows.texts):
        seen = Seen(rows.vectors[i], rows.features[i], rows.words[i], rows.domains[i])
        told = predict(routing, seen, rows.models).models
        found.append({each.model: _belief(each, text, terms) for each in told})
    return found


def _belief(told: Prediction, text: str, terms: Terms) -> Belief:
    price, tokens = terms.prices[told.model], 0.0
    if told.tokens_p50 is not None:
        tokens = Tokens(told.tokens_p50, max(told.tokens_p50, told.tokens_p90 or 0.0)).mean
    output = price.output * min(tokens, terms.most_tokens)
    return Belief(told.adequacy, price.input * len(text) / CHARS_PER_TOKEN + output)
