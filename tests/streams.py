"""A provider's reply as the stream of server-sent events that it would come in."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Piece = tuple[bytes, bool]
"""An event, and whether it is a token of the text."""


def tokens(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)


def pieces(path: str, whole: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Piece]:
    """Take a well-formed reply apart, in the words of the API that `path` belongs to."""
    if path.endswith("/messages"):
        yield from _anthropic(whole)
    elif path.endswith(":streamGenerateContent"):
        yield from _google(whole)
    else:
        yield from _openai(whole, body)


def _event(value: Mapping[str, Any], name: str = "") -> bytes:
    named = f"event: {name}\n" if name else ""
    return f"{named}data: {json.dumps(value)}\n\n".encode()


def _openai(whole: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Piece]:
    message, finish = whole["choices"][0]["message"], whole["choices"][0]["finish_reason"]

    def chunk(delta: Mapping[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return _event({"model": whole["model"], "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""}), False
    for token in tokens(message.get("reasoning_content", "")):
        yield chunk({"reasoning_content": token}), False
    for token in tokens(message["content"]):
        yield chunk({"content": token}), True
    for nth, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        named = {"id": call["id"], "function": {"name": function["name"], "arguments": ""}}
        yield chunk({"tool_calls": [{"index": nth, **named}]}), False
        for part in re.findall(r".{1,5}", function["arguments"]):
            yield chunk({"tool_calls": [{"index": nth, "function": {"arguments": part}}]}), False
    yield chunk({}, finish), False
    if "usage" in whole and body.get("stream_options", {}).get("include_usage"):
        yield _event({"model": whole["model"], "choices": [], "usage": whole["usage"]}), False
    yield b"data: [DONE]\n\n", False


def _anthropic(whole: Mapping[str, Any]) -> Iterator[Piece]:
    def event(kind: str, **fields: Any) -> bytes:
        return _event({"type": kind, **fields}, kind)

    usage = {**whole["usage"], "output_tokens": 1}
    start = {**whole, "content": [], "stop_reason": None, "usage": usage}
    yield event("message_start", message=start), False
    yield event("ping"), False
    for nth, block in enumerate(whole["content"]):
        empty = {"text": {"text": ""}, "thinking": {"thinking": ""}, "tool_use": {"input": {}}}
        yield (
            event("content_block_start", index=nth, content_block=block | empty[block["type"]]),
            False,
        )
        for delta in _deltas(block):
            told = event("content_block_delta", index=nth, delta=delta)
            yield told, delta["type"] == "text_delta"
        yield event("content_block_stop", index=nth), False
    delta = {"stop_reason": whole["stop_reason"]}
    output = {"output_tokens": whole["usage"]["output_tokens"]}
    yield event("message_delta", delta=delta, usage=output), False
    yield event("message_stop"), False


def _deltas(block: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    match block["type"]:
        case "text":
            yield from ({"type": "text_delta", "text": token} for token in tokens(block["text"]))
        case "thinking":
            yield from (
                {"type": "thinking_delta", "thinking": token} for token in tokens(block["thinking"])
            )
        case "tool_use":
            parts = re.findall(r".{1,5}", json.dumps(block["input"]))
            yield from ({"type": "input_json_delta", "partial_json": part} for part in parts)


def _google(whole: Mapping[str, Any]) -> Iterator[Piece]:
    (candidate,) = whole["candidates"]

    def response(parts: list[Mapping[str, Any]], **more: Any) -> bytes:
        content = {"role": "model", "parts": parts}
        told = {"content": content, **more.pop("candidate", {})}
        return _event({"modelVersion": whole["modelVersion"], "candidates": [told], **more})

    for part in candidate["content"]["parts"]:
        if "text" not in part:
            yield response([part]), False
            continue
        for token in tokens(part["text"]):
            yield response([{**part, "text": token}]), not part.get("thought")
    ended = {"finishReason": candidate["finishReason"]}
    yield response([], candidate=ended, usageMetadata=whole["usageMetadata"]), False
