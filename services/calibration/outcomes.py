"""Labelled outcomes: who answered what, and who was right. Reads `outcomes.jsonl`.

One JSON object a line, all of the same kind:

| field         | what it is                                                                  |
|---------------|-----------------------------------------------------------------------------|
| id            | of the request or prompt; unique within its pool                            |
| ensemble      | as the configuration names it                                               |
| tier          | only where the ensemble has several tiers: the tier, or the step            |
| answers       | by juror: the text as it came, or {"text", "tool_calls"}; null: an answer   |
|               | that was none. Leave out who was not asked, was cut off, or failed          |
| output_format | how `answers` are read, as in the configuration; unset: compared as text    |
| tools         | what `answers` may call: {"name", "parameters"}                             |
| ballots       | instead of `answers`, by juror: equal texts are equal answers; null as there|
| abstains      | with `ballots`: the one that stands for calling no tool                     |
| declines      | with `ballots`: the one that stands for giving no answer: a refusal, not to |
|               | know, none of those on offer                                                |
| correct       | by juror: whether its answer is right; holds for all who answered the same  |
| gold          | the right answer, in the form of `answers` or `ballots`                     |
| audited       | {"juror", "signals"}: what was found of an answer, numbers by name          |
| comparisons   | {"first", "second", "scores"}: by judge, 1 for the first, -1 for the second |
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.calibration.labels import labelled
from services.config.graphs import output_format
from services.config.steps import Shape
from services.core.canonical import NO_CALL, PROSE, Ballot, abstain_key, ballot, prose_ballot
from services.core.closeness import alike, nearest_of
from services.core.errors import InvalidRequestError
from services.core.prompts import OutputFormat, Tool, ToolCall

MAX_LINE_BYTES: Final = 8 * 1024 * 1024

Name = Annotated[str, Field(min_length=1, max_length=256)]
Signal = Annotated[float, Field(allow_inf_nan=False)]


class OutcomesError(ValueError):
    """Outcomes that cannot be used; tells file, line and field."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What judges said of two answers."""

    first: str
    second: str
    scores: Mapping[str, float]
    """By judge, in [-1, 1]; 1 for the first."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One vote, and who was right."""

    id: str
    ensemble: str
    tier: str
    """Empty where the ensemble has one tier."""
    keys: Mapping[str, str]
    """By juror: the class of its ballot; empty: its answer was none. Whom it does not name was not
    heard."""
    right: Mapping[str, bool] | None
    """By juror; None: the labels leave open who was right."""
    abstain_key: str = ""
    """Class that calls no tool; empty: there is none."""
    decline_key: str = ""
    """Class that gives no answer for another reason: it declines, does not know, or says that
    nothing on offer is right; empty: there is none."""
    audited: str = ""
    """Juror whose answer a judge looked at."""
    signals: Mapping[str, float] = field(default_factory=dict)
    """What was found of that answer, by name."""
    compared: tuple[Compared, ...] = ()

    @property
    def pool(self) -> str:
        return f"{self.ensemble}/{self.tier}" if self.tier else self.ensemble


class Strict(BaseModel):
    """Refuses what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CallLine(Strict):
    """One tool call."""

    name: Name
    arguments: dict[str, Any] = Field(default_factory=dict)


class AnswerLine(Strict):
    """An answer as it came."""

    text: str = ""
    tool_calls: tuple[CallLine, ...] = ()


class ToolLine(Strict):
    """A tool that answers may call."""

    name: Name
    parameters: dict[str, Any] = Field(default_factory=dict)


class AuditLine(Strict):
    """What was found of one answer."""

    juror: Name
    signals: dict[Name, Signal] = Field(min_length=1, max_length=64)


class ComparisonLine(Strict):
    """What judges said of two answers."""

    first: Name
    second: Name
    scores: dict[Name, Annotated[float, Field(ge=-1, le=1)]] = Field(min_length=1, max_length=64)


Given = str | AnswerLine | None


class Line(Strict):
    """One line of the file."""

    id: Name
    ensemble: Name
    tier: Annotated[str, Field(max_length=256)] = ""
    answers: dict[Name, Given] = Field(default_factory=dict, max_length=64)
    output_format: Shape | None = None
    tools: tuple[ToolLine, ...] = Field(default=(), max_length=128)
    ballots: dict[Name, str | None] = Field(default_factory=dict, max_length=64)
    abstains: str = ""
    declines: str = ""
    correct: dict[Name, bool] = Field(default_factory=dict)
    gold: Given = None
    audited: AuditLine | None = None
    comparisons: tuple[ComparisonLine, ...] = Field(default=(), max_length=256)

    @model_validator(mode="after")
    def _says_who_answered_what(self) -> Self:
        if bool(self.answers) == bool(self.ballots):
            raise ValueError("needs either `answers` or `ballots`")
        jurors = self.answers.keys() | self.ballots.keys()
        named = {*self.correct, *(j for c in self.comparisons for j in (c.first, c.second))}
        if self.audited:
            named.add(self.audited.juror)
        if strange := sorted(named - jurors):
            raise ValueError(f"jurors {strange} gave no answer; there are {sorted(jurors)}")
        if self.ballots and not isinstance(self.gold, str | None):
            raise ValueError("`gold` must be a text, as the ballots are")
        if not self.correct and self.gold is None:
            raise ValueError("needs labels: `correct` or `gold`")
        return self


def read_outcomes(path: Path) -> list[Outcome]:
    """Read a file of labelled outcomes.

    Raises
    ------
    OutcomesError
        If it cannot be read, or a line is wrong.
    """
    found: dict[tuple[str, str], int] = {}
    outcomes = []
    for number, text in _lines(path):
        try:
            outcome = outcome_of(Line.model_validate(_loaded(text)))
        except ValidationError as err:
            first = err.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the line"
            raise OutcomesError(f"{path}:{number}: {where}: {first['msg'].lower()}") from err
        except (ValueError, InvalidRequestError) as err:
            raise OutcomesError(f"{path}:{number}: {err}") from err
        earlier = found.setdefault((outcome.pool, outcome.id), number)
        if earlier != number:
            raise OutcomesError(
                f"{path}:{number}: id: {outcome.id!r} stands in line {earlier}, too"
            )
        outcomes.append(outcome)
    return outcomes


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, start=1):
                if len(text) > MAX_LINE_BYTES:
                    size = f"{len(text)} bytes; at most {MAX_LINE_BYTES} are allowed"
                    raise OutcomesError(f"{path}:{number}: has {size}")
                if text.strip():
                    yield number, text
    except OSError as err:
        raise OutcomesError(f"{path}: cannot be read: {err.strerror}") from err


def _loaded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as err:
        raise ValueError(f"is no JSON: {err}") from err


def outcome_of(line: Line) -> Outcome:
    """A line as the vote that it tells of.

    Raises
    ------
    InvalidRequestError
        If its output format or a tool is not taken.
    """
    keys, gold = _by_answers(line) if line.answers else _by_ballots(line)
    abstains, declines = _abstentions(line)
    return Outcome(
        id=line.id,
        ensemble=line.ensemble,
        tier=line.tier,
        keys=keys,
        right=labelled(keys, line.correct, gold),
        abstain_key=abstains,
        decline_key=declines,
        audited=line.audited.juror if line.audited else "",
        signals=line.audited.signals if line.audited else {},
        compared=tuple(Compared(c.first, c.second, c.scores) for c in line.comparisons),
    )


def _abstentions(line: Line) -> tuple[str, str]:
    """The class that calls no tool, and the one that declines; empty without one."""
    if line.ballots:
        return line.abstains, line.declines
    key = abstain_key(*_asked(line))
    return (key, "") if key == NO_CALL.key else (NO_CALL.key if line.tools else "", key)


def _asked(line: Line) -> tuple[OutputFormat, tuple[Tool, ...]]:
    """How its answers are read."""
    tools = tuple(Tool(tool.name, parameters=tool.parameters) for tool in line.tools)
    return output_format(line.output_format) or OutputFormat(), tools


def _by_ballots(line: Line) -> tuple[dict[str, str], str | None]:
    gold = line.gold if isinstance(line.gold, str) else None
    return {juror: said or "" for juror, said in line.ballots.items()}, gold


def _by_answers(line: Line) -> tuple[dict[str, str], str | None]:
    how, tools = _asked(line)
    votes = [_vote(said, how, tools) for said in line.answers.values()]
    tolerance = how.relative_tolerance if how.kind == "number" else 0.0
    classes = alike(votes, relative_tolerance=tolerance)
    keys = {juror: vote.key for juror, vote in zip(line.answers, classes, strict=True)}
    if line.gold is None:
        return keys, None
    gold = _vote(line.gold, how, tools)
    if not gold.key:
        raise ValueError("gold: is no answer of this output format")
    nearest = nearest_of(votes, gold, relative_tolerance=tolerance)
    return keys, gold.key if nearest is None else classes[nearest].key


def _vote(said: Given, how: OutputFormat, tools: Sequence[Tool]) -> Ballot:
    """An answer as the aggregator reads it; prose by its letters."""
    if said is None:
        return Ballot("")
    told = AnswerLine(text=said) if isinstance(said, str) else said
    calls = [ToolCall(call.name, json.dumps(call.arguments)) for call in told.tool_calls]
    vote = ballot(told.text, calls, output_format=how, tools=tools)
    return prose_ballot(told.text) if vote.reason == PROSE else vote
