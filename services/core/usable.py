"""Decides whether a reply is an answer, or only tokens."""

from services.core.answers import FinishReason, ModelReply
from services.core.canonical import PROSE, read
from services.core.prompts import Prompt
from services.core.unreadable import UnreadableError
from services.core.visible import is_cut_in_reasoning, visible_text
from services.core.written import UNCLOSED


def unusable_reason(reply: ModelReply, prompt: Prompt) -> tuple[str, str] | None:
    """Why a reply is no vote: a reason in UPPER_SNAKE and a sentence; None when it is one.

    Free text that the token limit cut off still is one; a structured answer
    that can no longer be read is not.

    Raises
    ------
    InvalidRequestError
        If a schema of the prompt is none.
    """
    if reply.finish_reason is FinishReason.CONTENT_FILTER:
        return "FILTERED", "the provider withheld the answer"
    if not reply.tool_calls and (problem := _nothing_said(reply)):
        return problem
    try:
        _, repairs = read(
            reply.text,
            reply.tool_calls,
            output_format=prompt.output_format,
            tools=prompt.tools,
        )
    except UnreadableError as err:
        return _unread(err, reply)
    if UNCLOSED in repairs and reply.finish_reason is FinishReason.LENGTH:
        return "CUT_OFF", "the token limit cut the answer off between two calls"
    return None


def _nothing_said(reply: ModelReply) -> tuple[str, str] | None:
    if is_cut_in_reasoning(reply.text):
        return "CUT_OFF", "the answer was cut off in its reasoning"
    if visible_text(reply.text):
        return None
    if reply.finish_reason is FinishReason.LENGTH:
        return "CUT_OFF", "the token limit was spent before the answer began"
    return "EMPTY", "the answer is empty"


def _unread(err: UnreadableError, reply: ModelReply) -> tuple[str, str] | None:
    if err.reason == PROSE:
        return None
    if reply.finish_reason is FinishReason.LENGTH:
        return "CUT_OFF", f"the token limit cut the answer off: {err}"
    return err.reason, str(err)
