"""A PostgreSQL database behind the ledger."""

from pydantic import Field

from services.config.section import Seconds, Section


class Postgres(Section):
    """A PostgreSQL database that gets a copy of every record, after it is on this disk."""

    url_env: str = Field(default="GREMIUM_POSTGRES_URL", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Name of the gateway's environment variable that holds its URL, such as
    `postgresql://user:password@host/database?sslmode=verify-full`."""
    timeout_s: Seconds = 10.0
    """Longest wait for the database to answer. No request waits for it."""
