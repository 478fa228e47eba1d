"""Arrays as JSON holds them: kind, shape, and their bytes in base64."""

import base64
import binascii
from typing import Annotated, Any, Final

import numpy as np
from pydantic import PlainSerializer, PlainValidator

MAX_CELLS: Final = 8 * 1024 * 1024
"""Numbers in one array."""
KINDS: Final = {"f4": np.float32, "i1": np.int8, "i4": np.int32}


def _unpacked(given: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """An array of what JSON holds of it; arrays stay as they are."""
    if isinstance(given, np.ndarray):
        return given
    try:
        kind, shape = KINDS[given["kind"]], tuple(int(size) for size in given["shape"])
        if min(shape, default=0) < 0 or int(np.prod(shape)) > MAX_CELLS:
            raise ValueError(f"has shape {shape}; at most {MAX_CELLS} numbers are allowed")
        values = np.frombuffer(base64.b64decode(given["data"], validate=True), dtype=kind)
        found = values.reshape(shape)
    except (KeyError, TypeError, binascii.Error) as err:
        raise ValueError(f"is no array of kind, shape and base64 data: {err!r}") from err
    if not np.isfinite(found).all():
        raise ValueError("holds numbers that are not finite")
    return found


def _packed(array: np.ndarray[Any, np.dtype[Any]]) -> dict[str, Any]:
    kind = next(name for name, dtype in KINDS.items() if array.dtype == dtype)
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"kind": kind, "shape": list(array.shape), "data": data}


Array = Annotated[
    np.ndarray[Any, np.dtype[Any]], PlainValidator(_unpacked), PlainSerializer(_packed)
]
