"""Local models: which weights they have, and how their engine is started."""

import os
from dataclasses import dataclass
from pathlib import Path

from services.config.tree import Model
from services.core.errors import BackendError
from services.models import shelf
from services.models.catalog import KNOWN, PUBLISHED, KnownWeights
from services.models.weights import packaged, verify


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

    `spec.model` names weights that ship in a package, weights on the user's
    shelf, or a file; `directory` is where its relative path begins.

    Raises
    ------
    BackendError
        If the weights are missing or have another digest.
    """
    known = KNOWN.get(spec.model)
    path, digest = _found(spec.model, known, directory)
    digest = spec.sha256 or digest
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


def _found(model: str, known: KnownWeights | None, directory: Path) -> tuple[Path, str]:
    """The weights, and the digest they must have; empty if none is known."""
    if known:
        return packaged(known.package, known.file, distribution=known.distribution), known.sha256
    entry = shelf.find(model)
    if entry:
        published = PUBLISHED.get(model)
        return _existing(entry.path, model), published.sha256 if published else entry.sha256
    return _existing((directory / model).expanduser().resolve(), model), ""


def _existing(path: Path, model: str) -> Path:
    if path.is_file():
        return path
    if model in PUBLISHED:
        advice = f"`gremium models pull {model}` fetches them"
    else:
        advice = f"known models are {', '.join(sorted({*KNOWN, *PUBLISHED, *shelf.shelved()}))}"
    raise BackendError(f"no weights at {path}; {advice}", cause="WEIGHTS_MISSING", sent=False)
