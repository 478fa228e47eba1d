"""Makes pages of templates. Whatever they are told is text: all of it is escaped."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.gateway.console import wording
from services.gateway.console.assets import Assets
from services.gateway.console.statistics import MOST

PAGES: Final = (
    ("/", "Requests"),
    ("/divergence", "Divergence"),
    ("/routing", "Routing and spend"),
    ("/roster", "Roster"),
    ("/config", "Configuration"),
)
"""Addresses and titles of what the navigation names."""
FILTERS: Final = (
    wording.breaker,
    wording.check_outcome,
    wording.clock,
    wording.clock_beside,
    wording.count,
    wording.cut,
    wording.filter_reason,
    wording.moment,
    wording.number,
    wording.outcome,
    wording.plan_origin,
    wording.round_time,
    wording.route_reason,
    wording.seconds,
    wording.share,
    wording.span_s,
    wording.stage,
    wording.state,
    wording.status,
    wording.time_of_day,
    wording.usd,
    wording.verdict,
)


class Templates:
    """The pages' templates."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=PackageLoader(__package__),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update({each.__name__: each for each in FILTERS})
        self._environment.globals.update(
            asset=assets.address, pages=PAGES, nothing=wording.NOTHING, most=MOST
        )

    def render(self, name: str, told: Mapping[str, object]) -> str:
        """A page, or a part of one."""
        return self._environment.get_template(name).render(**told, now=datetime.now(UTC))
