"""Money that requests share over time, as the configuration words it."""

from typing import Annotated, Literal

from pydantic import Field

from services.config.section import Name, Section

Period = Literal["hour", "day", "month"]
Caller = Annotated[str, Field(min_length=1, max_length=128)]


class SharedBudget(Section):
    """What requests may cost together in each hour, day or month."""

    max_usd: float = Field(ge=0.0, le=1e9)
    """US dollars that may be spent in one period. A request that could exceed what is left gets
    less, or is refused."""
    per: Period
    """Length of a period. Periods follow the calendar in UTC; a request belongs to the one in which
    it started."""
    ensembles: tuple[Name, ...] = ()
    """Ensembles whose requests draw from it; empty: all."""
    callers: tuple[Caller, ...] = ()
    """Callers whose requests draw from it, by what they send as metadata `gremium-caller`, which is
    taken at its word, else by the host they call from; empty: all."""
    each_caller: bool = False
    """Whether every caller has all of it for himself; else the callers share it."""

    def covers(self, *, ensemble: str, caller: str) -> bool:
        """Whether a request draws from it."""
        of_ensemble = not self.ensembles or ensemble in self.ensembles
        return of_ensemble and (not self.callers or caller in self.callers)
