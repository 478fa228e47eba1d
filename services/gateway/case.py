"""One request on its way through the mesh."""

from collections.abc import Mapping
from dataclasses import dataclass

from gremium.v1 import ensemble_pb2, types_pb2
from services.config.tree import Ensemble, Model
from services.core.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked, of which ensemble, until when."""

    request_id: str
    asked: ensemble_pb2.AskRequest
    name: str
    """Name of the ensemble."""
    ensemble: Ensemble
    models: Mapping[str, Model]
    """The roster."""
    config_sha256: str
    allowed_s: float
    """Seconds from arrival to the deadline."""
    deadline: Deadline

    @property
    def prompt(self) -> types_pb2.Prompt:
        return self.asked.prompt
