"""Writes rows as a Parquet table, some at a time, with what each column holds as its metadata."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Scalar = Literal["integer", "number", "text", "boolean", "time"]
"""What a field holds; `time` is nanoseconds since 1970 in UTC, kept as microseconds: what every
reader of Parquet understands."""
GROUP: Final = 5_000
"""Rows of one group: what is held in memory."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a table."""

    name: str
    type: Scalar | Literal["numbers"] | Mapping[str, Scalar]
    """Names and types: a list of objects that have these."""
    text: str
    """What it holds, for people."""


def write_table(rows: Iterable[Mapping[str, Any]], fields: Sequence[Field], out: IO[bytes]) -> int:
    """Write all rows, compressed. Returns how many there are."""
    import pyarrow as pa  # noqa: PLC0415 - an extra
    import pyarrow.parquet as pq  # noqa: PLC0415 - same

    schema, number = pa.schema([_field(each) for each in fields]), 0
    times = [each.name for each in fields if each.type == "time"]
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for group in _grouped(rows):
            timed = [{**row, **{name: _us(row[name]) for name in times}} for row in group]
            writer.write_table(pa.Table.from_pylist(timed, schema))
            number += len(group)
    return number


def _grouped(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    left = iter(rows)
    while group := list(islice(left, GROUP)):
        yield group


def _us(time_ns: int | None) -> int | None:
    return None if time_ns is None else time_ns // 1000


def _field(field: Field) -> "pa.Field":
    import pyarrow as pa  # noqa: PLC0415 - an extra

    types = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "text": pa.string(),
        "boolean": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
        "numbers": pa.list_(pa.float64()),
    }
    if isinstance(field.type, str):
        type_ = types[field.type]
    else:
        type_ = pa.list_(pa.struct([(name, types[each]) for name, each in field.type.items()]))
    return pa.field(field.name, type_, metadata={"description": field.text})
