"""Settings of the router's process; what it routes to stands in the configuration."""

from services.runtime.settings import ModelServerSettings


class RouterSettings(ModelServerSettings):
    """`GREMIUM_ROUTER_*`."""
