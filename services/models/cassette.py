"""Cassettes: recorded answers in a JSONL file, found by prompt and model.

A line by hand: `{"model": "gpt-x", "prompt": "6 x 7?", "text": "42"}`, and as far as known
`usage`, `cost_usd`, `finish_reason`, `tool_calls`, and `labels` where the prompt gave some.
Recorded lines have a `key` instead of the `prompt`; a miss names the key that it looked for.
"""

import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from services.core.answers import FinishReason, ModelReply, Usage
from services.core.prompts import Image, Message, OutputFormat, Part, Prompt, ToolCall, ToolResult
from services.models.reading import arguments_json, items, logprob, mapping, text, tokens, usd

logger = logging.getLogger(__name__)


def cassette_key(prompt: Prompt, model: str) -> str:
    """Name of a prompt to a model, 64 hex digits.

    It covers what is asked: conversation, tools, shape of the answer, passages.
    How the model generates and a juror's instruction are no part of it.
    """
    asked: dict[str, Any] = {
        "model": model,
        "messages": [_message(turn) for turn in prompt.messages],
    }
    if prompt.tools:
        asked["tools"] = [[t.name, t.description, dict(t.parameters)] for t in prompt.tools]
    if prompt.output_format != OutputFormat():
        asked["output_format"] = _shape(prompt.output_format)
    if prompt.passages:
        asked["passages"] = [[p.id, p.text] for p in prompt.passages]
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _shape(wanted: OutputFormat) -> dict[str, Any]:
    schema = None if wanted.schema is None else dict(wanted.schema)
    shape = {"kind": wanted.kind, "labels": list(wanted.labels), "schema": schema}
    return {**shape, "may_abstain": True} if wanted.may_abstain else shape


def _message(turn: Message) -> list[Any]:
    return [turn.role, [_part(part) for part in turn.parts]]


def _part(part: Part) -> Any:
    match part:
        case str():
            return part
        case Image():
            return {"image": part.url or hashlib.sha256(part.data).hexdigest()}
        case ToolCall():
            return {"call": [part.id, part.name, part.arguments_json]}
        case ToolResult():
            return {"result": [part.tool_call_id, part.content, part.is_error]}


class Cassette:
    """One file of recordings, shared by all models that name it.

    Processes may append to the same file: lines of others are found too.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[str, list[bytes]] = {}
        self._read_to = 0
        self._line_number = 0

    def recordings(self, key: str) -> list[ModelReply]:
        """All recordings of a key, oldest first."""
        if key not in self._lines:
            self.load()
        return [reply_from_line(orjson.loads(line)) for line in self._lines.get(key, ())]

    def record(self, key: str, *, model: str, question: str, reply: ModelReply) -> None:
        """Append a recording as one whole line."""
        line = orjson.dumps(reply_to_line(key, model=model, question=question, reply=reply))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(file, self._after_torn_line(file) + line + b"\n")
        finally:
            os.close(file)

    def _after_torn_line(self, file: int) -> bytes:
        """A line break where the file does not end with one."""
        size = os.lseek(file, 0, os.SEEK_END)
        if size == 0:
            return b""
        os.lseek(file, size - 1, os.SEEK_SET)
        return b"" if os.read(file, 1) == b"\n" else b"\n"

    def load(self) -> None:
        """Read what was appended since the last time."""
        if not self.path.exists() or self.path.stat().st_size == self._read_to:
            return
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            for line in file:
                if not line.endswith(b"\n") and _key(line) is None:
                    return  # somebody is still writing it
                self._line_number += 1
                self._read_to += len(line)
                self._add(line.strip())

    def _add(self, line: bytes) -> None:
        if not line:
            return
        key = _key(line)
        if key is None:
            logger.warning("%s:%d is no recording and is left out", self.path, self._line_number)
            return
        self._lines.setdefault(key, []).append(line)


def _key(line: bytes) -> str | None:
    """Key of a line as it stands in the file; None for what is no recording."""
    try:
        return line_key(orjson.loads(line))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None


def line_key(line: Mapping[str, Any]) -> str:
    """The key of a line: as it says, or of its `prompt` as a user's only turn and its `model`."""
    if "key" in line:
        return str(line["key"])
    prompt = Prompt((Message("user", (str(line["prompt"]),)),))
    labels = tuple(line.get("labels", ()))
    if labels:
        prompt = replace(prompt, output_format=OutputFormat("labels", labels=labels))
    return cassette_key(prompt, line["model"])


def reply_from_line(line: Mapping[str, Any]) -> ModelReply:
    """Read a recording; all but its text may be left out."""
    usage, finish = mapping(line.get("usage")), text(line.get("finish_reason"))
    return ModelReply(
        text=text(line.get("text")),
        tool_calls=tuple(
            ToolCall(
                text(c.get("name")), arguments_json(c.get("arguments_json")), text(c.get("id"))
            )
            for c in items(line.get("tool_calls"))
        ),
        finish_reason=FinishReason(finish) if finish in set(FinishReason) else FinishReason.STOP,
        usage=Usage(
            tokens(usage.get("input_tokens")),
            tokens(usage.get("cached_input_tokens")),
            tokens(usage.get("output_tokens")),
            tokens(usage.get("reasoning_tokens")),
        ),
        usage_estimated=line.get("usage_estimated") is True or not usage,
        served_model=text(line.get("served_model")) or text(line.get("model")),
        mean_logprob=logprob(line.get("mean_logprob")),
        cost_usd=usd(line.get("cost_usd")),
    )


def reply_to_line(key: str, *, model: str, question: str, reply: ModelReply) -> dict[str, Any]:
    """A recording; `question` is for its reader only, the key decides."""
    line: dict[str, Any] = {
        "key": key,
        "model": model,
        "question": question,
        "text": reply.text,
        "finish_reason": str(reply.finish_reason),
        "usage": {
            "input_tokens": reply.usage.input_tokens,
            "cached_input_tokens": reply.usage.cached_input_tokens,
            "output_tokens": reply.usage.output_tokens,
            "reasoning_tokens": reply.usage.reasoning_tokens,
        },
        "usage_estimated": reply.usage_estimated,
        "cost_usd": reply.cost_usd,
        "served_model": reply.served_model,
    }
    if reply.tool_calls:
        line["tool_calls"] = [
            {"id": c.id, "name": c.name, "arguments_json": c.arguments_json}
            for c in reply.tool_calls
        ]
    if reply.mean_logprob is not None:
        line["mean_logprob"] = reply.mean_logprob
    return line
