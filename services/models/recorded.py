"""The recorded backend: replays a cassette, and records live answers where the config says so."""

import re
from collections import Counter
from dataclasses import replace
from typing import Final

from services.config.tree import Model
from services.core.answers import ModelReply, ModelRequest
from services.core.deadline import Deadline
from services.core.errors import BackendError
from services.models.backend import RosterModel
from services.models.cassette import Cassette, cassette_key
from services.models.endpoint import not_sent
from services.models.gate import RefusedError
from services.models.listening import Listener
from services.models.outcome import SERVED
from services.models.plausible import plausible
from services.models.pricing import counted, reply_cost_usd
from services.runtime.callers import current_caller

PIECE: Final = re.compile(r"\s*\S+\s*")
"""What a listener hears at once: a word."""


class RecordedBackend:
    """A model whose answers are on a cassette.

    Where a key has several recordings, a request's seed picks one; without a
    seed, each call gets the next.
    """

    def __init__(self, cassette: Cassette, spec: Model, *, live: RosterModel | None = None) -> None:
        """`live` is whom to ask and record on a miss; None: a miss is an error."""
        self._cassette = cassette
        self._spec = spec
        self._live = live
        self._played: Counter[str] = Counter()

    async def generate(
        self, request: ModelRequest, *, deadline: Deadline, listener: Listener | None = None
    ) -> ModelReply:
        key = cassette_key(request.prompt, self._spec.model)
        recordings = self._cassette.recordings(key)
        if recordings:
            reply = self._next(key, recordings, request)
            if listener is not None:
                _replay(reply.text, listener)
            return reply
        if self._live is None:
            raise self._miss(key)
        return await self._record(key, request, self._live, deadline=deadline, listener=listener)

    def _next(self, key: str, recordings: list[ModelReply], request: ModelRequest) -> ModelReply:
        seed = request.prompt.params.seed
        reply = recordings[(self._played[key] if seed is None else seed) % len(recordings)]
        self._played[key] += 1
        usage, estimated = counted(reply.usage, request, reply.text)
        return replace(reply, usage=usage, usage_estimated=estimated or reply.usage_estimated)

    def _miss(self, key: str) -> BackendError:
        return not_sent(
            f"{self._cassette.path.name} has no answer of {self._spec.model} for key {key}",
            cause="CASSETTE_MISS",
            key=key,
        )

    async def _record(
        self,
        key: str,
        request: ModelRequest,
        live: RosterModel,
        *,
        deadline: Deadline,
        listener: Listener | None,
    ) -> ModelReply:
        try:
            async with live.guard.admitted(current_caller(), deadline) as permit:
                reply = await live.backend.generate(request, deadline=deadline, listener=listener)
                permit.outcome = SERVED
        except RefusedError as err:
            raise not_sent(str(err), cause=err.reason) from err
        usage, doubt = plausible(reply.usage, request, live.spec)
        estimated = reply.usage_estimated or bool(doubt)
        reply = replace(reply, usage=usage, usage_estimated=estimated)
        reply = replace(reply, cost_usd=reply_cost_usd(reply, live.spec.price))
        self._cassette.record(
            key, model=self._spec.model, question=request.prompt.question, reply=reply
        )
        return reply


def _replay(text: str, listener: Listener) -> None:
    for piece in PIECE.findall(text):
        listener.wrote(piece)
