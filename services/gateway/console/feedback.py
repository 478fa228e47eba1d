"""Takes what somebody thinks of an answer from a form, for whom the key lets."""

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gremium.v1 import ensemble_pb2, manifest_pb2, types_pb2
from services.core.errors import InvalidRequestError
from services.gateway.console.ballots import place_of
from services.gateway.console.desk import Desk, desk_of
from services.gateway.console.guard import is_own
from services.gateway.console.reading import Limit, reading
from services.gateway.console.request_page import shown

LARGEST_BYTES: Final = 128 * 1024
FIELDS: Final = 16
BODY_S: Final = 10.0
SOURCE: Final = "console"
KINDS: Final[Mapping[str, manifest_pb2.FeedbackKind.ValueType]] = {
    "correct": manifest_pb2.FEEDBACK_KIND_CORRECT,
    "incorrect": manifest_pb2.FEEDBACK_KIND_INCORRECT,
    "preferred": manifest_pb2.FEEDBACK_KIND_PREFERRED,
}
Form = Mapping[str, str]


async def say(request: Request) -> Response:
    """`POST /requests/{request_id}/feedback`."""
    desk, request_id = desk_of(request), request.path_params["request_id"]
    if not is_own(request):
        return await shown(request, refusal="The form was not sent from this page.", status=403)
    try:
        form = await _form(request)
        if refusal := _refusal(desk, form):
            return await shown(request, refusal=refusal, status=403)
        feedback = feedback_of(form, await _preferred(desk, request_id, form))
        await desk.say(ensemble_pb2.SubmitFeedbackRequest(request_id=request_id, feedback=feedback))
    except InvalidRequestError as err:
        return await shown(request, refusal=f"Not recorded: {err}.", status=400)
    return RedirectResponse(f"/requests/{quote(request_id)}?said=1#opinions", 303)


async def _form(request: Request) -> Form:
    """The fields of a form.

    Raises
    ------
    InvalidRequestError
        If it is too large, too slow, or none.
    """
    try:
        async with asyncio.timeout(BODY_S):
            body = await _body(request)
        pairs = parse_qsl(body.decode(), max_num_fields=FIELDS, keep_blank_values=True)
    except TimeoutError as err:
        raise InvalidRequestError(f"the form took more than {BODY_S:g} s to come") from err
    except ValueError as err:
        raise InvalidRequestError("this is no form") from err
    return dict(pairs)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BYTES:
            raise InvalidRequestError(f"the form has more than {LARGEST_BYTES} bytes")
    return bytes(body)


def _refusal(desk: Desk, form: Form) -> str:
    """Why nothing may be recorded; empty: it may."""
    if not desk.lock.exists:
        return "This console is read-only: GREMIUM_GATEWAY_CONSOLE_KEY is not set."
    if desk.lock.jammed:
        return "Too many wrong keys were tried. Wait a minute."
    return "" if desk.lock.opens(form.get("key", "")) else "That is not the key."


async def _preferred(desk: Desk, request_id: str, form: Form) -> types_pb2.Answer | None:
    """The answer that is named as the best or right one."""
    nth = form.get("preferred", "")
    if not nth.isdecimal() or len(nth) > 4:
        return None

    def find(limit: Limit) -> types_pb2.Answer | None:
        with reading(desk.ledger_path, limit) as ledger:
            manifest = ledger.manifest(request_id)
        answers = manifest.answers if manifest else ()
        return answers[int(nth)] if int(nth) < len(answers) else None

    return await desk.threads.work(find)


def feedback_of(form: Form, preferred: types_pb2.Answer | None) -> manifest_pb2.Feedback:
    """What a form says.

    Raises
    ------
    InvalidRequestError
        If it does not say whether the answer is right, or names no better one.
    """
    kind = KINDS.get(form.get("kind", ""))
    if kind is None:
        raise InvalidRequestError("say whether the answer is correct")
    if kind == manifest_pb2.FEEDBACK_KIND_PREFERRED and preferred is None:
        raise InvalidRequestError("name the answer that is better")
    said = manifest_pb2.Feedback(
        kind=kind,
        score=1.0 if kind == manifest_pb2.FEEDBACK_KIND_CORRECT else 0.0,
        comment=form.get("comment", ""),
        expected=form.get("expected", ""),
        source=SOURCE,
    )
    if preferred is not None and kind != manifest_pb2.FEEDBACK_KIND_CORRECT:
        said.preferred_juror = preferred.juror
        said.preferred_tier = place_of(preferred)
    return said
