"""Settings of the jury's process; who sits on it stands in the configuration."""

from services.runtime.settings import ModelServerSettings


class JurySettings(ModelServerSettings):
    """`GREMIUM_JURY_*`."""
