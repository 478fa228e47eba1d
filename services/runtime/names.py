"""Names of all attributes, of spans and of metrics: the conventions' first, ours under `gremium`."""

from collections.abc import Mapping
from typing import Final

# GenAI semantic conventions v1.41
OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
STREAMED: Final = "gen_ai.request.stream"
RESPONSE_MODEL: Final = "gen_ai.response.model"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
FIRST_CHUNK_S: Final = "gen_ai.response.time_to_first_chunk"
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105 - no secret
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
CACHED_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
EVALUATION: Final = "gen_ai.evaluation.result"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_SCORE: Final = "gen_ai.evaluation.score.value"
EVALUATION_LABEL: Final = "gen_ai.evaluation.score.label"
EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"
ERROR_TYPE: Final = "error.type"

# RPC semantic conventions v1.41
RPC_SYSTEM: Final = "rpc.system.name"
RPC_METHOD: Final = "rpc.method"
RPC_STATUS: Final = "rpc.response.status_code"
RPC_STATUS_NUMBER: Final = "rpc.grpc.status_code"

# ours
SERVICE: Final = "gremium.service"
"""Which service of the mesh asks, as several may share a process."""
MODEL: Final = "gremium.model"
"""A model's name in the roster."""
JUROR: Final = "gremium.juror"
OTHER_JUROR: Final = "gremium.juror.other"
REQUEST_ID: Final = "gremium.request_id"
"""Of spans alone."""
ENSEMBLE: Final = "gremium.ensemble"
PATTERN: Final = "gremium.pattern"
OUTCOME: Final = "gremium.outcome"
STAGE: Final = "gremium.stage"
STATUS: Final = "gremium.status"
WHY: Final = "gremium.reason"
"""Why something ended as it did, UPPER_SNAKE; no error where the status is none."""
ATTEMPT: Final = "gremium.attempt"
"""Which call for one answer this is, from 1."""
HEDGE: Final = "gremium.hedge"
"""Whether a call runs beside an earlier one that is slow."""
COST_USD: Final = "gremium.cost_usd"
REMAINING_S: Final = "gremium.deadline.remaining_s"
CANCEL_REASON: Final = "gremium.cancel.reason"
REASON: Final = "gremium.error.reason"
METHOD: Final = "gremium.tally.method"
CONSENSUS: Final = "gremium.tally.consensus"
DIVERGENCE: Final = "gremium.tally.divergence"
LEADER_SHARE: Final = "gremium.tally.leader.share"
BALLOTS: Final = "gremium.tally.ballots"
JUDGE: Final = "gremium.judge"
VERDICT: Final = "gremium.verdict"
CONSISTENT: Final = "gremium.judge.consistent"
FEEDBACK: Final = "gremium.feedback"
FROM_TIER: Final = "gremium.tier.from"
TO_TIER: Final = "gremium.tier.to"

PROVIDERS: Final[Mapping[str, str]] = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""What the conventions call those providers for which they have a word of their own."""


def provider_called(name: str) -> str:
    """A provider as the conventions call it.

    Examples
    --------
    >>> provider_called("google"), provider_called("ollama")
    ('gcp.gemini', 'ollama')
    """
    return PROVIDERS.get(name.lower(), name)
