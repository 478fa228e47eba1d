"""Which address is which page, and what is told where one cannot be made."""

from collections.abc import Mapping
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.core.errors import GremiumError, InvalidRequestError, UnknownRequestError
from services.gateway.console import (
    configured,
    divergence,
    feedback,
    listing,
    live_feed,
    request_page,
    roster,
    spending,
)
from services.gateway.console.desk import Desk, desk_of
from services.gateway.console.guard import Guard
from services.gateway.console.reading import TooSlowError
from services.gateway.console.statistics import Kept
from services.gateway.console.threads import BusyError

KEPT_FOR: Final = "public, max-age=31536000, immutable"
"""How long browsers keep a file whose address has its digest."""
TITLES: Final[Mapping[int, str]] = {
    400: "That cannot be understood",
    404: "There is no such page",
    405: "That cannot be done here",
    413: "That is too large",
    500: "Something broke",
    503: "Not now",
    504: "That took too long",
}
ROUTES: Final = (
    Route("/", listing.requests),
    Route("/live", live_feed.now),
    Route("/live/events", live_feed.events),
    Route("/requests/{request_id}", request_page.one),
    Route("/requests/{request_id}/answers/{nth:int}", request_page.answer),
    Route("/requests/{request_id}/feedback", feedback.say, methods=["POST"]),
    Route("/divergence", divergence.divergence),
    Route("/routing", spending.routing),
    Route("/routing/spend.json", spending.spend),
    Route("/routing/tiers.json", spending.tiers),
    Route("/roster", roster.roster),
    Route("/config", configured.config),
)


def application(desk: Desk, *, names: tuple[str, ...]) -> Starlette:
    """The console as an ASGI application."""
    made = Starlette(
        routes=[*ROUTES, Route("/static/{name:path}", static), Route("/favicon.ico", icon)],
        middleware=[Middleware(Guard, names=names)],
        exception_handlers={
            InvalidRequestError: _misread,
            UnknownRequestError: _unknown,
            GremiumError: _not_now,
            BusyError: _not_now,
            TooSlowError: _too_slow,
            HTTPException: _refused,
        },
    )
    made.state.desk = desk
    made.state.feed, made.state.kept = live_feed.Feed(desk), Kept()
    return made


async def static(request: Request) -> Response:
    """`GET /static/{name}`."""
    found = desk_of(request).assets.get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    return Response(found.content, media_type=found.media_type, headers={"Cache-Control": KEPT_FOR})


async def icon(request: Request) -> Response:
    """`GET /favicon.ico`: what browsers ask for on pages of plain text."""
    request.path_params["name"] = "icon.svg"
    return await static(request)


async def _misread(request: Request, error: Exception) -> Response:
    return _problem(request, 400, f"{error}.")


async def _unknown(request: Request, error: Exception) -> Response:
    return _problem(request, 404, f"{error}.")


async def _not_now(request: Request, error: Exception) -> Response:
    return _problem(request, 503, f"{error}. Load the page again in a moment.")


async def _too_slow(request: Request, error: Exception) -> Response:
    return _problem(request, 504, f"{error}; requests go first. Choose a shorter period.")


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _problem(request, error.status_code, error.detail, error.headers)


def _problem(
    request: Request, status: int, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """A page that says what went wrong; as plain text for whom a page is no use."""
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse(f"{message}\n", status, headers)
    told = {"title": TITLES.get(status, "That did not work"), "message": message}
    html = desk_of(request).templates.render("problem.html", told)
    return HTMLResponse(html, status, headers)
