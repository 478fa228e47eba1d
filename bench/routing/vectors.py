"""Embeddings of recorded prompts by the model that serves, kept on disk: 13 texts a second are slow.

python bench/routing/vectors.py --data ../data [--only mmlu gsm8k …]  # computes what is missing
"""

import argparse
import hashlib
import os
import pathlib
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

ROOT: Final = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "protos")]

from router_svc.reading import excerpt  # noqa: E402 - a script puts its own project on the path
from services.models.minilm import DIMENSIONS, MODEL_SHA256, MiniLM  # noqa: E402

KEPT: Final = ROOT / "bench/out/vectors"
PART: Final = 256
"""Texts in a file: what an interruption costs."""

Vectors = NDArray[np.float32]


def vectors(texts: Sequence[str], *, folder: pathlib.Path = KEPT) -> Vectors:
    """MiniLM vectors of texts, shape (n, 384), as the router embeds them.

    They are kept by the digest of the texts and of the model's weights.
    """
    cut = [excerpt(text) for text in texts]
    ordered = sorted(range(len(cut)), key=lambda i: (len(cut[i]), cut[i]))
    found = np.zeros((len(cut), DIMENSIONS), dtype=np.float32)
    for start in range(0, len(ordered), PART):
        rows = ordered[start : start + PART]
        found[rows] = _part([cut[i] for i in rows], folder, _model)
    return found


def _part(texts: Sequence[str], folder: pathlib.Path, model: Callable[[], MiniLM]) -> Vectors:
    path = folder / f"{_digest(texts)}.npy"
    if path.exists():
        kept: Vectors = np.load(path)
        return kept
    print(
        f"embedding {len(texts)} texts that were not embedded before", file=sys.stderr, flush=True
    )
    computed = model().embed(texts)
    folder.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    with draft.open("wb") as file:
        np.save(file, computed)
    draft.replace(path)
    return computed


def _digest(texts: Sequence[str]) -> str:
    content = hashlib.sha256(MODEL_SHA256.encode())
    for text in texts:
        content.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return content.hexdigest()[:32]


@cache
def _model() -> MiniLM:
    return MiniLM()


def main() -> None:
    from bench.routing.recordings import FILES, prompts  # noqa: PLC0415 - a script of its own

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--only", nargs="+", choices=sorted(FILES), default=sorted(FILES))
    options = parser.parse_args()
    for name in options.only:
        texts, began = prompts(options.data, name), time.monotonic()
        vectors(texts)
        print(f"{name}: {len(texts)} texts, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
