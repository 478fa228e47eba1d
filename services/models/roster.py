"""All models that the configuration names, ready to be asked."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import aiohttp

from services.config.tree import LoadedConfig, Model
from services.core.answers import ModelReply, ModelRequest
from services.core.deadline import Deadline
from services.core.errors import UnknownModelError
from services.models import anthropic, google, openai
from services.models.backend import Backend, RosterModel
from services.models.cassette import Cassette
from services.models.endpoint import Endpoint, not_sent, open_session
from services.models.guard import Guard
from services.models.listening import Listener
from services.models.local import default_instruction
from services.models.recorded import RecordedBackend
from services.models.settings import secret


class Roster:
    """The models by name."""

    def __init__(self, models: Mapping[str, RosterModel]) -> None:
        self._models = dict(models)

    @property
    def models(self) -> tuple[RosterModel, ...]:
        return tuple(self._models.values())

    def get(self, name: str) -> RosterModel:
        """The model of that name.

        Raises
        ------
        UnknownModelError
            If the configuration has none.
        """
        model = self._models.get(name)
        if model is None:
            raise UnknownModelError(
                f"no model {name!r}; the roster has {', '.join(sorted(self._models))}", model=name
            )
        return model


@asynccontextmanager
async def open_roster(
    loaded: LoadedConfig, *, engines: Mapping[str, str], service: str = ""
) -> AsyncIterator[Roster]:
    """Open every model of the configuration until the block ends.

    `engines` holds the base address of each local model's engine by its name, `service` is who
    asks them.
    """
    specs = {n: spec for n, spec in loaded.config.models.items() if spec.backend != "recorded"}
    async with open_session(most=sum(spec.max_concurrent for spec in specs.values())) as session:
        live = {name: _live_model(name, spec, session, engines) for name, spec in specs.items()}
        recorded = await asyncio.to_thread(_recorded_models, loaded, live)
        models = {**live, **recorded}
        yield Roster({name: replace(each, service=service) for name, each in models.items()})


def _live_model(
    name: str, spec: Model, session: aiohttp.ClientSession, engines: Mapping[str, str]
) -> RosterModel:
    guard = Guard(spec)
    endpoint = partial(
        Endpoint, session, connect_s=spec.timeouts.connect_s, heed=guard.throttle.heed
    )
    if spec.backend == "local":
        return RosterModel(name, spec, _local_backend(name, spec, endpoint, engines), guard)
    return RosterModel(name, spec, _hosted_backend(spec, endpoint), guard)


def _hosted_backend(spec: Model, endpoint_at: partial[Endpoint]) -> Backend:
    key = secret(spec.api_key_env)
    open_endpoint = partial(endpoint_at, key=key, key_variable=spec.api_key_env)
    match spec.backend:
        case "anthropic":
            endpoint = open_endpoint(spec.base_url or anthropic.API, headers=anthropic.headers(key))
            return anthropic.AnthropicBackend(endpoint, spec)
        case "google":
            endpoint = open_endpoint(spec.base_url or google.API, headers=google.headers(key))
            return google.GoogleBackend(endpoint, spec)
        case _:
            endpoint = open_endpoint(spec.base_url or openai.API, headers=openai.headers(key))
            return openai.OpenAIBackend(endpoint, spec)


def _local_backend(
    name: str, spec: Model, endpoint_at: partial[Endpoint], engines: Mapping[str, str]
) -> Backend:
    if name not in engines:
        return _Engineless(name)
    endpoint = endpoint_at(f"{engines[name].rstrip('/')}/v1", headers={})
    deterministic = (
        spec if spec.temperature is not None else spec.model_copy(update={"temperature": 0.0})
    )
    return openai.OpenAIBackend(
        endpoint, deterministic, default_instruction=default_instruction(spec)
    )


class _Engineless:
    """A local model whose engine nobody started."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def generate(
        self, request: ModelRequest, *, deadline: Deadline, listener: Listener | None = None
    ) -> ModelReply:
        del request, deadline, listener
        raise not_sent(
            f"no engine runs for the local model {self._name!r}; `gremium up` starts it",
            cause="CONNECTION",
        )


def _recorded_models(
    loaded: LoadedConfig, live: Mapping[str, RosterModel]
) -> dict[str, RosterModel]:
    """Models on cassettes. One file is read once, however many models name it."""
    specs = {n: spec for n, spec in loaded.config.models.items() if spec.backend == "recorded"}
    paths = {loaded.resolve(spec.cassette) for spec in specs.values()}
    cassettes = {path: Cassette(path) for path in paths}
    for cassette in cassettes.values():
        cassette.load()
    return {
        name: RosterModel(
            name,
            spec,
            RecordedBackend(
                cassettes[loaded.resolve(spec.cassette)],
                spec,
                live=live.get(spec.record) if spec.record else None,
            ),
            Guard(spec),
        )
        for name, spec in specs.items()
    }
