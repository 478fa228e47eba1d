"""The requests that this gateway answers now, for whoever looks on. They are told, never asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gremium.v1 import manifest_pb2

UNDERWAY = manifest_pb2.PARTICIPATION_STATUS_UNSPECIFIED
"""Status of a participation that has not ended."""


@dataclass
class _Answering:
    """One request, and the stages that are at work on it."""

    manifest: manifest_pb2.Manifest
    stages: list[manifest_pb2.Participation] = field(default_factory=list)


@dataclass
class Live:
    """Requests by request_id, from their first step until their end. One event loop, no locks."""

    ended: int = 0
    """Requests that came to an end since the gateway started."""
    _answering: dict[str, _Answering] = field(default_factory=dict)

    @contextmanager
    def answering(self, manifest: manifest_pb2.Manifest) -> Iterator[None]:
        """The block answers a request, and keeps its manifest up to date."""
        request_id = manifest.request_id
        mine = self._answering.setdefault(request_id, _Answering(manifest))
        try:
            yield
        finally:
            if mine.manifest is manifest:
                del self._answering[request_id]
                self.ended += 1

    @contextmanager
    def within(self, request_id: str, stage: manifest_pb2.Participation) -> Iterator[None]:
        """A stage is at work on a request in the block."""
        found = self._answering.get(request_id)
        if found is None:
            yield
            return
        found.stages.append(stage)
        try:
            yield
        finally:
            found.stages[:] = [each for each in found.stages if each is not stage]

    @property
    def count(self) -> int:
        """Requests that are answered now."""
        return len(self._answering)

    def latest(self, most: int) -> list[manifest_pb2.Manifest]:
        """The latest ones, newest first, without what was said so far."""
        found = list(self._answering.values())[-most:]
        return [_outline(each) for each in reversed(found)]

    def manifest(self, request_id: str) -> manifest_pb2.Manifest | None:
        """All that is known of one so far; None if it is not answered now."""
        found = self._answering.get(request_id)
        if found is None:
            return None
        whole = manifest_pb2.Manifest()
        whole.CopyFrom(found.manifest)
        whole.participations.extend(_underway(found))
        return whole


def _outline(answering: _Answering) -> manifest_pb2.Manifest:
    known = answering.manifest
    return manifest_pb2.Manifest(
        request_id=known.request_id,
        ensemble=known.ensemble,
        pattern=known.pattern,
        state=known.state,
        start_time=known.start_time,
        timeout=known.timeout,
        caller=known.caller,
        cost_usd=sum(part.cost_usd for part in known.participations),
        model_calls=sum(part.model_calls for part in known.participations),
        participations=_underway(answering),
    )


def _underway(answering: _Answering) -> Iterator[manifest_pb2.Participation]:
    for stage in answering.stages:
        part = manifest_pb2.Participation()
        part.CopyFrom(stage)
        part.status = UNDERWAY
        yield part
