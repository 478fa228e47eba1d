"""Records as rows of a table: what an export has of each. No I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from gremium.v1 import manifest_pb2
from gremium.v1.ledger_pb2 import (
    RECORD_KIND_END,
    RECORD_KIND_FEEDBACK,
    RECORD_KIND_SHADOW,
    RECORD_KIND_TOMBSTONE,
    Tombstone,
)
from gremium.v1.manifest_pb2 import Feedback, Manifest, Participation
from gremium.v1.shadow_pb2 import ShadowRecord
from services.ledger.chain import Record
from services.ledger.parquet import Scalar
from services.runtime.wire import duration_from_wire

Value = int | float | str | bool | None
MESSAGES: Final[dict[int, tuple[str, type[Message]]]] = {
    RECORD_KIND_END: ("end", Manifest),
    RECORD_KIND_FEEDBACK: ("feedback", Feedback),
    RECORD_KIND_SHADOW: ("shadow", ShadowRecord),
    RECORD_KIND_TOMBSTONE: ("tombstone", Tombstone),
}
"""Name and content of each kind of record."""
PARTICIPATION: Final[dict[str, Scalar]] = {
    "stage": "text",
    "name": "text",
    "model": "text",
    "provider": "text",
    "family": "text",
    "tier": "text",
    "status": "text",
    "reason": "text",
    "duration_s": "number",
    "input_tokens": "integer",
    "output_tokens": "integer",
    "cost_usd": "number",
    "model_calls": "integer",
}
"""Of each who took part, as in the manifest."""


@dataclass(frozen=True, slots=True)
class Line:
    """A record and the message that it holds."""

    record: Record
    kind: str
    message: Message | None
    """None for a kind that this release does not know."""

    @property
    def manifest(self) -> Manifest | None:
        return self.message if isinstance(self.message, Manifest) else None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an export."""

    name: str
    type: Scalar
    text: str
    """What it holds, for people."""
    of: Callable[[Line], Value]


def kind_name(kind: int) -> str:
    """`end`, `feedback`, `shadow` or `tombstone`; its number where it is of a later release."""
    return MESSAGES[kind][0] if kind in MESSAGES else str(kind)


def line_of(record: Record) -> Line:
    """A record with its message; without where it is of a later release."""
    name, (_, message) = kind_name(record.kind), MESSAGES.get(record.kind, ("", None))
    try:
        return Line(record, name, message.FromString(record.payload or b"") if message else None)
    except DecodeError:
        return Line(record, name, None)


def row(line: Line) -> dict[str, Value]:
    """All columns of a line, in their order."""
    return {column.name: column.of(line) for column in COLUMNS}


def content(line: Line) -> dict[str, Any] | None:
    """What a record holds as proto3 JSON, fields named as in the proto."""
    if line.message is None:
        return None
    return json_format.MessageToDict(line.message, preserving_proto_field_name=True)


def participations(line: Line) -> list[dict[str, Value]] | None:
    """Everyone who took part in a request; null for other kinds of records."""
    if line.manifest is None:
        return None
    return [_participation(part) for part in line.manifest.participations]


def _participation(part: Participation) -> dict[str, Value]:
    return {
        "stage": _word(manifest_pb2.Stage.Name(part.stage), "STAGE_"),
        "name": part.name,
        "model": part.model,
        "provider": part.provider,
        "family": part.family,
        "tier": part.tier,
        "status": _word(
            manifest_pb2.ParticipationStatus.Name(part.status), "PARTICIPATION_STATUS_"
        ),
        "reason": part.reason,
        "duration_s": duration_from_wire(part.duration),
        "input_tokens": part.usage.input_tokens,
        "output_tokens": part.usage.output_tokens,
        "cost_usd": part.cost_usd,
        "model_calls": part.model_calls,
    }


def _end(name: str, type_: Scalar, text: str, of: Callable[[Manifest], Value]) -> Column:
    """A column of ends of requests; null for other kinds of records."""
    return Column(name, type_, text, lambda line: of(line.manifest) if line.manifest else None)


def _word(name: str, prefix: str) -> str:
    """A value of an enum, without what all of them begin with."""
    return name.removeprefix(prefix)


COLUMNS: Final = (
    Column(
        "seq", "integer", "Place of the record in its chain, from 1.", lambda line: line.record.seq
    ),
    Column(
        "kind",
        "text",
        "`end` of a request, `feedback`, `shadow` or `tombstone`.",
        lambda line: line.kind,
    ),
    Column(
        "request_id",
        "text",
        "The request; empty for a tombstone.",
        lambda line: line.record.request_id,
    ),
    Column("recorded", "time", "When it was recorded.", lambda line: line.record.time_ns),
    _end("ensemble", "text", "The ensemble that was asked.", lambda m: m.ensemble),
    _end("pattern", "text", "`route`, `jury`, `cascade` or `specialists`.", lambda m: m.pattern),
    _end(
        "state",
        "text",
        "`COMPLETED` or `FAILED`.",
        lambda m: _word(manifest_pb2.ManifestState.Name(m.state), "MANIFEST_STATE_"),
    ),
    _end(
        "outcome",
        "text",
        "`ANSWERED`, `NO_CONSENSUS` or `REJECTED`; null where it failed.",
        lambda m: _word(manifest_pb2.Outcome.Name(m.outcome), "OUTCOME_") if m.outcome else None,
    ),
    _end(
        "error",
        "text",
        "Reason of its error; null where it completed.",
        lambda m: m.error.reason or None,
    ),
    _end("degraded", "boolean", "Whether somebody was missing or replaced.", lambda m: m.degraded),
    _end("unjudged", "boolean", "Whether no judge passed the answer.", lambda m: m.unjudged),
    _end(
        "confidence",
        "number",
        "Confidence in the answer, in [0, 1]; null where unknown.",
        lambda m: m.confidence if m.HasField("confidence") else None,
    ),
    _end(
        "divergence",
        "number",
        "How far the jurors of the last tally disagree, in [0, 1].",
        lambda m: m.tallies[-1].divergence if m.tallies else None,
    ),
    _end("chosen_juror", "text", "Juror whose answer was given.", lambda m: m.chosen_juror),
    _end("chosen_tier", "text", "Tier whose answer was given.", lambda m: m.chosen_tier),
    _end("began", "time", "When the request arrived.", lambda m: m.start_time.ToNanoseconds()),
    _end(
        "duration_s",
        "number",
        "Seconds from arrival to the end.",
        lambda m: duration_from_wire(m.duration),
    ),
    _end(
        "timeout_s",
        "number",
        "Seconds that the caller allowed.",
        lambda m: duration_from_wire(m.timeout),
    ),
    _end("cost_usd", "number", "US dollars, all participations together.", lambda m: m.cost_usd),
    _end("model_calls", "integer", "Calls to models.", lambda m: m.model_calls),
    _end("input_tokens", "integer", "Tokens that models read.", lambda m: m.usage.input_tokens),
    _end("output_tokens", "integer", "Tokens that models wrote.", lambda m: m.usage.output_tokens),
    _end("caller", "text", "Who asked.", lambda m: m.caller),
    _end(
        "config_sha256", "text", "SHA-256 of the configuration, in hex.", lambda m: m.config_sha256
    ),
    _end("calibration_id", "text", "Calibration in use; empty: none.", lambda m: m.calibration_id),
    _end("trace_id", "text", "OpenTelemetry trace; empty when not sampled.", lambda m: m.trace_id),
    Column(
        "previous",
        "text",
        "Hash of the record before, in hex.",
        lambda line: line.record.previous.hex(),
    ),
    Column("hash", "text", "Hash of the record, in hex.", lambda line: line.record.hash.hex()),
    Column(
        "signature",
        "text",
        "Ed25519 over the hash, in hex; empty: unsigned.",
        lambda line: line.record.signature.hex(),
    ),
)
"""The columns of an export beside its content."""
