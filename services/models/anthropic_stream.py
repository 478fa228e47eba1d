"""Events of Anthropic's streamed messages, put together."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.models.listening import Listener
from services.models.reading import mapping, text
from services.models.usage import messages_usage


class MessageAssembly:
    """Collects events from `message_start` to `message_stop`."""

    def __init__(self, listener: Listener, *, by_tool: bool = False) -> None:
        """`by_tool`: the answer is the input of the first tool that is called."""
        self._listener = listener
        self._by_tool = by_tool
        self._message: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}

    @property
    def is_complete(self) -> bool:
        return bool(self._message.get("stop_reason"))

    def take(self, piece: Mapping[str, Any]) -> None:
        """Add an event; kinds that are not known are passed over, as the API asks."""
        match piece.get("type"):
            case "message_start":
                self._message |= mapping(piece.get("message"))
                self._take_usage(self._message.get("usage"))
            case "content_block_start":
                self._blocks[_place(piece)] = dict(mapping(piece.get("content_block")))
                self._take_text(self._blocks[_place(piece)], "")
            case "content_block_delta":
                self._take_delta(self._blocks.get(_place(piece), {}), mapping(piece.get("delta")))
            case "message_delta":
                self._message |= mapping(piece.get("delta"))
                self._take_usage(piece.get("usage"))

    def _take_usage(self, told: object) -> None:
        """Counts are of the whole message so far; the input's come with the start."""
        self._usage |= {name: n for name, n in mapping(told).items() if n is not None}
        self._listener.used = messages_usage(self._usage)

    def _take_delta(self, block: dict[str, Any], delta: Mapping[str, Any]) -> None:
        match delta.get("type"):
            case "text_delta":
                self._take_text(block, text(delta.get("text")))
            case "input_json_delta":
                self._take_input(block, text(delta.get("partial_json")))
            case "thinking_delta":
                self._listener.unseen(text(delta.get("thinking")))

    def _take_text(self, block: dict[str, Any], piece: str) -> None:
        if block.get("type") == "text":
            block["text"] = text(block.get("text")) + piece
            self._hear(piece, is_answer=not self._by_tool)

    def _take_input(self, block: dict[str, Any], piece: str) -> None:
        block["written"] = text(block.get("written")) + piece
        first = next((b for b in self._blocks.values() if b.get("type") == "tool_use"), None)
        self._hear(piece, is_answer=self._by_tool and block is first)

    def _hear(self, piece: str, *, is_answer: bool) -> None:
        (self._listener.wrote if is_answer else self._listener.unseen)(piece)

    def whole(self) -> dict[str, Any]:
        blocks = [
            {**block, "input": _input(block["written"])} if "written" in block else block
            for _, block in sorted(self._blocks.items())
        ]
        return {**self._message, "content": blocks, "usage": self._usage}


def _input(written: str) -> Any:
    """A tool's input as the API gives it in one piece; what is no JSON stays as it is."""
    try:
        return orjson.loads(written or "{}")
    except orjson.JSONDecodeError:
        return written


def _place(piece: Mapping[str, Any]) -> int:
    index = piece.get("index")
    return index if isinstance(index, int) else 0
