"""Decides whether a reply is an answer, or only tokens."""

from dataclasses import dataclass

from services.core.answers import FinishReason, ModelReply
from services.core.canonical import PROSE, Ballot, cast
from services.core.prompts import Prompt
from services.core.unreadable import UnreadableError
from services.core.visible import is_cut_in_reasoning, visible_text
from services.core.written import UNCLOSED


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a reply is no answer."""

    reason: str
    """UPPER_SNAKE."""
    text: str
    """One sentence."""


def vote_of(reply: ModelReply, prompt: Prompt) -> Ballot | Unusable:
    """The ballot of a reply, or why it is no answer.

    Free text is one, though its ballot says PROSE; so it is where the token limit
    cut it off. A structured answer that can no longer be read is not.

    Raises
    ------
    InvalidRequestError
        If a schema of the prompt is none.
    """
    if reply.finish_reason is FinishReason.CONTENT_FILTER:
        return Unusable("FILTERED", "the provider withheld the answer")
    if not reply.tool_calls and (problem := _nothing_said(reply)):
        return problem
    try:
        vote = cast(
            reply.text,
            reply.tool_calls,
            output_format=prompt.output_format,
            tools=prompt.tools,
        )
    except UnreadableError as err:
        return _unread(err, reply)
    if UNCLOSED in vote.repairs and reply.finish_reason is FinishReason.LENGTH:
        return Unusable("CUT_OFF", "the token limit cut the answer off between two calls")
    return vote


def _nothing_said(reply: ModelReply) -> Unusable | None:
    if is_cut_in_reasoning(reply.text):
        return Unusable("CUT_OFF", "the answer was cut off in its reasoning")
    if visible_text(reply.text):
        return None
    if reply.finish_reason is FinishReason.LENGTH:
        return Unusable("CUT_OFF", "the token limit was spent before the answer began")
    return Unusable("EMPTY", "the answer is empty")


def _unread(err: UnreadableError, reply: ModelReply) -> Ballot | Unusable:
    if err.reason == PROSE:
        return Ballot("", reason=PROSE)
    if reply.finish_reason is FinishReason.LENGTH:
        return Unusable("CUT_OFF", f"the token limit cut the answer off: {err}")
    return Unusable(err.reason, str(err))
