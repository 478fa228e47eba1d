"""What a record keeps of words: nothing, answers, or all; and that through redaction."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from google.protobuf.message import Message

from gremium.v1.manifest_pb2 import Feedback, Manifest, Tally
from gremium.v1.types_pb2 import Answer, Image, Part, Prompt
from services.ledger.redaction import Redactor

Kept = Literal["nothing", "answers", "all"]
Place = tuple[Message, str]
"""A message, and its field that holds words."""

CLOSED: Final = frozenset({"labels", "number"})
"""Shapes of answers whose ballots are no words of a model."""


@dataclass(frozen=True, slots=True)
class Texts:
    """How much of the words of a request its record keeps."""

    kept: Kept = "nothing"
    redactor: Redactor = Redactor(())  # noqa: RUF009 - it has no state

    def settle(self, manifest: Manifest, prompt: Prompt | None = None) -> None:
        """Leave in a manifest what its record keeps.

        With `nothing` codes, numbers, names and digests are left, and labels and
        numbers that were voted for; sentences go, because they may quote. An
        answer that is not kept as it was has its digest.
        """
        digests = [content_sha256(answer) for answer in manifest.answers]
        if self.kept == "nothing":
            for message, field in _words(manifest):
                message.ClearField(field)
        else:
            for message, field in _words(manifest):
                self._redact(message, field)
        self._settle_prompt(manifest, prompt)
        for answer, digest in zip(manifest.answers, digests, strict=True):
            if content_sha256(answer) != digest:
                answer.content_sha256 = digest

    def said(self, feedback: Feedback) -> bytes:
        """Redact what somebody says of an answer, and serialise it. It is given to be kept, so it is."""
        self._redact(feedback, "comment")
        self._redact(feedback, "expected")
        return feedback.SerializeToString()

    def _settle_prompt(self, manifest: Manifest, prompt: Prompt | None) -> None:
        manifest.ClearField("prompt")
        if self.kept != "all":
            for passage in manifest.passages:
                passage.ClearField("text")
            return
        if prompt is not None:
            manifest.prompt.CopyFrom(prompt)
        for message, field in _asked(manifest):
            self._redact(message, field)

    def _redact(self, message: Message, field: str) -> None:
        text: str = getattr(message, field)
        if text and (left := self.redactor.redacted(text)) != text:
            setattr(message, field, left)


def content_sha256(answer: Answer) -> str:
    """Digest of what a juror said, and of the tools that it wants called.

    Examples
    --------
    >>> content_sha256(Answer(text="4"))[:8], content_sha256(Answer())
    ('4b227777', '')
    """
    content = answer.text.encode()
    for call in answer.tool_calls:
        content += b"\0" + call.name.encode() + b"\0" + call.arguments_json.encode()
    return hashlib.sha256(content).hexdigest() if content else ""


def _words(manifest: Manifest) -> Iterator[Place]:
    """Whatever may quote an answer, a prompt, a judge or a provider."""
    for answer in manifest.answers:
        yield answer, "text"
        for call in answer.tool_calls:
            yield call, "arguments_json"
            yield call, "id"
    for tally in manifest.tallies:
        yield from _of_tally(manifest, tally)
    for verdict in manifest.verdicts:
        yield verdict, "reason_text"
        for found in (*verdict.checks, *verdict.signals):
            yield found, "evidence"
    for told in (*manifest.participations, *manifest.steps, *manifest.escalations):
        yield told, "reason_text"
    for step in manifest.plan.steps:
        yield step, "goal"
    yield from ((m, "reason_text") for m in _sentences(manifest))
    yield from _of_error(manifest)


def _sentences(manifest: Manifest) -> Iterator[Message]:
    """Unset ones stay so."""
    if manifest.HasField("route"):
        yield manifest.route
    if manifest.HasField("plan"):
        yield manifest.plan


def _of_tally(manifest: Manifest, tally: Tally) -> Iterator[Place]:
    yield tally, "reason_text"
    for field in tally.spliced:
        yield field, "pointer"
    is_closed = manifest.output_kind in CLOSED and manifest.pattern != "specialists"
    for found in tally.classes:
        if not is_closed and not _is_plain(found.value):
            yield found, "value"


def _is_plain(value_json: str) -> bool:
    """Whether a ballot is a number, true, false or null."""
    try:
        return not isinstance(json.loads(value_json), str | list | dict)
    except ValueError:  # cut for its length, or none
        return False


def _of_error(manifest: Manifest) -> Iterator[Place]:
    if manifest.HasField("error"):
        yield manifest.error, "message"
        for violation in manifest.error.violations:
            yield violation, "description"


def _asked(manifest: Manifest) -> Iterator[Place]:
    """The words of the prompt and of what was found for it."""
    for passage in (*manifest.passages, *manifest.prompt.grounding.passages):
        yield passage, "text"
    for turn in manifest.prompt.messages:
        for part in turn.parts:
            yield from _of_part(part)
    for tool in manifest.prompt.tools:
        yield tool, "description"


def _of_part(part: Part) -> Iterator[Place]:
    match part.WhichOneof("kind"):
        case "text":
            yield part, "text"
        case "tool_call":
            yield part.tool_call, "arguments_json"
        case "tool_result":
            yield part.tool_result, "content"
        case "image" if part.image.WhichOneof("source") == "data":
            part.text = _digest(part.image)
        case "image":
            yield part.image, "url"


def _digest(image: Image) -> str:
    found = hashlib.sha256(image.data).hexdigest()
    return f"[image {image.media_type}, {len(image.data)} bytes, SHA-256 {found}]"
