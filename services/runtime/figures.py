"""All metrics. Whoever calls, and requests by their id, are no labels: their number has no bound."""

from typing import Final

from services.runtime import names
from services.runtime.instruments import MANY_S, SHARES, TOKENS, Counter, Gauge, Histogram

_CALL = (names.RPC_SYSTEM, names.RPC_METHOD, names.RPC_STATUS, names.ERROR_TYPE)
_ASKED = (
    names.OPERATION,
    names.PROVIDER,
    names.REQUEST_MODEL,
    names.MODEL,
    names.SERVICE,
)
_OF_MODEL = (names.SERVICE, names.MODEL)
_OF_ENSEMBLE = (names.ENSEMBLE,)

RPC_SERVER: Final = Histogram(
    "rpc.server.call.duration", "Time to answer a call of the mesh.", _CALL, "s"
)
RPC_CLIENT: Final = Histogram(
    "rpc.client.call.duration", "Time until a service of the mesh had answered.", _CALL, "s"
)

MODEL_DURATION: Final = Histogram(
    "gen_ai.client.operation.duration",
    "Time from sending a prompt to a model to the end of its answer, or to its failure.",
    (*_ASKED, names.ERROR_TYPE),
    "s",
    MANY_S,
)
FIRST_CHUNK: Final = Histogram(
    "gen_ai.client.operation.time_to_first_chunk",
    "Time from sending a prompt to the first piece of a streamed answer.",
    _ASKED,
    "s",
    MANY_S,
)
MODEL_TOKENS: Final = Histogram(
    "gen_ai.client.token.usage",
    "Tokens that a call read or wrote; estimates where the provider did not say.",
    (*_ASKED, names.TOKEN_TYPE),
    "{token}",
    TOKENS,
)
MODEL_WAIT: Final = Histogram(
    "gremium.model.wait.duration", "Time that a call waited for its turn.", _OF_MODEL, "s", MANY_S
)
MODEL_COST: Final = Counter(
    "gremium.model.cost.usd",
    "US dollars that calls cost, those included that were cut off.",
    _OF_MODEL,
)
MODEL_CALLS: Final = Counter(
    "gremium.model.calls",
    "Calls by how they ended and why: failures, and those cut off or not let through.",
    (*_OF_MODEL, names.STATUS, names.WHY),
)
BREAKER_STATE: Final = Gauge(
    "gremium.model.breaker.state", "0: closed, 1: being probed, 2: open.", _OF_MODEL
)
BREAKER_OPENS: Final = Counter(
    "gremium.model.breaker.opens", "How often the breaker opened.", _OF_MODEL
)
CONCURRENCY_LIMIT: Final = Gauge(
    "gremium.model.concurrency.limit", "Calls that may be in flight at once.", _OF_MODEL
)
IN_FLIGHT: Final = Gauge("gremium.model.calls.in_flight", "Calls in flight.", _OF_MODEL)
WAITING: Final = Gauge("gremium.model.calls.waiting", "Calls that wait for their turn.", _OF_MODEL)
THROTTLED: Final = Gauge(
    "gremium.model.throttled", "1 while the provider wants to be left alone.", _OF_MODEL
)
RETRIES: Final = Counter("gremium.model.retries", "Calls made again after a failure.", _OF_MODEL)
HEDGES: Final = Counter("gremium.model.hedges", "Calls made beside one that was slow.", _OF_MODEL)

REQUEST_DURATION: Final = Histogram(
    "gremium.request.duration",
    "Time from a request's arrival to its end; the outcome is FAILED or CANCELLED without a reply.",
    (names.ENSEMBLE, names.PATTERN, names.OUTCOME, names.ERROR_TYPE),
    "s",
    MANY_S,
)
REQUESTS_ACTIVE: Final = Gauge(
    "gremium.requests.active", "Requests that are being answered.", _OF_ENSEMBLE
)
DEGRADED: Final = Counter(
    "gremium.requests.degraded", "Requests that a stage or a juror was lost to.", _OF_ENSEMBLE
)
UNJUDGED: Final = Counter(
    "gremium.requests.unjudged", "Answers that no judge passed.", _OF_ENSEMBLE
)
REQUEST_COST: Final = Counter(
    "gremium.request.cost.usd", "US dollars that requests cost.", _OF_ENSEMBLE
)
DEADLINE_LEFT: Final = Histogram(
    "gremium.deadline.left", "Time left of the deadline at a request's end.", _OF_ENSEMBLE, "s"
)
DEADLINE_LEFT_SHARE: Final = Histogram(
    "gremium.deadline.left.share",
    "Time left at a request's end, as a share of what its caller allowed.",
    _OF_ENSEMBLE,
    bounds=SHARES,
)
PARTICIPATIONS: Final = Counter(
    "gremium.participations",
    "Parts that models and stages played, by how they ended and why.",
    (names.ENSEMBLE, names.STAGE, names.MODEL, names.STATUS, names.WHY),
)
JURY_STOPS: Final = Counter(
    "gremium.jury.stops", "Juries by why they stopped waiting.", (names.ENSEMBLE, names.WHY)
)
SAVED_CALLS: Final = Counter(
    "gremium.jury.saved.calls", "Jurors that a jury had no need to ask.", _OF_ENSEMBLE
)
SAVED_USD: Final = Counter(
    "gremium.jury.saved.usd", "US dollars saved by stopping early; an estimate.", _OF_ENSEMBLE
)
SAVED_TIME: Final = Counter(
    "gremium.jury.saved.time", "Time saved by stopping early; an estimate.", _OF_ENSEMBLE, "s"
)
ESCALATIONS: Final = Counter(
    "gremium.escalations",
    "Tiers that were not enough.",
    (names.ENSEMBLE, names.FROM_TIER, names.TO_TIER),
)
TALLIES: Final = Counter(
    "gremium.tallies",
    "Votes counted, by how and whether the jurors agreed enough.",
    (names.ENSEMBLE, names.METHOD, names.CONSENSUS),
)
TALLY_DIVERGENCE: Final = Histogram(
    "gremium.tally.divergence",
    "How far the jurors of a tally disagree, of two or more.",
    _OF_ENSEMBLE,
    bounds=SHARES,
)
PAIRS: Final = Counter(
    "gremium.jurors.compared",
    "Times that both jurors of a pair had a ballot.",
    (names.ENSEMBLE, names.JUROR, names.OTHER_JUROR),
)
PAIRS_DISAGREED: Final = Counter(
    "gremium.jurors.disagreed",
    "Times that the ballots of a pair of jurors differed.",
    (names.ENSEMBLE, names.JUROR, names.OTHER_JUROR),
)
VERDICTS: Final = Counter(
    "gremium.verdicts",
    "Findings on answers, by judge model; why where there is none.",
    (names.ENSEMBLE, names.JUDGE, names.VERDICT, names.WHY),
)
STANDINGS: Final = Counter(
    "gremium.judge.standings",
    "Answers compared with others, by whether the order in which a judge saw them mattered.",
    (names.ENSEMBLE, names.CONSISTENT),
)
SHADOWS: Final = Counter(
    "gremium.shadows",
    "Answers of a tier beside those of a cheaper one that was asked afterwards.",
    (names.ENSEMBLE, names.FROM_TIER, names.TO_TIER, names.VERDICT),
)
SHADOW_COST: Final = Counter(
    "gremium.shadow.cost.usd", "US dollars that asking cheaper tiers, too, cost.", _OF_ENSEMBLE
)
SHADOW_SAVED: Final = Counter(
    "gremium.shadow.saved.usd",
    "US dollars that a cheaper tier would have saved where its answer was no worse.",
    _OF_ENSEMBLE,
)
FEEDBACK: Final = Histogram(
    "gremium.feedback.score",
    "How good somebody thinks an answer was, in [0, 1].",
    (names.ENSEMBLE, names.FEEDBACK),
    bounds=SHARES,
)

LEDGER_FAILING: Final = Gauge(
    "gremium.ledger.failing", "1 while no request can be recorded, as on a full disk."
)
MIRROR_LAG: Final = Gauge(
    "gremium.ledger.mirror.lag", "Records that the ledger's copy in PostgreSQL lacks."
)
MIRROR_LAG_AGE: Final = Gauge(
    "gremium.ledger.mirror.lag.age", "Age of the oldest record that the copy lacks.", unit="s"
)
MIRROR_FAILING: Final = Gauge(
    "gremium.ledger.mirror.failing", "1 while PostgreSQL cannot be given records."
)

SPANS_DROPPED: Final = Counter(
    "gremium.telemetry.spans.dropped", "Spans that were not delivered.", (names.ERROR_TYPE,)
)
SPANS_QUEUED: Final = Gauge("gremium.telemetry.spans.queued", "Spans that wait to be sent.")
EXPORTS_LOST: Final = Counter(
    "gremium.telemetry.metric.exports.lost",
    "Exports of metrics that were not delivered.",
    (names.ERROR_TYPE,),
)
