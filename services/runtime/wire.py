"""Contract messages to values and back."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from gremium.v1 import types_pb2
from services.core.answers import Answer, FinishReason, Usage
from services.core.canonical import check_format
from services.core.errors import InvalidRequestError
from services.core.lease import Lease
from services.core.prompts import (
    Image,
    Message,
    OutputFormat,
    Params,
    Part,
    Passage,
    Prompt,
    Role,
    Tool,
    ToolCall,
    ToolResult,
)
from services.runtime.aside import aside

ROLES: Final[dict[int, Role]] = {
    types_pb2.ROLE_SYSTEM: "system",
    types_pb2.ROLE_USER: "user",
    types_pb2.ROLE_ASSISTANT: "assistant",
    types_pb2.ROLE_TOOL: "tool",
}
FINISH_TO_WIRE: Final = {
    FinishReason.UNKNOWN: types_pb2.FINISH_REASON_UNSPECIFIED,
    FinishReason.STOP: types_pb2.FINISH_REASON_STOP,
    FinishReason.LENGTH: types_pb2.FINISH_REASON_LENGTH,
    FinishReason.TOOL_CALLS: types_pb2.FINISH_REASON_TOOL_CALLS,
    FinishReason.CONTENT_FILTER: types_pb2.FINISH_REASON_CONTENT_FILTER,
}
FINISH_FROM_WIRE: Final = {int(number): reason for reason, number in FINISH_TO_WIRE.items()}


def prompt_from_wire(message: types_pb2.Prompt) -> Prompt:
    """Read a prompt.

    Raises
    ------
    InvalidRequestError
        If it asks nothing, its format or a tool is one that no answer can be
        read by, or a tool result answers no earlier call.
    """
    prompt = Prompt(
        messages=tuple(_message_from_wire(turn) for turn in message.messages),
        tools=tools_from_wire(message.tools),
        output_format=output_format_from_wire(message.output_format),
        params=_params_from_wire(message.params),
        passages=tuple(Passage(p.id, p.text, p.source) for p in message.grounding.passages),
    )
    if not any(turn.text.strip() or _holds_more_than_text(turn) for turn in prompt.messages):
        raise InvalidRequestError(
            "prompt is blank", violations=(("prompt.messages", "must hold something to answer"),)
        )
    check_format(prompt.output_format, prompt.tools, within="prompt.")
    _check_results(part for turn in prompt.messages for part in turn.parts)
    return prompt


async def prompt_aside(message: types_pb2.Prompt) -> Prompt:
    """Read a prompt as `prompt_from_wire` does, a large one beside the event loop."""
    return await aside(message.ByteSize(), prompt_from_wire, message)


def _check_results(parts: Iterable[Part]) -> None:
    """Refuse a tool result without its call. No rule in the proto could do it in linear time."""
    called, nameless = set(), 0
    for part in parts:
        match part:
            case ToolCall(id=""):
                nameless += 1
            case ToolCall():
                called.add(part.id)
            case ToolResult(tool_call_id="") if nameless:
                nameless -= 1
            case ToolResult() if part.tool_call_id not in called:
                problem = f"{part.tool_call_id!r} names no earlier tool call"
                field = "prompt.messages.parts.tool_result.tool_call_id"
                raise InvalidRequestError(f"{field}: {problem}", violations=((field, problem),))


def _holds_more_than_text(turn: Message) -> bool:
    return any(not isinstance(part, str) for part in turn.parts)


def _message_from_wire(message: types_pb2.Message) -> Message:
    return Message(ROLES[message.role], tuple(_part_from_wire(part) for part in message.parts))


def _part_from_wire(part: types_pb2.Part) -> Part:
    match part.WhichOneof("kind"):
        case "image":
            return Image(part.image.url, part.image.data, part.image.media_type)
        case "tool_call":
            return _tool_call_from_wire(part.tool_call)
        case "tool_result":
            result = part.tool_result
            return ToolResult(result.tool_call_id, result.content, result.is_error)
        case _:
            return part.text


def _tool_call_from_wire(call: types_pb2.ToolCall) -> ToolCall:
    return ToolCall(call.name, call.arguments_json, call.id)


def tools_from_wire(tools: Iterable[types_pb2.Tool]) -> tuple[Tool, ...]:
    """Read tools.

    Raises
    ------
    InvalidRequestError
        If a parameters schema is no JSON object, or describes none.
    """
    return tuple(Tool(t.name, t.description, _parameters(t)) for t in tools)


def _parameters(tool: types_pb2.Tool) -> Mapping[str, Any]:
    field = "tools.parameters_schema_json"
    schema = _schema(tool.parameters_schema_json, field) or {}
    if schema.get("type", "object") != "object":
        problem = f"must describe an object, not {str(schema['type'])[:64]}"
        raise InvalidRequestError(f"{field} {problem}", violations=((field, problem),))
    return schema


def output_format_from_wire(message: types_pb2.OutputFormat) -> OutputFormat:
    """Read an output format.

    Raises
    ------
    InvalidRequestError
        If its schema is no JSON object.
    """
    may = message.may_abstain
    match message.WhichOneof("kind"):
        case "labels":
            return OutputFormat("labels", labels=tuple(message.labels.labels), may_abstain=may)
        case "json":
            schema = _schema(message.json.schema_json, "output_format.json.schema_json")
            return OutputFormat("json", schema=schema, may_abstain=may)
        case "number" if message.number.HasField("relative_tolerance"):
            tolerance = message.number.relative_tolerance
            return OutputFormat("number", relative_tolerance=tolerance, may_abstain=may)
        case "number":
            return OutputFormat("number", may_abstain=may)
        case _:
            return OutputFormat(may_abstain=may)


def output_format_to_wire(wanted: OutputFormat) -> types_pb2.OutputFormat:
    may = wanted.may_abstain
    match wanted.kind:
        case "labels":
            labels = types_pb2.LabelFormat(labels=wanted.labels)
            return types_pb2.OutputFormat(labels=labels, may_abstain=may)
        case "number":
            tolerance = types_pb2.NumberFormat(relative_tolerance=wanted.relative_tolerance)
            return types_pb2.OutputFormat(number=tolerance, may_abstain=may)
        case "json":
            text = "" if wanted.schema is None else orjson.dumps(wanted.schema).decode()
            form = types_pb2.JsonFormat(schema_json=text)
            return types_pb2.OutputFormat(json=form, may_abstain=may)
        case "text":
            return types_pb2.OutputFormat(text=types_pb2.TextFormat(), may_abstain=may)


def _schema(text: str, field: str) -> Mapping[str, Any] | None:
    if not text:
        return None
    try:
        schema = orjson.loads(text)
    except orjson.JSONDecodeError as err:
        problem = f"is no JSON: {err}"
        raise InvalidRequestError(f"{field} {problem}", violations=((field, problem),)) from err
    if not isinstance(schema, dict):
        problem = f"must be a JSON object, is {type(schema).__name__}"
        raise InvalidRequestError(f"{field} {problem}", violations=((field, problem),))
    return schema


def _params_from_wire(message: types_pb2.GenerationParams) -> Params:
    return Params(
        temperature=message.temperature if message.HasField("temperature") else None,
        top_p=message.top_p if message.HasField("top_p") else None,
        max_output_tokens=(
            message.max_output_tokens if message.HasField("max_output_tokens") else None
        ),
        seed=message.seed if message.HasField("seed") else None,
        stop=tuple(message.stop),
    )


def answer_from_wire(message: types_pb2.Answer) -> Answer:
    return Answer(
        juror=message.juror,
        text=message.text,
        tool_calls=tuple(_tool_call_from_wire(call) for call in message.tool_calls),
        model=message.model,
        family=message.family,
        finish_reason=FINISH_FROM_WIRE[message.finish_reason],
        mean_logprob=message.mean_logprob if message.HasField("mean_logprob") else None,
    )


def answer_to_wire(answer: Answer) -> types_pb2.Answer:
    return types_pb2.Answer(
        juror=answer.juror,
        text=answer.text,
        tool_calls=[tool_call_to_wire(call) for call in answer.tool_calls],
        model=answer.model,
        family=answer.family,
        finish_reason=FINISH_TO_WIRE[answer.finish_reason],
        mean_logprob=answer.mean_logprob,
    )


def tool_call_to_wire(call: ToolCall) -> types_pb2.ToolCall:
    return types_pb2.ToolCall(id=call.id, name=call.name, arguments_json=call.arguments_json)


def usage_to_wire(usage: Usage) -> types_pb2.Usage:
    return types_pb2.Usage(
        input_tokens=usage.input_tokens,
        cached_input_tokens=usage.cached_input_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
    )


def usage_from_wire(message: types_pb2.Usage) -> Usage:
    return Usage(
        message.input_tokens,
        message.cached_input_tokens,
        message.output_tokens,
        message.reasoning_tokens,
    )


def lease_from_wire(message: types_pb2.Lease) -> Lease:
    return Lease(
        message.cost_usd if message.HasField("cost_usd") else None,
        message.model_calls if message.HasField("model_calls") else None,
        message.tokens if message.HasField("tokens") else None,
    )


def lease_to_wire(lease: Lease) -> types_pb2.Lease:
    return types_pb2.Lease(
        cost_usd=lease.cost_usd, model_calls=lease.model_calls, tokens=lease.tokens
    )


def cut(text: str, *, most_bytes: int) -> str:
    """As much of a text as fits, cut between characters."""
    return text[:most_bytes].encode(errors="replace")[:most_bytes].decode(errors="ignore")


def duration_to_wire(seconds: float) -> Duration:
    nanos = round(seconds * 1e9)
    return Duration(seconds=nanos // 10**9, nanos=nanos % 10**9)


def duration_from_wire(message: Duration) -> float:
    """Seconds."""
    return message.seconds + message.nanos / 1e9


def timestamp_to_wire(moment: datetime) -> Timestamp:
    seconds = math.floor(moment.timestamp())
    return Timestamp(seconds=seconds, nanos=moment.microsecond * 1000)
