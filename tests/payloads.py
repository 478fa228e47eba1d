"""A scripted reply as the body that each provider's API would send."""

import json
from collections.abc import Mapping
from typing import Any


def payload(path: str, model: str, reply: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    if reply.status >= 400:
        return {"error": {"message": f"scripted HTTP {reply.status}", "type": "scripted"}}
    if path.endswith("/messages"):
        return _anthropic(model, reply)
    if path.endswith("enerateContent"):
        return _google(model, reply)
    if path.endswith("/embeddings"):
        return _embeddings(body)
    return _openai(model, reply)


def _openai(model: str, reply: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = [
            {
                "id": f"call_{i}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for i, (name, arguments) in enumerate(reply.tool_calls)
        ]
    finish = reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")
    value = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": reply.served_model or model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    return value if reply.usage is None else {**value, "usage": reply.usage}


def _anthropic(model: str, reply: Any) -> dict[str, Any]:
    usage = reply.usage or {}
    details = usage.get("prompt_tokens_details", {})
    cached = details.get("cached_tokens", 0)
    blocks: list[dict[str, Any]] = []
    if reply.reasoning:
        blocks.append({"type": "thinking", "thinking": reply.reasoning, "signature": "s"})
    if reply.text:
        blocks.append({"type": "text", "text": reply.text})
    blocks += [
        {"type": "tool_use", "id": f"toolu_{i}", "name": name, "input": arguments}
        for i, (name, arguments) in enumerate(reply.tool_calls)
    ]
    return {
        "type": "message",
        "role": "assistant",
        "model": reply.served_model or model,
        "content": blocks,
        "stop_reason": reply.finish_reason or ("tool_use" if reply.tool_calls else "end_turn"),
        "usage": {
            "input_tokens": usage.get("prompt_tokens", 0) - cached,
            "cache_read_input_tokens": cached,
            "output_tokens": usage.get("completion_tokens", 0),
        },
    }


def _google(model: str, reply: Any) -> dict[str, Any]:
    usage = reply.usage or {}
    thought = usage.get("completion_tokens_details", {}).get("reasoning_tokens", 0)
    parts: list[dict[str, Any]] = []
    if reply.reasoning:
        parts.append({"text": reply.reasoning, "thought": True})
    if reply.text:
        parts.append({"text": reply.text})
    parts += [{"functionCall": {"name": n, "args": arguments}} for n, arguments in reply.tool_calls]
    return {
        "modelVersion": reply.served_model or model,
        "candidates": [
            {
                "content": {"role": "model", "parts": parts},
                "finishReason": reply.finish_reason or "STOP",
            }
        ],
        "usageMetadata": {
            "promptTokenCount": usage.get("prompt_tokens", 0),
            "cachedContentTokenCount": usage.get("prompt_tokens_details", {}).get(
                "cached_tokens", 0
            ),
            "candidatesTokenCount": usage.get("completion_tokens", 0) - thought,
            "thoughtsTokenCount": thought,
        },
    }


def _embeddings(body: Mapping[str, Any]) -> dict[str, Any]:
    """Vectors of letter counts, in reverse order to show that the index counts."""
    data = [
        {"index": i, "embedding": [float(text.lower().count(chr(97 + c))) for c in range(26)]}
        for i, text in enumerate(body["input"])
    ]
    return {"data": data[::-1], "usage": {"prompt_tokens": len(data), "total_tokens": len(data)}}
