"""Chunks of OpenAI's streamed chat completions, put together."""

from collections.abc import Mapping
from typing import Any

from services.models.listening import Listener
from services.models.reading import items, mapping, text
from services.models.usage import chat_usage


class ChatAssembly:
    """Collects `chat.completion.chunk` objects; only the first choice counts."""

    def __init__(self, listener: Listener, *, begun: bool = False) -> None:
        """`begun`: the text begins in reasoning, unless the server parts that from it."""
        self._listener = listener
        self._begun = begun
        self._reply: dict[str, Any] = {}
        self._said: list[str] = []
        self._reasoned: list[str] = []
        self._refused: list[str] = []
        self._calls: list[dict[str, str]] = []
        self._called_at: dict[int, dict[str, str]] = {}
        """The latest call of each place."""
        self._logprobs: list[Mapping[str, Any]] = []
        self._finish = ""

    @property
    def is_complete(self) -> bool:
        return bool(self._finish)

    def take(self, piece: Mapping[str, Any]) -> None:
        """Add a chunk. The usage comes with the last one, which has no choices."""
        told = {"model": piece.get("model"), "usage": piece.get("usage")}
        self._reply.update({name: value for name, value in told.items() if value})
        for choice in items(piece.get("choices")):
            if choice.get("index", 0) == 0:
                self._take_choice(choice)
        self._listener.used = chat_usage(mapping(piece.get("usage"))) or self._listener.used

    def _take_choice(self, choice: Mapping[str, Any]) -> None:
        delta = mapping(choice.get("delta"))
        self._reasoned.append(apart(delta))
        self._listener.unseen(apart(delta))
        self._take_text(delta_text(delta.get("content")), text(delta.get("refusal")))
        for call in items(delta.get("tool_calls")):
            self._take_call(call)
        self._logprobs += items(mapping(choice.get("logprobs")).get("content"))
        self._finish = text(choice.get("finish_reason")) or self._finish

    def _take_text(self, said: str, refused: str) -> None:
        if said and self._begun:
            self._begun = False
            if not any(self._reasoned):
                self._listener.reasons()
        self._said.append(said)
        self._refused.append(refused)
        self._listener.wrote(said or refused)

    def _take_call(self, piece: Mapping[str, Any]) -> None:
        function = mapping(piece.get("function"))
        call = self._called(piece.get("index"), text(piece.get("id")), text(function.get("name")))
        call["arguments"] += text(function.get("arguments"))
        self._listener.unseen(text(function.get("arguments")))

    def _called(self, place: object, call_id: str, name: str) -> dict[str, str]:
        """The call that a piece belongs to.

        Servers that send calls whole may leave out their places, or give all of
        them the same: what has another id and a name of its own is another call.
        """
        nth = place if isinstance(place, int) else len(self._calls)
        call = self._called_at.get(nth)
        if call is None or (name and call["name"] and call_id not in ("", call["id"])):
            call = self._called_at[nth] = {"id": "", "name": "", "arguments": ""}
            self._calls.append(call)
        call["id"], call["name"] = call_id or call["id"], name or call["name"]
        return call

    def whole(self) -> dict[str, Any]:
        calls = [
            {"id": c["id"], "function": {"name": c["name"], "arguments": c["arguments"]}}
            for c in self._calls
        ]
        message = {
            "content": "".join(self._said),
            "refusal": "".join(self._refused),
            "reasoning_content": "".join(self._reasoned),
            "tool_calls": calls,
        }
        choice = {
            "message": message,
            "finish_reason": self._finish,
            "logprobs": {"content": self._logprobs},
        }
        return {**self._reply, "choices": [choice]}


def apart(message: Mapping[str, Any]) -> str:
    """Reasoning that a server parted from the text of a message or delta."""
    return text(message.get("reasoning_content")) or text(message.get("reasoning"))


def delta_text(content: object) -> str:
    """Text of a delta; some servers send it in parts, reasoning among them."""
    parts = [text(part.get("text")) for part in items(content) if part.get("type") == "text"]
    return text(content) or "".join(parts)
