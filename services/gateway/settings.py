"""Settings of the gateway's process."""

from pydantic import Field, SecretStr

from services.runtime.settings import ServerSettings


class EdgeSettings(ServerSettings):
    """What the gateway needs to be asked and looked at, in whatever process it runs."""

    bind: str = "127.0.0.1:50051"
    """Address to listen on, `host:port`."""

    console: str = ""
    """Address of the web page, `host:port`; empty: there is none. Whoever reaches it reads what the
    ledger keeps."""

    console_names: str = ""
    """Further names that browsers may call the page by, `name,…`, such as that of a proxy. Its
    address, `localhost` and plain IP addresses always do; any other name is refused."""

    console_key: SecretStr | None = Field(default=None, min_length=16)
    """What lets its holder give feedback on the page, at least 16 characters. Unset: nobody may."""


class GatewaySettings(EdgeSettings):
    """What the gateway needs besides to find the four services."""

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
