"""The page of one request: its waterfall, its answers, and what was made of them."""

import time
from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gremium.v1 import manifest_pb2
from services.core.errors import UnknownRequestError
from services.gateway.console import audits, ballots
from services.gateway.console.desk import Desk, desk_of
from services.gateway.console.reading import Limit, Reading, reading
from services.gateway.console.waterfall import Axis, waterfall

CARDS = 64
"""Answers on a page; more are counted."""
PASSAGES = 64
AXES: Mapping[str, Axis] = {"deadline": "deadline", "work": "work"}
AT_WORK = manifest_pb2.MANIFEST_STATE_IN_PROGRESS


async def one(request: Request) -> Response:
    """`GET /requests/{request_id}`."""
    return await shown(request)


async def shown(request: Request, *, refusal: str = "", status: int = 200) -> Response:
    """The page of a request, with what is to be said of a form that was sent from it."""
    desk, request_id = desk_of(request), request.path_params["request_id"]
    return await desk.page(
        "request.html",
        partial(
            _told,
            request_id,
            desk.live.manifest(request_id),
            AXES.get(request.query_params.get("axis", "")),
        ),
        status=status,
        may_say=desk.lock.exists,
        said=request.query_params.get("said") == "1",
        refusal=refusal,
        config_sha256=desk.loaded.sha256,
    )


def _told(
    request_id: str, live: manifest_pb2.Manifest | None, axis: Axis | None, ledger: Reading
) -> Mapping[str, object]:
    manifest = live or ledger.manifest(request_id)
    if manifest is None:
        raise UnknownRequestError(f"nothing is recorded, so that request {request_id} is not known")
    proof = None if live else ledger.proof(request_id)
    return {**view(manifest, now_ns=time.time_ns(), axis=axis), "proof": proof}


def view(
    manifest: manifest_pb2.Manifest, *, now_ns: int, axis: Axis | None = None
) -> dict[str, object]:
    """What the page is told of a manifest."""
    route, cards = manifest.route, ballots.cards(manifest)
    parts = manifest.participations
    return {
        "manifest": manifest,
        "at_work": manifest.state == AT_WORK,
        "fall": waterfall(manifest, now_ns=now_ns, axis=axis),
        "cards": cards[:CARDS],
        "given": next((card.mark for card in cards if card.given), None),
        "omitted": manifest.answers_omitted + len(cards[CARDS:]),
        "silent": ballots.silent(manifest),
        "counts": ballots.counts(manifest),
        "audits": audits.audits(manifest),
        "chosen": [tier.name for tier in route.tiers],
        "passages": manifest.passages[:PASSAGES],
        "tokens": _tokens(manifest),
        "cost_usd": manifest.cost_usd or sum(part.cost_usd for part in parts),
        "calls": manifest.model_calls or sum(part.model_calls for part in parts),
    }


def _tokens(manifest: manifest_pb2.Manifest) -> tuple[int, int]:
    """Tokens in and out: of the whole once it has ended, before that of who has."""
    ended = [manifest.usage] if manifest.HasField("usage") else []
    known = ended or [part.usage for part in manifest.participations]
    return sum(each.input_tokens for each in known), sum(each.output_tokens for each in known)


async def answer(request: Request) -> Response:
    """`GET /requests/{request_id}/answers/{nth}`: one answer whole, as plain text."""
    desk, params = desk_of(request), request.path_params
    live = desk.live.manifest(params["request_id"])
    text = await desk.threads.work(
        partial(_answer, desk, params["request_id"], params["nth"], live)
    )
    return PlainTextResponse(text)


def _answer(
    desk: Desk, request_id: str, nth: int, live: manifest_pb2.Manifest | None, limit: Limit
) -> str:
    with reading(desk.ledger_path, limit) as ledger:
        manifest = live or ledger.manifest(request_id)
    if manifest is None or nth >= len(manifest.answers):
        raise UnknownRequestError(f"request {request_id} has no answer {nth}")
    return ballots.spoken(manifest.answers[nth])
