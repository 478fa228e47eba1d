"""Spans of time as people write them: `90d`, `12h`, `30m`."""

import re
from datetime import timedelta
from typing import Final

import click

UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}
FORM: Final = re.compile(r"(\d{1,4})([dhm])")


class Age(click.ParamType[timedelta]):
    """A span of time, as an option's value."""

    name = "age"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = FORM.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no span of time such as 90d, 12h or 30m", param, ctx)
        count, unit = found.groups()
        return timedelta(**{UNITS[unit]: int(count)})


AGE: Final = Age()
