"""What a configuration's trained router knows of its models, by name."""

from collections.abc import Iterator

from services.config.document import parse
from services.config.load import ConfigError, Problem
from services.config.tree import Config, Embeddings, LoadedConfig
from services.routing.artefact import Routing, RoutingError, read
from services.routing.predict import COLD


def routing_of(loaded: LoadedConfig) -> Routing | None:
    """Read the trained router that a configuration names; None if it names none.

    Raises
    ------
    ConfigError
        If the file cannot be used, or was trained with another embedding. Tells
        the line of the configuration, the file, its field and the limit.
    """
    named = loaded.config.router.artefact
    if named is None:
        return None
    path = loaded.resolve(named)
    try:
        found = read(path)
    except RoutingError as err:
        raise _refused(loaded, str(err)) from err
    if problem := strange_embedding(found, loaded.config.embeddings):
        raise _refused(loaded, f"{path}: embedding: {problem}")
    return found


def strange_embedding(routing: Routing, used: Embeddings) -> str:
    """How the embedding it was trained with differs from the configured one; empty: not at all."""
    learned = routing.embedding
    if learned.backend != used.backend:
        return f"was trained with {learned.backend}; `embeddings.backend` is {used.backend}"
    if used.backend == "openai" and learned.model != used.model:
        return f"was trained with {learned.model}; `embeddings.model` is {used.model}"
    return ""


def unknown_models(config: Config, routing: Routing) -> Iterator[tuple[str, str]]:
    """Ensembles whose models it knows nothing or too little of, each with what is wrong."""
    counts = {model.name: model.n_labels for model in routing.models}
    for name, ensemble in config.ensembles.items():
        if ensemble.pattern == "specialists":
            continue
        asked = sorted({juror.model for tier in ensemble.tiers for juror in tier.jurors})
        cold = [model for model in asked if counts.get(model, 0) < COLD]
        if cold == asked:
            yield name, f"it has fewer than {COLD} labels of each of its models"
        elif cold:
            yield name, f"it has fewer than {COLD} labels of {', '.join(cold)}"


def _refused(loaded: LoadedConfig, why: str) -> ConfigError:
    return ConfigError(Problem(loaded.path, _line(loaded), f"router.artefact: {why}"))


def _line(loaded: LoadedConfig) -> int:
    """1-based line of the field."""
    return parse(loaded.path.read_text(encoding="utf-8-sig")).line(("router", "artefact"))
