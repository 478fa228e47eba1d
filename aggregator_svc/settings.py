"""Settings of the aggregator's process; how it decides stands in the request."""

from services.runtime.settings import ModelServerSettings


class AggregatorSettings(ModelServerSettings):
    """`GREMIUM_AGGREGATOR_*`."""
