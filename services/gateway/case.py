"""One request on its way through the mesh."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from gremium.v1 import ensemble_pb2, model_status_pb2, router_pb2, types_pb2
from services.calibration.artefact import Calibration
from services.config.tree import Ensemble, Model
from services.core.deadline import Deadline
from services.gateway.live import Live
from services.gateway.stage_log import StageLog
from services.retrieval.shelves import Shelves
from services.runtime.wire import prompt_from_wire


@dataclass(frozen=True)
class Case:
    """What is asked, of which ensemble, until when.

    Without slots, so that what is counted once can be kept.
    """

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
    ensembles: Mapping[str, Ensemble] = field(default_factory=dict)
    """All ensembles by name, for steps that ask one."""
    shelves: Shelves | None = None
    """The folders that steps search."""
    stages: StageLog = field(default_factory=StageLog)
    """Where calls to stages are counted."""
    live: Live = field(default_factory=Live)
    """Where those who look on find the request while it is answered."""
    passage_ids: tuple[str, ...] | None = None
    """Ids that its searches give to what they find; None: any that the caller does not use."""
    caller: str = ""
    """Who asks, by its own word or by its host."""
    calibration: Calibration | None = None
    """What was learned of the jurors; None: nothing."""
    health: Sequence[model_status_pb2.ModelState] = ()
    """How the jurors' models fare, as far as is known."""
    price_of_money: float | None = None
    """What a US dollar weighs, by the budget that the policy follows; None: it follows none."""
    experience: Sequence[router_pb2.Experience] = ()
    """What came of the tiers so far, where the policy explores."""

    @cached_property
    def prompt(self) -> types_pb2.Prompt:
        """As asked; an answer may abstain where either the caller or the ensemble allows it."""
        given = self.asked.prompt
        if given.output_format.may_abstain or not self.ensemble.aggregate.may_abstain:
            return given
        allowed = types_pb2.Prompt()
        allowed.CopyFrom(given)
        allowed.output_format.may_abstain = True
        return allowed

    @property
    def output_kind(self) -> str:
        """What shape the answer must have; `tools`: text, or calls of tools."""
        kind = self.prompt.output_format.WhichOneof("kind") or "text"
        return "tools" if kind == "text" and self.prompt.tools else kind

    @property
    def may_call(self) -> bool:
        """Whether an answer that calls no tool abstains by that."""
        return self.output_kind == "tools"

    @cached_property
    def prompt_tokens(self) -> int:
        """Estimate of what a model reads of the prompt, counted once."""
        return prompt_from_wire(self.prompt).tokens

    @property
    def calibration_id(self) -> str:
        """Empty: uncalibrated."""
        return self.calibration.id if self.calibration else ""

    def asking(self, prompt: types_pb2.Prompt) -> "Case":
        """The same case with another prompt; labels and budget are the request's."""
        return replace(self, asked=ensemble_pb2.AskRequest(prompt=prompt))
