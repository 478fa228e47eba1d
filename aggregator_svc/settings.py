"""Settings of the aggregator's process; how it decides stands in the request."""

from services.runtime.settings import ServerSettings


class AggregatorSettings(ServerSettings):
    """`GREMIUM_AGGREGATOR_*`."""
