"""Settings of the judge's process; who judges stands in the configuration."""

from services.runtime.settings import ModelServerSettings


class JudgeSettings(ModelServerSettings):
    """`GREMIUM_JUDGE_*`."""
