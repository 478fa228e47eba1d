"""Anthropic's Messages API."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from services.config.tree import Model
from services.core.answers import FinishReason, ModelReply, ModelRequest
from services.core.deadline import Deadline
from services.core.prompts import Image, Message, Part, Prompt, ToolCall, ToolResult
from services.models.anthropic_stream import MessageAssembly
from services.models.conversation import (
    NO_ARGUMENTS,
    Conversation,
    answer_schema,
    answer_text,
    conversation,
)
from services.models.endpoint import Endpoint
from services.models.listening import Listener
from services.models.pricing import counted
from services.models.reading import (
    arguments_json,
    arguments_object,
    items,
    mapping,
    text,
)
from services.models.streaming import streamed
from services.models.usage import messages_usage

API: Final = "https://api.anthropic.com/v1"
VERSION: Final = "2023-06-01"
ANSWER_TOOL: Final = "answer"
"""A structured answer is asked for as the call of this tool, which every Claude can make."""
FINISH: Final = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}


class AnthropicBackend:
    """A model behind `/messages`."""

    def __init__(self, endpoint: Endpoint, spec: Model) -> None:
        self._endpoint = endpoint
        self._spec = spec

    async def generate(
        self, request: ModelRequest, *, deadline: Deadline, listener: Listener | None = None
    ) -> ModelReply:
        body = messages_body(conversation(request), request.prompt, self._spec)

        if listener is None:
            reply = await self._endpoint.post("/messages", body, deadline=deadline)
        else:
            assembly = MessageAssembly(listener, by_tool=wants_answer_tool(request.prompt))
            body["stream"] = True
            reply = await streamed(self._endpoint, "/messages", body, assembly, deadline=deadline)

        if not isinstance(reply.get("content"), list):
            said = self._endpoint.quoted(str(reply.get("error") or reply))
            raise self._endpoint.invalid(f"its reply has no content: {said}")
        return messages_reply(reply, request)


def headers(key: str) -> dict[str, str]:
    return {"x-api-key": key, "anthropic-version": VERSION}


def messages_body(talk: Conversation, prompt: Prompt, spec: Model) -> dict[str, Any]:
    """The request's body. The API has no seed, and newer models take one way of sampling only."""
    params = prompt.params
    temperature = params.temperature
    if temperature is None and params.top_p is None:
        temperature = spec.temperature
    body: dict[str, Any] = {
        "model": spec.model,
        "system": talk.system or None,
        "messages": _messages(talk),
        "max_tokens": params.max_output_tokens or spec.max_output_tokens,
        "temperature": None if temperature is None else min(temperature, 1.0),
        "top_p": params.top_p if temperature is None else None,
        "stop_sequences": list(params.stop) or None,
        **_tools(prompt),
    }
    return {name: value for name, value in body.items() if value is not None}


def _messages(talk: Conversation) -> list[dict[str, Any]]:
    return [
        {
            "role": "assistant" if turn.role == "assistant" else "user",
            "content": _blocks(turn),
        }
        for turn in talk.turns
    ]


def _blocks(turn: Message) -> list[dict[str, Any]]:
    """Blocks of a turn; results come first, where the API wants them."""
    parts = sorted(turn.parts, key=lambda part: not isinstance(part, ToolResult))
    return [_block(part) for part in parts if part != ""]


def _block(part: Part) -> dict[str, Any]:
    match part:
        case str():
            return {"type": "text", "text": part}
        case Image():
            return {"type": "image", "source": _source(part)}
        case ToolCall():
            arguments = arguments_object(part.arguments_json)
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments}
        case ToolResult():
            return {
                "type": "tool_result",
                "tool_use_id": part.tool_call_id,
                "content": part.content,
                "is_error": part.is_error,
            }


def _source(image: Image) -> dict[str, str]:
    if image.url:
        return {"type": "url", "url": image.url}
    data = base64.b64encode(image.data).decode()
    return {"type": "base64", "media_type": image.media_type, "data": data}


def _tools(prompt: Prompt) -> dict[str, Any]:
    if prompt.tools:
        listed = [
            {
                "name": tool.name,
                "description": tool.description,
                "input_schema": tool.parameters or NO_ARGUMENTS,
            }
            for tool in prompt.tools
        ]
        return {"tools": listed}
    if not wants_answer_tool(prompt):
        return {}
    tool = {
        "name": ANSWER_TOOL,
        "description": "Gives the answer.",
        "input_schema": answer_schema(prompt),
    }
    return {"tools": [tool], "tool_choice": {"type": "tool", "name": ANSWER_TOOL}}


def wants_answer_tool(prompt: Prompt) -> bool:
    """Whether the answer has a schema that a tool's input can have: an object."""
    schema = answer_schema(prompt)
    return schema is not None and schema.get("type") == "object"


def messages_reply(reply: Mapping[str, Any], request: ModelRequest) -> ModelReply:
    """Read a message; thinking blocks are no part of its text."""
    prompt = request.prompt
    blocks = items(reply.get("content"))
    written = "".join(text(b.get("text")) for b in blocks if b.get("type") == "text")
    calls = tuple(_tool_call(b) for b in blocks if b.get("type") == "tool_use")
    finish = FINISH.get(text(reply.get("stop_reason")), FinishReason.UNKNOWN)
    if wants_answer_tool(prompt) and calls:
        written, calls = calls[0].arguments_json, ()
        finish = FinishReason.STOP if finish is FinishReason.TOOL_CALLS else finish
    usage, estimated = counted(messages_usage(mapping(reply.get("usage"))), request, written)
    return ModelReply(
        text=answer_text(written, prompt.output_format),
        tool_calls=calls,
        finish_reason=finish,
        usage=usage,
        usage_estimated=estimated,
        served_model=text(reply.get("model")),
    )


def _tool_call(block: Mapping[str, Any]) -> ToolCall:
    return ToolCall(
        name=text(block.get("name")),
        arguments_json=arguments_json(block.get("input")),
        id=text(block.get("id")),
    )
