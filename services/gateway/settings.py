"""Settings of the gateway's process."""

from pydantic import Field

from services.runtime.settings import ServerSettings


class GatewaySettings(ServerSettings):
    """What the gateway needs to listen and to find the four services."""

    bind: str = "127.0.0.1:50051"
    """Address to listen on, `host:port`."""

    router: str = Field(min_length=1)
    """Target of the router, `host:port` or any other gRPC name."""

    jury: str = Field(min_length=1)
    """Target of the jury."""

    judge: str = Field(min_length=1)
    """Target of the judge."""

    aggregator: str = Field(min_length=1)
    """Target of the aggregator."""

    @property
    def asking_models(self) -> dict[str, str]:
        """Targets of the services that ask models, by name."""
        return {"jury": self.jury, "judge": self.judge, "aggregator": self.aggregator}

    patience_s: float = Field(default=10.0, ge=0.0)
    """Seconds that the gateway, once the jury is there, waits for the other services before it is
    SERVING without them."""
