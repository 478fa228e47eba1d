"""Writes records as lines of JSON, or as a Parquet table."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import IO, Any, Final

from services.ledger.columns import (
    COLUMNS,
    PARTICIPATION,
    Line,
    Value,
    content,
    participations,
    row,
)
from services.ledger.parquet import Field, write_table

PARTICIPATIONS: Final = Field(
    "participations", PARTICIPATION, "Everyone who took part in the request."
)
CONTENT: Final = Field(
    "record", "text", "What the record holds, as JSON; its fields are named as in the proto."
)
FIELDS: Final = (
    *(Field(each.name, each.type, each.text) for each in COLUMNS),
    PARTICIPATIONS,
    CONTENT,
)
TIMES: Final = frozenset(each.name for each in COLUMNS if each.type == "time")


def write_jsonl(lines: Iterable[Line], out: IO[str]) -> int:
    """One object a line, with its columns and its content as `record`. Returns how many."""
    number = 0
    for each in lines:
        told = {**_iso(row(each)), "record": content(each)}
        out.write(f"{json.dumps(told, ensure_ascii=False, separators=(',', ':'))}\n")
        number += 1
    return number


def _iso(columns: Mapping[str, Value]) -> dict[str, Value]:
    """Columns with their times as ISO 8601 in UTC: nanoseconds are more than JSON numbers hold."""
    return {name: _text(value) if name in TIMES else value for name, value in columns.items()}


def _text(time_ns: Value) -> str | None:
    if not isinstance(time_ns, int):
        return None
    return datetime.fromtimestamp(time_ns // 1000 / 1e6, UTC).isoformat(timespec="microseconds")


def write_parquet(lines: Iterable[Line], out: IO[bytes]) -> int:
    """One row each. Returns how many."""
    return write_table(map(_flat, lines), FIELDS, out)


def _flat(line: Line) -> dict[str, Any]:
    told = content(line)
    return {
        **row(line),
        "participations": participations(line),
        "record": None if told is None else json.dumps(told, ensure_ascii=False),
    }
