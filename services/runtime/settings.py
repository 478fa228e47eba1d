"""Settings are read once, at start, from the environment, and never change."""

import os
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field


class ServerSettings(BaseModel):
    """What every service needs to listen. Subclass it; do not read `os.environ` elsewhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bind: str = "127.0.0.1:0"
    """Address to listen on, `host:port`; port 0 takes any free one."""

    config: str = "gremium.yaml"
    """Path of the configuration."""

    drain_s: float = Field(default=30.0, ge=0.0)
    """Seconds that calls in flight get to finish after SIGTERM."""

    leave_s: float = Field(default=0.3, ge=0.0)
    """Seconds after SIGTERM in which calls are still taken, while clients that watch the health
    leave; at most `drain_s`."""

    max_concurrent: int | None = Field(default=None, ge=1)
    """Calls served at once; more are refused with RESOURCE_EXHAUSTED. Unset: by the configuration."""

    max_connection_age_s: float = Field(default=300.0, gt=0.0)
    """Age at which a connection is replaced, so that clients find new replicas."""

    max_message_bytes: int = Field(default=8 * 1024 * 1024, ge=1024)
    """Largest message received or sent."""

    metrics: str = ""
    """Address at which Prometheus reads the figures, `host:port`, path `/metrics`; unset: nowhere."""

    @classmethod
    def from_env(cls, prefix: str, env: Mapping[str, str] = os.environ) -> Self:
        """Read `{prefix}_*` variables; unknown ones are an error, not a typo to hunt for."""
        start = f"{prefix}_"
        return cls.model_validate(
            {
                key.removeprefix(start).lower(): value
                for key, value in env.items()
                if key.startswith(start)
            }
        )


class ModelServerSettings(ServerSettings):
    """What a service that calls models needs besides."""

    engines: str = ""
    """Addresses of the engines of local models: `name=http://host:port,…`."""

    @property
    def engine_addresses(self) -> dict[str, str]:
        """Base address by model name."""
        pairs = (pair.partition("=") for pair in self.engines.split(",") if pair)
        return {name.strip(): address.strip() for name, _, address in pairs}
