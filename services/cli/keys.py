"""Which API keys a configuration names that are not there. Pure."""

from collections.abc import Mapping

from services.config.tree import Config


def told_of_keys(config: Config, env: Mapping[str, str]) -> list[str]:
    """A line for each variable that is not set, with the models that need it."""
    needs: dict[str, list[str]] = {}
    for name, model in config.models.items():
        if model.api_key_env and not env.get(model.api_key_env, "").strip():
            needs.setdefault(model.api_key_env, []).append(name)
    return [f"{key} is not set, so nobody can ask {', '.join(who)}" for key, who in needs.items()]
