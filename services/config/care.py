"""What the configuration says of handling a model with care: waits, retries, breaker, throttle."""

from pydantic import Field

from services.config.section import Fraction, Seconds, Section


class Timeouts(Section):
    """How long to wait for the parts of a reply; `timeout_s` limits the whole."""

    connect_s: Seconds = 5.0
    """Longest time to look up the address and to connect, TLS included."""
    first_token_s: Seconds | None = None
    """Longest time from the call to the first token. A model with a value here is always asked for
    a stream. Unset: only the whole is limited, as suits models that reason in secret."""
    between_tokens_s: Seconds | None = None
    """Longest pause between two tokens. A model with a value here is always asked for a stream.
    Unset: only the whole is limited."""

    @property
    def need_stream(self) -> bool:
        """Whether they can only be kept by listening to the model while it writes."""
        return self.first_token_s is not None or self.between_tokens_s is not None


class Retry(Section):
    """When the same model is asked again after it failed."""

    max_attempts: int = Field(default=2, ge=1, le=3)
    """Calls for one answer, the first one included; 1: no retry."""
    backoff_s: float = Field(default=0.04, ge=0.0, le=60.0)
    """Upper bound of the random pause before the first retry; it doubles for the next."""
    max_wait_s: float = Field(default=0.1, ge=0.0, le=60.0)
    """Longest pause before a retry. A provider that asks for a longer one is not asked again."""
    budget_share: Fraction = 0.2
    """Retries allowed per call, counted over `budget_window_s`."""
    budget_floor_per_s: float = Field(default=0.1, ge=0.0, le=1000.0)
    """Retries allowed per second in addition, so that a model with few calls has some."""
    budget_window_s: Seconds = 10.0
    """Time over which calls and retries are counted; older ones fade away."""


class Hedge(Section):
    """When a second call runs beside a slow one: the first answer counts."""

    quantile: float = Field(default=0.95, ge=0.5, lt=1.0)
    """A call is slow that takes longer than this share of the model's calls of late."""
    max_share: float = Field(default=0.05, gt=0.0, le=1.0)
    """Second calls allowed per call. About ten may be saved up."""


class Breaker(Section):
    """When a model that fails is left alone for a while."""

    window: int = Field(default=10, ge=1, le=10_000)
    """Latest calls that are looked at."""
    window_s: Seconds = 60.0
    """Age at which a call is forgotten."""
    min_calls: int = Field(default=5, ge=1, le=10_000)
    """Calls in the window without which nothing is concluded; at most `window` are needed."""
    failure_share: float = Field(default=0.5, gt=0.0, le=1.0)
    """Share of failures among them at which it opens."""
    open_s: Seconds = 5.0
    """Time for which an open breaker refuses all calls before it probes; it doubles with each
    probe that fails."""
    max_open_s: Seconds = 60.0
    """Longest time between probes."""
    probes: int = Field(default=1, ge=1, le=100)
    """Calls that may run at once as probes, and that must succeed in a row to close it."""


class Throttle(Section):
    """How long a model is left alone whose provider says that it is asked too often."""

    bare_s: Seconds = 1.0
    """Time after a refusal that names none; it doubles while refusals follow each other."""
    max_s: Seconds = 300.0
    """Longest time, whatever the provider says."""


class Concurrency(Section):
    """How the number of calls in flight adapts between `min` and `max_concurrent`."""

    min: int = Field(default=1, ge=1, le=65536)
    """Calls in flight that are always allowed, though never more than `max_concurrent`."""
    decrease: float = Field(default=0.7, gt=0.0, lt=1.0)
    """Factor on the limit when the model shows that it has too much to do."""
    newcomers: float = Field(default=0.0625, ge=0.0, le=0.5)
    """Share of the calls in flight that one caller leaves for others, rounded down."""
    keep_s: Seconds = 2.0
    """Time after which half of the calls that a caller had in flight are kept for it no more."""
    max_waiting: int = Field(default=128, ge=0, le=65536)
    """Calls that may wait for their turn; more are refused at once."""
