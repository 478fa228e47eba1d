"""What a configuration's trained router knows of its models, by name."""

from collections.abc import Iterator

from services.config.document import parse
from services.config.problems import ConfigError, Problem
from services.config.tree import Config, Embeddings, LoadedConfig
from services.models.minilm import MODEL
from services.routing.artefact import Routing, RoutingError, read
from services.routing.predict import COLD
from services.routing.shelf import Shelf, ShelfError


def routing_of(loaded: LoadedConfig) -> Routing | None:
    """Read the trained router that a configuration goes by; None while none is in use.

    Raises
    ------
    ConfigError
        If the file cannot be used, or was trained with another embedding. Tells
        the line of the configuration, the file, its field and the limit.
    """
    named = loaded.config.router.artefact
    if named is None:
        return _from_shelf(loaded)
    path = loaded.resolve(named)
    try:
        return fitting(read(path), loaded.config.embeddings)
    except RoutingError as err:
        raise _refused(loaded, "artefact", f"{err}") from err


def shelf_of(loaded: LoadedConfig) -> Shelf:
    """The shelf of a configuration, whether or not it is used."""
    return Shelf(loaded.resolve(loaded.config.router.shelf))


def is_learned(loaded: LoadedConfig) -> bool:
    """Whether a trained router is in use."""
    return loaded.config.router.artefact is not None or shelf_of(loaded).stamp is not None


def in_use(shelf: Shelf, used: Embeddings) -> Routing | None:
    """Read the one that is in use; None: none is.

    Raises
    ------
    ShelfError
        If the shelf cannot be read.
    RoutingError
        If the trained router is broken, or was trained with another embedding.
    """
    current = shelf.current()
    return None if current is None else fitting(shelf.read(current), used)


def fitting(routing: Routing, used: Embeddings) -> Routing:
    """The same one.

    Raises
    ------
    RoutingError
        If it was trained with another embedding.
    """
    if problem := strange_embedding(routing, used):
        raise RoutingError(f"router {routing.id}: embedding: {problem}")
    return routing


def _from_shelf(loaded: LoadedConfig) -> Routing | None:
    try:
        return in_use(shelf_of(loaded), loaded.config.embeddings)
    except (RoutingError, ShelfError) as err:
        way_out = "`gremium router rollback` or `gremium router use ID` puts another one in use"
        raise _refused(loaded, "shelf", f"{err}; {way_out}") from err


def strange_embedding(routing: Routing, used: Embeddings) -> str:
    """How the embedding it was trained with differs from the configured one; empty: not at all."""
    learned = routing.embedding
    if learned.backend != used.backend:
        return f"was trained with {learned.backend}; `embeddings.backend` is {used.backend}"
    if used.backend == "openai" and learned.model != used.model:
        return f"was trained with {learned.model}; `embeddings.model` is {used.model}"
    return ""


def embedding_name(used: Embeddings) -> str:
    """Backend and model of the configured embedding."""
    return f"{used.backend}/{embedding_model(used)}"


def embedding_model(used: Embeddings) -> str:
    return {"minilm": MODEL[2], "none": "words"}.get(used.backend, used.model)


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


def _refused(loaded: LoadedConfig, field: str, why: str) -> ConfigError:
    text = loaded.path.read_text(encoding="utf-8-sig")
    line = parse(text).line(("router", field))
    return ConfigError(Problem(loaded.path, line, f"router.{field}: {why}"))
