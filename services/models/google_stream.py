"""Responses of Gemini's streamGenerateContent, put together."""

from collections.abc import Mapping
from typing import Any

from services.models.listening import Listener
from services.models.reading import items, mapping, text
from services.models.usage import content_usage


class ContentAssembly:
    """Collects responses, each of which holds some parts of the first candidate."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._reply: dict[str, Any] = {}
        self._candidate: dict[str, Any] = {}
        self._parts: list[Mapping[str, Any]] = []

    @property
    def is_complete(self) -> bool:
        blocked = mapping(self._reply.get("promptFeedback")).get("blockReason")
        return bool(self._candidate.get("finishReason") or blocked)

    def take(self, piece: Mapping[str, Any]) -> None:
        """Add a response; what it says of the whole outdates what was said before."""
        self._reply.update(piece)
        for candidate in items(piece.get("candidates"))[:1]:
            self._candidate.update(candidate)
            for part in items(mapping(candidate.get("content")).get("parts")):
                self._parts.append(part)
                self._hear(part)
        told = content_usage(mapping(piece.get("usageMetadata")))
        self._listener.used = told or self._listener.used

    def _hear(self, part: Mapping[str, Any]) -> None:
        if part.get("thought") is True:
            self._listener.unseen(text(part.get("text")))
        else:
            self._listener.wrote(text(part.get("text")))
        if "functionCall" in part:
            self._listener.unseen(str(mapping(part["functionCall"]).get("args", "")))

    def whole(self) -> dict[str, Any]:
        if not self._candidate:
            return self._reply
        candidate = {**self._candidate, "content": {"parts": self._parts}}
        return {**self._reply, "candidates": [candidate]}
