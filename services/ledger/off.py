"""The ledger that keeps nothing."""

from datetime import datetime
from typing import Final

from gremium.v1.ensemble_pb2 import AskResponse, ListManifestsRequest, ListManifestsResponse
from gremium.v1.ledger_pb2 import LEDGER_MODE_OFF, Attestation, LedgerMode, RecordKind
from gremium.v1.manifest_pb2 import Feedback, Manifest
from gremium.v1.types_pb2 import Prompt
from services.core.errors import UnknownRequestError
from services.ledger.ledger import Ledger
from services.ledger.queries import Charge
from services.ledger.retention import Keep

NOTHING: Final = "the ledger is off (`ledger.mode`): no request is recorded"


class Off(Ledger):
    """Takes everything, and knows of nothing."""

    def __init__(self) -> None:
        """Neither a file nor a thread."""

    @property
    def mode(self) -> LedgerMode.ValueType:
        return LEDGER_MODE_OFF

    @property
    def records(self) -> bool:
        return False

    @property
    def trouble(self) -> str:
        return ""

    async def flush(self, *, within_s: float) -> None:
        del within_s

    async def begin(self, manifest: Manifest, *, fingerprint: str) -> AskResponse | None:
        del manifest, fingerprint
        return None

    def spent(self, manifest: Manifest) -> None:
        pass

    async def finish(self, reply: AskResponse, prompt: Prompt | None = None) -> None:
        pass

    async def append(self, kind: RecordKind.ValueType, request_id: str, payload: bytes) -> None:
        del kind, payload
        raise UnknownRequestError(NOTHING, request_id=request_id)

    async def add_feedback(self, request_id: str, feedback: Feedback) -> Feedback:
        del feedback
        raise UnknownRequestError(NOTHING, request_id=request_id)

    async def recorded(self, request_id: str, *, fingerprint: str) -> AskResponse | None:
        del request_id, fingerprint
        return None

    async def charges(self, since: datetime) -> list[Charge]:
        del since
        return []

    async def manifest(self, request_id: str) -> Manifest:
        raise UnknownRequestError(NOTHING, request_id=request_id)

    async def attestation(self, request_id: str) -> Attestation | None:
        del request_id
        return None

    async def manifests(self, request: ListManifestsRequest) -> ListManifestsResponse:
        del request
        return ListManifestsResponse()

    async def forget(self) -> int:
        return 0

    async def prune(self, keep: Keep) -> int:
        del keep
        return 0
