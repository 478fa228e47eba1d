"""Settings of the jury's process, from `GREMIUM_JURY_*`."""

from services.runtime.settings import ModelServerSettings


class JurySettings(ModelServerSettings):
    """Nothing beyond what every service that calls models needs."""
