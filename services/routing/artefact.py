"""The routing artefact: a trained router as versioned JSON, its arrays in base64."""

import hashlib
import json
import pathlib
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)
from pydantic.dataclasses import dataclass

from services.config.artefacts import read_artefact, write_artefact
from services.routing.arrays import Array
from services.routing.features import BUCKETS, FEATURE_VERSION, FEATURES
from services.routing.kernels import unit_rows

MAX_BYTES: Final = 32 * 1024 * 1024

Name = Annotated[str, Field(min_length=1, max_length=256)]
Finite = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


STRICT: Final = ConfigDict(extra="forbid", strict=False, arbitrary_types_allowed=True)


@dataclass(frozen=True, slots=True, eq=False, config=STRICT)
class Embedding:
    """What turned the prompts into vectors."""

    backend: Name
    model: Annotated[str, Field(max_length=256)]
    dim: Annotated[int, Field(ge=1, le=8192)]


@dataclass(frozen=True, slots=True, eq=False, config=STRICT)
class Scaling:
    """How features are brought to mean 0 and deviation 1."""

    mean: Array
    """Shape (k,), float32."""
    deviation: Array
    """Shape (k,), float32, > 0."""


@dataclass(frozen=True, slots=True, eq=False, config=STRICT)
class Logistic:
    """Log-odds linear in the embedding, the features and the domain."""

    bias: Array
    """Shape (m,)."""
    of_vector: Array
    """Shape (m, d)."""
    of_features: Array
    """Shape (m, k)."""
    of_domains: Array
    """Shape (m, f)."""


@dataclass(frozen=True, slots=True, eq=False, config=STRICT)
class Clusters:
    """Groups of like prompts, and how each model does in them."""

    centroids: Array
    """Shape (c, d), unit rows."""
    values: Array
    """Shape (c, m): smoothed share of adequate answers."""
    labels: Array
    """Shape (c, m): labels behind each value."""
    tokens_p50: Array
    """Shape (c, m): median output tokens, reasoning included; 0: unknown."""
    tokens_p90: Array
    """Shape (c, m)."""


@dataclass(frozen=True, slots=True, eq=False, config=STRICT)
class Known:
    """Training prompts to compare with; not all where they are many."""

    ids: tuple[Name, ...]
    vectors: Array
    """Shape (n, d), int8: unit rows times 127."""
    features: Array
    """Shape (n, k), float32: scaled."""
    novel_below: Annotated[float, Field(ge=-1, le=1)]
    """Similarity to the nearest one below which a prompt is novel."""


@dataclass(frozen=True, slots=True, eq=False, config=STRICT)
class Kernel:
    """Probabilities by likeness to the known prompts, in meaning, features and words."""

    width: Weight
    """Of exp(-width * squared distance)."""
    of_features: Weight
    """What a scaled feature weighs in that distance; a number of the vector weighs 1."""
    bias: Array
    """Shape (m,)."""
    weights: Array
    """Shape (n, m): what each known prompt adds."""
    of_words: Array
    """Shape (m, BUCKETS), or (m, 0): words do not count."""
    of_domains: Array
    """Shape (m, f)."""
    rarity: Array
    """Shape (BUCKETS,) or (0,): what a word weighs for being rare."""


@dataclass(frozen=True, slots=True, eq=False, config=STRICT)
class Domains:
    """Fields of knowledge that the training prompts named."""

    names: tuple[Name, ...]
    sharpness: Weight
    """Of the softmax over what the regression says of them, where none is told."""
    bias: Array
    """Shape (f,)."""
    weights: Array
    """Shape (n, f): what likeness to each known prompt tells of the domain."""
    of_words: Array
    """Shape (f, BUCKETS) or (f, 0), int8: what each word tells of it, in steps."""
    word_step: Array
    """Shape (f,), float32."""
    values: Array
    """Shape (f, m): smoothed share of adequate answers."""


@dataclass(frozen=True, slots=True, eq=False, config=STRICT)
class Steps:
    """A rising map from probability to probability, linear between its points."""

    x: tuple[Share, ...]
    y: tuple[Share, ...]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if len(self.x) != len(self.y) or len(self.x) == 1:
            raise ValueError(f"has {len(self.x)} and {len(self.y)} points; equal numbers are due")
        if any(np.diff(self.x) <= 0) or any(np.diff(self.y) < 0):
            raise ValueError("must rise")
        return self


@dataclass(frozen=True, slots=True, eq=False, config=STRICT)
class ModelFit:
    """What was learned of one model besides the heads' arrays."""

    name: Name
    n_labels: Count
    prior: Share
    """Share of adequate answers over all prompts."""
    weights: Mapping[Name, Finite]
    """By head: what its log-odds weigh in the blend. Platt's slope is in them."""
    offset: Finite
    """Platt's offset."""
    steps: Steps | None
    """Applied after the blend; None: Platt alone."""
    tokens_p50: Annotated[float, Field(ge=0, le=1e7)]
    """Median output tokens over all prompts; 0: unknown."""
    tokens_p90: Annotated[float, Field(ge=0, le=1e7)]


@dataclass(frozen=True, slots=True, eq=False, config=STRICT)
class HeldOut:
    """What fits predicted of training prompts that they had not seen, and how they erred."""

    adequacy: Array
    """Shape (s, m), float32: of a sample of the prompts."""
    correlation: Array
    """Shape (m, m), float32: of the models' errors, outcome less prediction."""


@dataclass(frozen=True, eq=False, config=STRICT)
class Routing:
    """A trained router, and of what. Without slots, so that its id can be kept."""

    created: Annotated[str, Field(max_length=64)]
    """When, ISO 8601 in UTC."""
    data_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Digest of the labelled rows."""
    feature_version: int
    embedding: Embedding
    models: Annotated[tuple[ModelFit, ...], Field(min_length=1, max_length=256)]
    scaling: Scaling
    logistic: Logistic
    clusters: Clusters
    known: Known
    kernel: Kernel
    domains: Domains
    held_out: HeldOut | None = None
    """None: too few rows to hold any out."""
    scores: Mapping[str, Finite] = field(default_factory=dict)
    """Measured on prompts that the fit had not seen."""
    format: Literal[1] = 1

    @cached_property
    def id(self) -> str:
        """First 12 hex digits of the digest of the canonical content."""
        content = json.dumps(_plain(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @cached_property
    def unit_known(self) -> NDArray[np.float32]:
        """Vectors of the known prompts, of unit length."""
        return unit_rows(self.known.vectors)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(model.name for model in self.models)

    @model_validator(mode="after")
    def _matching(self) -> Self:
        if self.feature_version != FEATURE_VERSION:
            found = f"is {self.feature_version}; this version reads {FEATURE_VERSION}"
            raise ValueError(f"feature_version {found}: train it anew")
        if len(set(self.names)) != len(self.models):
            raise ValueError("models must be unique")
        for name, (array, shape) in _shapes(self).items():
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}; {shape} is needed")
        return self


def _shapes(routing: Routing) -> dict[str, tuple[np.ndarray[Any, Any], tuple[int, ...]]]:
    """By array: itself, and the shape that fits the others."""
    m, d, k = len(routing.models), routing.embedding.dim, len(FEATURES)
    c, f = len(routing.clusters.centroids), len(routing.domains.names)
    n, worded = len(routing.known.ids), BUCKETS if routing.kernel.rarity.size else 0
    linear, clusters, kernel = routing.logistic, routing.clusters, routing.kernel
    domains = routing.domains
    held = routing.held_out or HeldOut(np.zeros((0, m)), np.zeros((m, m)))
    return {
        "held_out.adequacy": (held.adequacy, (len(held.adequacy), m)),
        "held_out.correlation": (held.correlation, (m, m)),
        "scaling.mean": (routing.scaling.mean, (k,)),
        "scaling.deviation": (routing.scaling.deviation, (k,)),
        "logistic.bias": (linear.bias, (m,)),
        "logistic.of_vector": (linear.of_vector, (m, d)),
        "logistic.of_features": (linear.of_features, (m, k)),
        "logistic.of_domains": (linear.of_domains, (m, f)),
        "clusters.centroids": (clusters.centroids, (c, d)),
        "clusters.values": (clusters.values, (c, m)),
        "clusters.labels": (clusters.labels, (c, m)),
        "clusters.tokens_p50": (clusters.tokens_p50, (c, m)),
        "clusters.tokens_p90": (clusters.tokens_p90, (c, m)),
        "known.vectors": (routing.known.vectors, (n, d)),
        "known.features": (routing.known.features, (n, k)),
        "kernel.bias": (kernel.bias, (m,)),
        "kernel.weights": (kernel.weights, (n, m)),
        "kernel.of_words": (kernel.of_words, (m, worded)),
        "kernel.of_domains": (kernel.of_domains, (m, f)),
        "kernel.rarity": (kernel.rarity, (worded,)),
        "domains.bias": (domains.bias, (f,)),
        "domains.weights": (domains.weights, (n, f)),
        "domains.of_words": (domains.of_words, (f, worded)),
        "domains.word_step": (domains.word_step, (f,)),
        "domains.values": (domains.values, (f, m)),
    }


ROUTING: Final = TypeAdapter(Routing)


class RoutingError(ValueError):
    """A routing file that cannot be used; tells file, field and limit."""


def read(path: pathlib.Path) -> Routing:
    """Read and check an artefact.

    Raises
    ------
    RoutingError
        If the file is missing, too large, no JSON, breaks a limit, or was
        changed since it was written.
    """
    found, given = read_artefact(path, ROUTING, most_bytes=MAX_BYTES, error=RoutingError)
    if given != found.id:
        raise RoutingError(f"{path}: id: is {given!r}; the content has {found.id!r}")
    return found


def write(routing: Routing, path: pathlib.Path) -> None:
    """Write an artefact; the old file stays until the new one is whole."""
    write_artefact(path, {"id": routing.id, **_plain(routing)}, indent=1)


def _plain(routing: Routing) -> dict[str, Any]:
    plain: dict[str, Any] = ROUTING.dump_python(routing, mode="json")
    return plain
