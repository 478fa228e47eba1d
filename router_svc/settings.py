"""Settings of the router's process; what it routes to stands in the configuration."""

from services.runtime.settings import ServerSettings


class RouterSettings(ServerSettings):
    """`GREMIUM_ROUTER_*`."""
