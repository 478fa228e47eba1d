"""Google's Gemini API, `generateContent`."""

import base64
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from services.config.tree import Model
from services.core.answers import FinishReason, ModelReply, ModelRequest
from services.core.deadline import Deadline
from services.core.prompts import Image, Message, Part, Prompt, Tool, ToolCall, ToolResult
from services.models.conversation import Conversation, answer_schema, answer_text, conversation
from services.models.endpoint import Endpoint
from services.models.google_stream import ContentAssembly
from services.models.listening import Listener
from services.models.pricing import counted
from services.models.reading import (
    arguments_json,
    arguments_object,
    items,
    logprob,
    mapping,
    text,
)
from services.models.streaming import streamed
from services.models.usage import content_usage

API: Final = "https://generativelanguage.googleapis.com/v1beta"
FINISH: Final = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"),
        FinishReason.CONTENT_FILTER,
    ),
}
BROKEN_OFF: Final = frozenset(
    {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE"}
)
"""Ends of a reply that holds at most what the model said before it failed: no answer."""
SIGNED: Final = re.compile(r"gemini-(?![12][.-])")
"""Models that refuse a call of a tool without the signature of the thoughts that led to it."""
NO_SIGNATURE: Final = "skip_thought_signature_validator"
"""What the API wants instead for a call of which no signature is known, as of another model."""


class GoogleBackend:
    """A model behind `/models/{model}:generateContent`."""

    def __init__(self, endpoint: Endpoint, spec: Model) -> None:
        self._endpoint = endpoint
        self._spec = spec

    async def generate(
        self, request: ModelRequest, *, deadline: Deadline, listener: Listener | None = None
    ) -> ModelReply:
        body = content_body(conversation(request), request.prompt, self._spec)
        path = f"/models/{_model(self._spec)}"

        if listener is None:
            reply = await self._endpoint.post(f"{path}:generateContent", body, deadline=deadline)
        else:
            path, assembly = f"{path}:streamGenerateContent?alt=sse", ContentAssembly(listener)
            reply = await streamed(self._endpoint, path, body, assembly, deadline=deadline)

        if not items(reply.get("candidates")) and not mapping(reply.get("promptFeedback")):
            said = self._endpoint.quoted(str(reply.get("error") or reply))
            raise self._endpoint.invalid(f"its reply has no candidates: {said}")
        for candidate in items(reply.get("candidates"))[:1]:
            if (ended := text(candidate.get("finishReason"))) in BROKEN_OFF:
                raise self._endpoint.invalid(f"its reply ended with {ended}")
        return content_reply(reply, request)


def headers(key: str) -> dict[str, str]:
    return {"x-goog-api-key": key} if key else {}


def content_body(talk: Conversation, prompt: Prompt, spec: Model) -> dict[str, Any]:
    """The request's body."""
    signed = SIGNED.match(_model(spec)) is not None
    body: dict[str, Any] = {
        "contents": [_content(turn, talk, signed=signed) for turn in talk.turns],
        "generationConfig": _generation(prompt, spec),
    }
    if talk.system:
        body["systemInstruction"] = {"parts": [{"text": talk.system}]}
    if prompt.tools:
        body["tools"] = [{"functionDeclarations": [_declaration(tool) for tool in prompt.tools]}]
    return body


def _model(spec: Model) -> str:
    return spec.model.removeprefix("models/")


def _generation(prompt: Prompt, spec: Model) -> dict[str, Any]:
    params, schema = prompt.params, answer_schema(prompt)
    wants_json = schema is not None or (prompt.output_format.kind == "json" and not prompt.tools)
    config: dict[str, Any] = {
        "temperature": spec.temperature if params.temperature is None else params.temperature,
        "topP": params.top_p,
        "maxOutputTokens": params.max_output_tokens or spec.max_output_tokens,
        "seed": params.seed,
        "stopSequences": list(params.stop) or None,
        "responseMimeType": "application/json" if wants_json else None,
        "responseJsonSchema": schema,
    }
    return {name: value for name, value in config.items() if value is not None}


def _declaration(tool: Tool) -> dict[str, Any]:
    declared = {"name": tool.name, "description": tool.description}
    return {**declared, "parametersJsonSchema": tool.parameters} if tool.parameters else declared


def _content(turn: Message, talk: Conversation, *, signed: bool) -> dict[str, Any]:
    role = "model" if turn.role == "assistant" else "user"
    return {"role": role, "parts": [_part(part, talk, signed=signed) for part in turn.parts]}


def _part(part: Part, talk: Conversation, *, signed: bool) -> dict[str, Any]:
    match part:
        case str():
            return {"text": part}
        case Image(url="") as image:
            data = base64.b64encode(image.data).decode()
            return {"inlineData": {"mimeType": image.media_type, "data": data}}
        case Image():
            return {"fileData": {"fileUri": part.url}}
        case ToolCall():
            arguments = arguments_object(part.arguments_json)
            call = {"functionCall": {"name": part.name, "args": arguments}}
            return {**call, "thoughtSignature": NO_SIGNATURE} if signed else call
        case ToolResult():
            name = talk.tool_names.get(part.tool_call_id, part.tool_call_id)
            return {"functionResponse": {"name": name, "response": _response(part)}}


def _response(result: ToolResult) -> Mapping[str, Any]:
    """A result as the object that the API wants."""
    if result.is_error:
        return {"error": result.content}
    try:
        value = orjson.loads(result.content)
    except orjson.JSONDecodeError:
        value = result.content
    return value if isinstance(value, dict) else {"result": value}


def content_reply(reply: Mapping[str, Any], request: ModelRequest) -> ModelReply:
    """Read the first candidate; thoughts are no part of its text."""
    candidate = next(iter(items(reply.get("candidates"))), {})
    parts = items(mapping(candidate.get("content")).get("parts"))
    written = "".join(text(p.get("text")) for p in parts if p.get("thought") is not True)
    calls = tuple(_tool_call(mapping(p["functionCall"])) for p in parts if "functionCall" in p)
    usage, estimated = counted(content_usage(mapping(reply.get("usageMetadata"))), request, written)
    return ModelReply(
        text=answer_text(written, request.prompt.output_format),
        tool_calls=calls,
        finish_reason=_finish(reply, candidate, calls),
        usage=usage,
        usage_estimated=estimated,
        served_model=text(reply.get("modelVersion")),
        mean_logprob=logprob(candidate.get("avgLogprobs")),
    )


def _finish(
    reply: Mapping[str, Any], candidate: Mapping[str, Any], calls: tuple[ToolCall, ...]
) -> FinishReason:
    """Why it ended: a blocked prompt has no candidate, and calls end with STOP."""
    if mapping(reply.get("promptFeedback")).get("blockReason"):
        return FinishReason.CONTENT_FILTER
    said = FINISH.get(text(candidate.get("finishReason")), FinishReason.UNKNOWN)
    return FinishReason.TOOL_CALLS if calls and said is FinishReason.STOP else said


def _tool_call(call: Mapping[str, Any]) -> ToolCall:
    return ToolCall(
        name=text(call.get("name")),
        arguments_json=arguments_json(call.get("args")),
        id=text(call.get("id")),
    )
