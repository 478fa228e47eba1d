"""Five processes over stub models, for the rows that break them: configuration, questions, ends.

A model that fails is soon left alone by its breaker, so each turn of a test
has models and ensembles of its own: `name-1`, `name-2`, …
"""

import json
import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gremium.v1 import ensemble_pb2, manifest_pb2, types_pb2

TURNS = 5
"""Of `make fault`."""
TURNS_TOLD = "FAULT_TURNS"
TIMEOUT_S = 8.0
PRICE = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 1.0}

Section = dict[str, Any]


def turns() -> range:
    """As many as the run has, which tests/fault/conftest.py tells."""
    return range(1, int(os.environ.get(TURNS_TOLD, str(TURNS))) + 1)


def model(called: str, url: str, **fields: Any) -> Section:
    """A model that the stub knows as `called`."""
    return {
        "backend": "openai",
        "model": called,
        "family": called,
        "base_url": url,
        "timeout_s": 30.0,
        "price": PRICE,
        **fields,
    }


def jury(models: Mapping[str, Section], name: str, **fields: Any) -> tuple[Section, Section]:
    """Models and ensembles of one jury, with jurors named by `models`, once for each turn."""
    turned: Section = {}
    ensembles: Section = {}
    for turn in turns():
        own = {f"{name}-{juror}-{turn}": {**spec} for juror, spec in models.items()}
        turned |= own
        jurors = [{"model": each, "name": juror} for each, juror in zip(own, models, strict=True)]
        ensembles[f"{name}-{turn}"] = {"pattern": "jury", "jurors": jurors, **fields}
    return turned, ensembles


def config(parts: Iterable[tuple[Section, Section]], url: str) -> str:
    """The juries together, and a `default` of three models that answer."""
    models = {name: model("four", url, family=name) for name in "abc"}
    models["judge"] = model("verdict-pass", url)
    ensembles: Section = {
        "default": {
            "pattern": "jury",
            "default_timeout_s": 20,
            "quorum": 3,
            "jurors": [{"model": name} for name in "abc"],
            "judge": {"models": ["judge"]},
        }
    }
    for own, juries in parts:
        models |= own
        ensembles |= juries
    whole = {
        "version": 1,
        "models": models,
        "ensembles": ensembles,
        "default_ensemble": "default",
        "embeddings": {"backend": "none"},
    }
    return json.dumps(whole)


def request(ensemble: str = "default", request_id: str = "", **fields: Any) -> Any:
    turn = types_pb2.Message(role=2, parts=[types_pb2.Part(text="What is 2 + 2?")])
    prompt = types_pb2.Prompt(messages=[turn])
    return ensemble_pb2.AskRequest(
        request_id=request_id, ensemble=ensemble, prompt=prompt, **fields
    )


def failure(call: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


def told(error: Any) -> tuple[str, str, dict[str, str]]:
    """Status, reason and metadata of an error."""
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(error)
    assert status, f"{error.code()} without details: {error.details()}"
    assert any(detail.Unpack(info) for detail in status.details)
    return error.code().name, info.reason, dict(info.metadata)


def ends(manifest: Any, stage: int = manifest_pb2.STAGE_JURY) -> dict[str, tuple[str, str]]:
    """Status and reason of everybody who took part in a stage, by name."""
    names = manifest_pb2.ParticipationStatus.Name
    return {
        part.name: (names(part.status).removeprefix("PARTICIPATION_STATUS_"), part.reason)
        for part in manifest.participations
        if part.stage == stage
    }


def manifest_of(gateway: Any, request_id: str, *, within_s: float = TIMEOUT_S) -> Any:
    """The manifest as soon as the request has ended."""
    until = time.monotonic() + within_s
    asked = ensemble_pb2.GetManifestRequest(request_id=request_id)
    while time.monotonic() < until:
        try:
            manifest = gateway.GetManifest(asked, timeout=TIMEOUT_S).manifest
        except grpc.RpcError as err:
            if err.code() is not grpc.StatusCode.NOT_FOUND:
                raise
        else:
            if manifest.state != manifest_pb2.MANIFEST_STATE_IN_PROGRESS:
                return manifest
        time.sleep(0.02)
    raise AssertionError(f"{request_id} has not ended")
