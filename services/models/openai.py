"""OpenAI's chat completions, the protocol that most servers speak."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from services.config.tree import Model
from services.core.answers import FinishReason, ModelReply, ModelRequest
from services.core.deadline import Deadline
from services.core.errors import BackendError
from services.core.prompts import Image, Message, Prompt, ToolCall, ToolResult
from services.core.visible import visible_text
from services.models.conversation import (
    NO_ARGUMENTS,
    Conversation,
    answer_schema,
    answer_text,
    conversation,
)
from services.models.endpoint import Endpoint
from services.models.listening import Listener
from services.models.openai_stream import ChatAssembly, apart
from services.models.pricing import counted
from services.models.reading import (
    arguments_json,
    error_text,
    items,
    logprob,
    mapping,
    number,
    text,
    usd,
)
from services.models.streaming import streamed
from services.models.usage import chat_usage

API: Final = "https://api.openai.com/v1"
PATH: Final = "/chat/completions"
FINISH: Final = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}
BROKEN_OFF: Final = frozenset({"error", "insufficient_system_resource", "abort"})
"""Ends of a reply that its server did not finish: OpenRouter's and Mistral's, DeepSeek's, vLLM's."""


class OpenAIBackend:
    """A model behind `/chat/completions`."""

    def __init__(self, endpoint: Endpoint, spec: Model, *, default_instruction: str = "") -> None:
        self._endpoint = endpoint
        self._spec = spec
        self._default_instruction = default_instruction
        self._may_ask_for_usage = True

    async def generate(
        self, request: ModelRequest, *, deadline: Deadline, listener: Listener | None = None
    ) -> ModelReply:
        talk = conversation(request, default_instruction=self._default_instruction)
        body = chat_body(talk, request.prompt, self._spec, host=self._endpoint.host)

        if listener is None:
            reply = await self._endpoint.post(PATH, body, deadline=deadline)
        else:
            reply = await self._streamed(body, listener, deadline=deadline)

        begun = self._spec.begins_in_reasoning
        return chat_reply(reply, self._choice(reply), request, begun=begun)

    def _choice(self, reply: Mapping[str, Any]) -> Mapping[str, Any]:
        """The first choice; servers report a failure in it, too, after they said that all is well."""
        choice = next(iter(items(reply.get("choices"))), {})
        if (error := choice.get("error")) or choice.get("finish_reason") in BROKEN_OFF:
            raise self._endpoint.broken(error_text(error or choice["finish_reason"]))
        if not isinstance(choice.get("message"), dict):
            said = self._endpoint.quoted(str(reply.get("error") or reply))
            raise self._endpoint.invalid(f"its reply has no message: {said}")
        return choice

    async def _streamed(
        self, body: dict[str, Any], listener: Listener, *, deadline: Deadline
    ) -> dict[str, Any]:
        """Ask for a stream that tells its usage; Mistral refuses the wish and tells it anyway."""
        wish = {"stream_options": {"include_usage": True}} if self._may_ask_for_usage else {}
        body = {**body, "stream": True}
        assembly = ChatAssembly(listener, begun=self._spec.begins_in_reasoning)
        try:
            return await streamed(
                self._endpoint, PATH, {**body, **wish}, assembly, deadline=deadline
            )
        except BackendError as err:
            if not wish or "http_status" not in err.metadata or "stream_options" not in str(err):
                raise
        self._may_ask_for_usage = False
        return await streamed(self._endpoint, PATH, body, assembly, deadline=deadline)


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def chat_body(talk: Conversation, prompt: Prompt, spec: Model, *, host: str) -> dict[str, Any]:
    """The request's body; only what is set, since servers refuse what they do not know."""
    params = prompt.params
    temperature = spec.temperature if params.temperature is None else params.temperature
    # OpenAI's reasoning models refuse `max_tokens`; other servers know nothing else.
    limit = "max_completion_tokens" if host == "api.openai.com" else "max_tokens"
    body: dict[str, Any] = {
        "model": spec.model,
        "messages": _messages(talk),
        limit: params.max_output_tokens or spec.max_output_tokens,
        "temperature": temperature,
        "top_p": params.top_p,
        "seed": params.seed,
        "logprobs": spec.logprobs or None,
        "stop": list(params.stop) or None,
        "tools": [_tool(t.name, t.description, t.parameters) for t in prompt.tools] or None,
        "response_format": _response_format(prompt),
    }
    return {name: value for name, value in body.items() if value is not None}


def _messages(talk: Conversation) -> list[dict[str, Any]]:
    first = [{"role": "system", "content": talk.system}] if talk.system else []
    return [*first, *(message for turn in talk.turns for message in _turn(turn))]


def _turn(turn: Message) -> list[dict[str, Any]]:
    """A turn as messages: tool results stand alone, one each."""
    results = [
        {"role": "tool", "tool_call_id": part.tool_call_id, "content": part.content}
        for part in turn.parts
        if isinstance(part, ToolResult)
    ]
    calls = [_call(part) for part in turn.parts if isinstance(part, ToolCall)]
    said = [part for part in turn.parts if isinstance(part, str | Image)]
    if not said and not calls:
        return results
    role = "user" if turn.role == "tool" else turn.role
    message: dict[str, Any] = {"role": role, "content": _content(said)}
    if calls:
        message["tool_calls"] = calls
    return [*results, message]


def _content(parts: list[str | Image]) -> str | list[dict[str, Any]] | None:
    """Plain text where it is only text: not every server takes parts."""
    if all(isinstance(part, str) for part in parts):
        return "\n".join(str(part) for part in parts) if parts else None
    return [_part(part) for part in parts]


def _part(part: str | Image) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    url = part.url or f"data:{part.media_type};base64,{base64.b64encode(part.data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments_json or "{}"}
    return {"id": call.id, "type": "function", "function": function}


def _tool(name: str, description: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    function = {
        "name": name,
        "description": description,
        "parameters": parameters or NO_ARGUMENTS,
    }
    return {"type": "function", "function": function}


def _response_format(prompt: Prompt) -> dict[str, Any] | None:
    schema = answer_schema(prompt)
    if schema is not None:
        named = {"name": "answer", "schema": schema, "strict": is_strict(schema)}
        return {"type": "json_schema", "json_schema": named}
    if prompt.output_format.kind == "json" and not prompt.tools:
        return {"type": "json_object"}
    return None


def is_strict(schema: object) -> bool:
    """Whether every object of a schema is closed and requires all it names.

    OpenAI enforces only such schemas, and refuses others marked `strict`.
    """
    if isinstance(schema, list):
        return all(is_strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object":
        closed = schema.get("additionalProperties") is False
        named = set(mapping(schema.get("properties")))
        if not closed or named != set(schema.get("required", [])):
            return False
    return all(is_strict(value) for value in schema.values())


def chat_reply(
    reply: Mapping[str, Any],
    choice: Mapping[str, Any],
    request: ModelRequest,
    *,
    begun: bool = False,
) -> ModelReply:
    """Read the first choice; hidden reasoning is no part of its text.

    `begun`: the text begins in reasoning, unless the server parted that from it.
    """
    message = mapping(choice.get("message"))
    written = _message_text(message)
    said = visible_text(written, begun=begun and not apart(message))
    calls = tuple(_tool_call(call) for call in items(message.get("tool_calls")))
    told = mapping(reply.get("usage"))
    usage, estimated = counted(chat_usage(told), request, written)
    return ModelReply(
        text=answer_text(said, request.prompt.output_format),
        tool_calls=calls,
        finish_reason=FINISH.get(text(choice.get("finish_reason")), FinishReason.UNKNOWN),
        usage=usage,
        usage_estimated=estimated,
        served_model=text(reply.get("model")),
        mean_logprob=_mean_logprob(choice),
        # OpenRouter and others say what the call cost.
        cost_usd=usd(told.get("cost")),
    )


def _message_text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        parts = [text(p.get("text")) for p in items(content) if p.get("type") == "text"]
        content = "".join(parts)
    return text(content) or text(message.get("refusal"))


def _tool_call(call: Mapping[str, Any]) -> ToolCall:
    function = mapping(call.get("function"))
    return ToolCall(
        name=text(function.get("name")),
        arguments_json=arguments_json(function.get("arguments")),
        id=text(call.get("id")),
    )


def _mean_logprob(choice: Mapping[str, Any]) -> float | None:
    told = items(mapping(choice.get("logprobs")).get("content"))
    numbers = [number(item.get("logprob")) for item in told]
    given = [value for value in numbers if value is not None]
    return logprob(sum(given) / len(given)) if given else None
