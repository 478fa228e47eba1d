"""Labelled rows to train a router on: prompts, and how each model did. Reads `outcomes.jsonl`.

One JSON object a line:

| field    | what it is                                                                        |
|----------|-----------------------------------------------------------------------------------|
| id       | of the request or prompt; unique                                                  |
| prompt   | its text; without it `features` must be given                                     |
| key      | the same for the same question, where the text is not given; else its id          |
| vector   | its embedding, computed where it is missing and there is a text                   |
| features | the numbers of features.FEATURES, computed where they are missing                 |
| domain   | its field of knowledge, where one is known                                        |
| outcomes | by model: quality in [0, 1], or {"quality", "cost_usd", "output_tokens"}; a model |
|          | that is missing, or whose quality is null, was not judged                         |
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.routing.dedupe import text_key
from services.routing.features import FEATURES, Floats, Words, features, of_text, words

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
KINDS: Final = frozenset({"constrained-float", "OutcomeLine"})
"""What pydantic calls the ways to tell an outcome, in the middle of the path to a field."""

Name = Annotated[str, Field(min_length=1, max_length=256)]
Finite = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Quality = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]


class RowsError(ValueError):
    """Labelled rows that cannot be used; tells file, line and field."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What n prompts are like, and how m models did on them."""

    models: tuple[str, ...]
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    """Empty where the text was not kept."""
    keys: tuple[str, ...]
    """Equal for equal texts, by `dedupe.text_key`; the id where there is no text."""
    vectors: NDArray[np.float32]
    """Shape (n, d), unit rows; zeros: not embedded."""
    features: Floats
    """Shape (n, k)."""
    words: tuple[Words, ...]
    labels: Floats
    """Shape (n, m), quality in [0, 1]; NaN: not judged."""
    costs_usd: Floats
    """Shape (n, m); NaN: not known."""
    output_tokens: Floats
    """Shape (n, m), reasoning included; NaN: not known."""
    domains: tuple[str, ...]
    """Empty: unknown."""

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Rows":
        """Some of the rows, by mask or by index."""
        at = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return Rows(
            models=self.models,
            ids=tuple(self.ids[i] for i in at),
            texts=tuple(self.texts[i] for i in at),
            keys=tuple(self.keys[i] for i in at),
            vectors=self.vectors[at],
            features=self.features[at],
            words=tuple(self.words[i] for i in at),
            labels=self.labels[at],
            costs_usd=self.costs_usd[at],
            output_tokens=self.output_tokens[at],
            domains=tuple(self.domains[i] for i in at),
        )

    def of_models(self, models: Sequence[str]) -> "Rows":
        """The same prompts with what is known of these models."""
        at = [self.models.index(name) if name in self.models else None for name in models]
        nothing = np.full(len(self), np.nan)

        def chosen(table: Floats) -> Floats:
            columns = [nothing if i is None else table[:, i] for i in at]
            return np.stack(columns, axis=1)

        return replace(
            self,
            models=tuple(models),
            labels=chosen(self.labels),
            costs_usd=chosen(self.costs_usd),
            output_tokens=chosen(self.output_tokens),
        )

    def embedded(self, vectors: NDArray[np.float32]) -> "Rows":
        """The same rows with these vectors."""
        if len(vectors) != len(self):
            raise ValueError(f"{len(vectors)} vectors for {len(self)} rows")
        return replace(self, vectors=vectors)

    @property
    def digest(self) -> str:
        """SHA-256 of what is learned from, whatever the order of the rows."""
        lines = sorted(
            f"{key} {domain} {label.tolist()}"
            for key, domain, label in zip(self.keys, self.domains, self.labels, strict=True)
        )
        head = json.dumps(self.models)
        return hashlib.sha256("\n".join([head, *lines]).encode()).hexdigest()


def rows_of(
    models: Sequence[str],
    ids: Sequence[str],
    texts: Sequence[str],
    labels: Floats,
    *,
    vectors: NDArray[np.float32] | None = None,
    costs_usd: Floats | None = None,
    output_tokens: Floats | None = None,
    domains: Sequence[str] | None = None,
) -> Rows:
    """Rows of texts; features and words are read from them.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a label is not in [0, 1].
    """
    shape = (len(ids), len(models))
    unknown = np.full(shape, np.nan)
    costs = unknown if costs_usd is None else costs_usd
    tokens = unknown if output_tokens is None else output_tokens
    if not len(texts) == len(ids) or not labels.shape == costs.shape == tokens.shape == shape:
        raise ValueError(f"{len(texts)} texts and labels {labels.shape}; {shape} are needed")
    if (labels < 0.0).any() or (labels > 1.0).any():
        raise ValueError("labels must be in [0, 1]")
    return Rows(
        models=tuple(models),
        ids=tuple(ids),
        texts=tuple(texts),
        keys=tuple(
            text_key(text) if text else f"id {i}" for i, text in zip(ids, texts, strict=True)
        ),
        vectors=np.zeros((len(ids), 0), dtype=np.float32) if vectors is None else vectors,
        features=np.array([features(of_text(t)) for t in texts]).reshape(len(ids), len(FEATURES)),
        words=tuple(words(text) for text in texts),
        labels=labels,
        costs_usd=costs,
        output_tokens=tokens,
        domains=tuple(domains) if domains is not None else ("",) * len(ids),
    )


class Strict(BaseModel):
    """Refuses what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OutcomeLine(Strict):
    """How one model did."""

    quality: Quality | None = None
    cost_usd: Amount | None = None
    output_tokens: Amount | None = None


class Line(Strict):
    """One line of the file."""

    id: Name
    prompt: str = ""
    key: Annotated[str, Field(max_length=256)] = ""
    vector: tuple[Finite, ...] = Field(default=(), max_length=8192)
    features: tuple[Finite, ...] = ()
    domain: Annotated[str, Field(max_length=256)] = ""
    outcomes: dict[Name, Quality | OutcomeLine | None] = Field(min_length=1, max_length=256)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.prompt.strip() and not self.features:
            raise ValueError("needs `prompt` or `features`")
        if self.features and len(self.features) != len(FEATURES):
            raise ValueError(f"features: has {len(self.features)}; {len(FEATURES)} are needed")
        return self

    def outcome(self, model: str) -> OutcomeLine:
        given = self.outcomes.get(model)
        if isinstance(given, OutcomeLine):
            return given
        return OutcomeLine(quality=given)


def read_rows(path: Path) -> Rows:
    """Read a file of labelled rows; rows without `vector` have zeros until they are embedded.

    Raises
    ------
    RowsError
        If it cannot be read, holds no rows, or a line is wrong.
    """
    lines: dict[str, Line] = {}
    for number, text in _lines(path):
        try:
            line = Line.model_validate_json(text)
        except ValidationError as err:
            first = max(err.errors(), key=lambda each: len(each["loc"]))
            where = ".".join(str(part) for part in first["loc"] if part not in KINDS) or "the line"
            raise RowsError(f"{path}:{number}: {where}: {first['msg'].lower()}") from err
        if line.id in lines:
            raise RowsError(f"{path}:{number}: id: {line.id!r} stands in an earlier line, too")
        lines[line.id] = line
    if not lines:
        raise RowsError(f"{path}: holds no rows")
    try:
        return rows_of_lines(list(lines.values()))
    except ValueError as err:
        raise RowsError(f"{path}: {err}") from err


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, start=1):
                if len(text) > MAX_LINE_BYTES:
                    size = f"{len(text)} bytes; at most {MAX_LINE_BYTES} are allowed"
                    raise RowsError(f"{path}:{number}: has {size}")
                if text.strip():
                    yield number, text
    except OSError as err:
        raise RowsError(f"{path}: cannot be read: {err.strerror}") from err


def rows_of_lines(lines: Sequence[Line]) -> Rows:
    """The rows that lines tell of, models by name.

    Raises
    ------
    ValueError
        If vectors differ in length.
    """
    models = sorted({model for line in lines for model in line.outcomes})
    told = [[line.outcome(model) for model in models] for line in lines]
    found = rows_of(
        models,
        [line.id for line in lines],
        [line.prompt for line in lines],
        _table([[each.quality for each in row] for row in told]),
        vectors=_vectors(lines),
        costs_usd=_table([[each.cost_usd for each in row] for row in told]),
        output_tokens=_table([[each.output_tokens for each in row] for row in told]),
        domains=[line.domain for line in lines],
    )
    for row, line in zip(found.features, lines, strict=True):
        if line.features:
            row[:] = line.features
    keys = (line.key or key for line, key in zip(lines, found.keys, strict=True))
    return replace(found, keys=tuple(keys))


def _table(values: Sequence[Sequence[float | None]]) -> Floats:
    return np.array([[np.nan if v is None else v for v in row] for row in values], dtype=np.float64)


def _vectors(lines: Sequence[Line]) -> NDArray[np.float32]:
    sizes = {len(line.vector) for line in lines if line.vector}
    if len(sizes) > 1:
        raise ValueError(f"vectors have lengths {sorted(sizes)}; one length is needed")
    found = np.zeros((len(lines), max(sizes, default=0)), dtype=np.float32)
    for i, line in enumerate(lines):
        if line.vector:
            found[i] = line.vector
    return found
