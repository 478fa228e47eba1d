"""The configuration: one frozen tree, what `gremium.yaml` may say."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.config.budgets import SharedBudget
from services.config.care import Breaker, Concurrency, Hedge, Retry, Throttle, Timeouts
from services.config.ensembles import (
    Aggregate,
    CascadeEnsemble,
    Ensemble,
    Juror,
    JuryEnsemble,
    RouteEnsemble,
    Shared,
    SpecialistsEnsemble,
    Tier,
    Tiered,
)
from services.config.judge import Judge
from services.config.ledger import Ledger
from services.config.routing import Labels
from services.config.section import Fraction, Name, Seconds, Section, UsdPerMtok
from services.config.synthesis import SYNTHESIS, Synthesis

__all__ = [
    "Aggregate",
    "Breaker",
    "CascadeEnsemble",
    "Concurrency",
    "Config",
    "Domain",
    "Embeddings",
    "Ensemble",
    "Judge",
    "Juror",
    "JuryEnsemble",
    "Ledger",
    "LoadedConfig",
    "Model",
    "Price",
    "Retry",
    "RouteEnsemble",
    "Router",
    "Section",
    "Shared",
    "SharedBudget",
    "SpecialistsEnsemble",
    "Synthesis",
    "Throttle",
    "Tier",
    "Tiered",
    "Timeouts",
]


class Price(Section):
    """What a model's tokens cost."""

    input_usd_per_mtok: UsdPerMtok = 0.0
    """US dollars per million input tokens."""
    cached_input_usd_per_mtok: UsdPerMtok | None = None
    """US dollars per million input tokens read from the provider's cache; unset: as any input."""
    output_usd_per_mtok: UsdPerMtok = 0.0
    """US dollars per million output tokens, reasoning included."""

    @property
    def free(self) -> bool:
        """Whether no call costs anything."""
        return not (
            self.input_usd_per_mtok or self.cached_input_usd_per_mtok or self.output_usd_per_mtok
        )


class Model(Section):
    """A model of the roster."""

    backend: Literal["openai", "anthropic", "google", "local", "recorded"]
    """How it is reached. `openai` is every OpenAI-compatible endpoint."""
    model: str = Field(min_length=1)
    """Model as its provider calls it; for `local` a known name such as `smollm2-135m`, one that
    `gremium models pull` or `add` gave, or a path to a GGUF file."""
    family: str = Field(min_length=1)
    """What it was trained as, such as `gpt`, `claude`, `qwen`. Jurors and judge should differ."""
    provider: str = ""
    """Who serves it; empty: the backend's own name."""
    base_url: str = ""
    """Address of the API, such as `http://127.0.0.1:11434/v1`; empty: the provider's own."""
    api_key_env: str = Field(default="", pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")
    """Name of the environment variable that holds the key; empty: no key is sent."""
    timeout_s: Seconds
    """Longest time to wait for one reply."""
    price: Price = Price()
    """What its tokens cost; unset: what the provider says that a call cost, else nothing."""
    context_tokens: int = Field(default=8192, ge=1, le=1_000_000_000)
    """Most tokens that prompt and answer may have together."""
    max_output_tokens: int = Field(default=1024, ge=1, le=1_000_000)
    """Most tokens of one answer, unless the request says otherwise."""
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)
    """Sampling temperature, unless the request says otherwise; unset: the provider's own, and 0 for
    `local`."""
    expected_latency_s: float | None = Field(default=None, gt=0.0, le=3600.0)
    """Usual time to an answer, in seconds, as measured: who has less time left does not ask it.
    Unset: not known, so it is asked however little time is left."""
    adequacy: Fraction = 0.5
    """Prior probability that it answers an average prompt adequately."""
    tools: bool = True
    """Whether it calls tools."""
    images: bool = False
    """Whether it takes images."""
    schemas: bool = True
    """Whether it can be asked for JSON by a JSON Schema."""
    region: str = Field(default="", max_length=128)
    """Where it is served, such as `eu`, for `allow.regions` of ensembles; empty: not known."""
    labels: Labels = ()
    """What holds of it, such as `no-training`, for `allow.labels` of ensembles."""
    logprobs: bool = False
    """For `openai` and `local`: whether to ask for log-probabilities; some servers refuse that."""
    begins_in_reasoning: bool = False
    """For `openai` and `local`: whether its chat template opens the reasoning, as those of
    DeepSeek-R1 and QwQ do. What it writes before `</think>` is then never shown, nor is it an
    answer, unless the server parts it from the text."""
    max_concurrent: int = Field(default=32, ge=1, le=65536)
    """Most calls in flight per process; more wait their turn inside their timeout."""
    concurrency: Concurrency = Concurrency()
    """How the calls in flight adapt, and how many may wait."""
    timeouts: Timeouts = Timeouts()
    """Limits on the parts of a reply."""
    retry: Retry = Retry()
    """When it is asked again after a failure."""
    hedge: Hedge | None = None
    """When it is asked a second time because it is slow; unset: never, for it costs money."""
    breaker: Breaker = Breaker()
    """When it is left alone because it fails."""
    throttle: Throttle = Throttle()
    """How long it is left alone because it is asked too often."""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """For `local`: digest that the weights must have; empty: not checked for own files."""
    cassette: str = ""
    """For `recorded`: JSONL file of recorded answers, relative to the configuration."""
    record: Name | None = None
    """For `recorded`: model of the roster to ask and record on a miss; unset: a miss is an error."""

    @model_validator(mode="after")
    def _cassette_belongs_to_recorded(self) -> Self:
        if (self.backend == "recorded") != bool(self.cassette):
            raise ValueError("`cassette` is needed for backend `recorded`, and only there")
        if self.record is not None and self.backend != "recorded":
            raise ValueError("`record` is only for backend `recorded`")
        return self

    @model_validator(mode="after")
    def _logprobs_can_be_asked_for(self) -> Self:
        if self.logprobs and self.backend not in {"openai", "local"}:
            raise ValueError("`logprobs` is only for the backends `openai` and `local`")
        return self

    @model_validator(mode="after")
    def _reasoning_is_in_the_text(self) -> Self:
        if self.begins_in_reasoning and self.backend not in {"openai", "local"}:
            raise ValueError("`begins_in_reasoning` is only for the backends `openai` and `local`")
        return self

    @property
    def provider_name(self) -> str:
        return self.provider or self.backend


class Domain(Section):
    """A field of knowledge, shown by examples."""

    examples: tuple[str, ...] = Field(min_length=1, max_length=256)
    """Prompts of this domain, in any language."""


class Router(Section):
    """How prompts are read, and what is predicted of models."""

    artefact: str | None = Field(default=None, min_length=1)
    """JSON file of a trained router, relative to the configuration: how likely each model answers a
    prompt adequately, and how long its answer gets. It stays in use whatever is on the shelf.
    Unset: what `gremium router use` put in use there."""
    shelf: str = Field(default=".gremium/routers", min_length=1)
    """Folder of trained routers, relative to the configuration, that `gremium router train` fills.
    A router notices within seconds when another one of them is put in use. While none is, nothing
    was learned, so that `adequacy` of the models and the looks of the prompt decide."""
    record: Literal["nothing", "features", "embedding"] = "features"
    """What manifests keep of a prompt, so that a router can be trained from the ledger: `features`
    are a few numbers (lengths, shares, counts) and a digest; `embedding` adds its vector, of which
    it can be guessed what the prompt was about. Never the text."""
    min_on_time: Fraction = 0.5
    """Probability to answer in time below which a juror is left out, where its latency is known."""

    domains: dict[Name, Domain] | None = None
    """Domains by name; unset: the built-in ones (code, maths, legal, medical, translation, …)."""
    min_domain_similarity: float = Field(default=0.35, ge=-1.0, le=1.0)
    """Cosine similarity to a domain's nearest example below which a prompt has no domain."""


class Embeddings(Section):
    """What turns text into vectors."""

    backend: Literal["minilm", "openai", "none"] = "minilm"
    """`minilm`: the built-in model on this CPU; `none`: prose is compared by its words."""
    model: str = ""
    """For `openai`: model as its provider calls it."""
    base_url: str = ""
    """For `openai`: address of the API."""
    api_key_env: str = ""
    """For `openai`: name of the environment variable that holds the key."""
    timeout_s: Seconds = 5.0
    """Longest time to wait for one batch."""


class Config(Section):
    """All of `gremium.yaml`."""

    version: Literal[1] = 1
    """Version of this format."""
    models: dict[Name, Model] = Field(min_length=1)
    """The roster, by name."""
    ensembles: dict[Name, Ensemble] = Field(min_length=1)
    """The ensembles, by name."""
    default_ensemble: Name | None = None
    """Ensemble of a request that names none; unset: the only one, or `default`."""
    router: Router = Router()
    """How prompts are read."""
    embeddings: Embeddings = Embeddings()
    """What turns text into vectors."""
    ledger: Ledger = Ledger()
    """What is recorded of requests."""
    calibration: str | None = Field(default=None, min_length=1)
    """JSON file that `gremium calibrate` made, relative to the configuration: how much each juror
    counts, when the best one is better trusted alone, and how likely an answer is right. Unset:
    nothing was learned, and manifests say so."""
    budgets: dict[Name, SharedBudget] = Field(default_factory=dict)
    """What requests may cost together over time, by name. Every gateway keeps its own account, by
    its ledger; a request draws from each budget that covers it."""

    @model_validator(mode="after")
    def _budgets_cover_ensembles(self) -> Self:
        covered = {name for budget in self.budgets.values() for name in budget.ensembles}
        if strange := sorted(covered - self.ensembles.keys()):
            raise ValueError(f"no such ensemble: {strange}; there are {sorted(self.ensembles)}")
        return self

    @model_validator(mode="after")
    def _syntheses_are_told_apart(self) -> Self:
        for name, each in self.ensembles.items():
            labels = {juror.label for tier in each.tiers for juror in tier.jurors}
            if each.synthesis and SYNTHESIS in labels:
                raise ValueError(f"{name}: no juror can be called `{SYNTHESIS}` beside a synthesis")
        return self

    @model_validator(mode="after")
    def _policies_follow_budgets(self) -> Self:
        for name, ensemble in self.ensembles.items():
            budget = ensemble.policy.budget if isinstance(ensemble, RouteEnsemble) else None
            if budget is None:
                continue
            if budget not in self.budgets:
                known = sorted(self.budgets)
                raise ValueError(
                    f"policy of {name!r}: no such budget: {budget!r}; there are {known}"
                )
            covered = self.budgets[budget].ensembles
            if covered and name not in covered:
                raise ValueError(f"policy of {name!r}: budget {budget!r} does not cover it")
        return self

    @model_validator(mode="after")
    def _fixed_models_are_allowed(self) -> Self:
        for name, ensemble in self.ensembles.items():
            for asked in fixed_models(ensemble):
                if why := barred(ensemble, self.models.get(asked)):
                    raise ValueError(f"ensemble {name!r} may not ask {asked!r}: {why}")
        return self

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        unknown = sorted({name for name in self._named_models() if name not in self.models})
        if unknown:
            raise ValueError(f"no such model: {unknown}; the roster has {sorted(self.models)}")
        if self.default not in self.ensembles:
            raise ValueError(
                f"default_ensemble {self.default!r} is none of {sorted(self.ensembles)}"
            )
        graphs = [e for e in self.ensembles.values() if isinstance(e, SpecialistsEnsemble)]
        asked = {name for graph in graphs for name in graph.nested}
        if strange := sorted(asked - self.ensembles.keys()):
            raise ValueError(f"no such ensemble: {strange}; there are {sorted(self.ensembles)}")
        return self

    def _named_models(self) -> list[str]:
        jurors = [j.model for e in self.ensembles.values() for t in e.tiers for j in t.jurors]
        others = [name for each in self.ensembles.values() for name in each.beside_jurors]
        recorders = [m.record for m in self.models.values() if m.record]
        return [*jurors, *others, *recorders]

    @property
    def synthesises(self) -> bool:
        """Whether some ensemble wants one answer written out of several."""
        return any(each.synthesis for each in self.ensembles.values())

    @property
    def default(self) -> str:
        """Name of the ensemble that a request without one means."""
        if self.default_ensemble is not None:
            return self.default_ensemble
        return next(iter(self.ensembles)) if len(self.ensembles) == 1 else "default"


def fixed_models(ensemble: Ensemble) -> list[str]:
    """Models that are asked without a router: beside jurors, and those that do steps."""
    is_graph = isinstance(ensemble, SpecialistsEnsemble)
    doing = [j.model for t in ensemble.tiers for j in t.jurors] if is_graph else []
    return [*ensemble.beside_jurors, *doing]


def barred(ensemble: Ensemble, model: Model | None) -> str:
    """Why an ensemble may never ask a model; empty: it may, or there is no such model."""
    if model is None:
        return ""
    allowed = ensemble.allow
    return allowed.wrong_region(model.region) or allowed.lacking(model.labels)


class LoadedConfig(BaseModel):
    """A configuration, and where it came from."""

    model_config = ConfigDict(frozen=True)

    config: Config
    path: Path
    """File it was read from; relative paths in it are relative to its folder."""
    sha256: str
    """Digest of the file's bytes, 64 hex digits."""

    def resolve(self, relative: str) -> Path:
        """A path of the configuration as an absolute one."""
        return (self.path.parent / relative).resolve()
