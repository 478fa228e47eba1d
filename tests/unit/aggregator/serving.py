"""Calls an aggregator's servicer as its server would."""

import numpy as np

from gremium.v1 import aggregator_pb2, types_pb2
from services.config.tree import Config, LoadedConfig
from services.core.errors import (
    BackendError,
)

TEXT = types_pb2.OutputFormat()
LABELS = types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["A", "B", "C"]))
NUMBER = types_pb2.OutputFormat(number=types_pb2.NumberFormat(relative_tolerance=0.01))
JSON = types_pb2.OutputFormat(json=types_pb2.JsonFormat())
NOW = types_pb2.Tool(name="now")


class Context:
    """What a servicer sees of its call."""

    def __init__(self, left_s=5.0):
        self._left_s = left_s

    def time_remaining(self):
        return self._left_s

    def invocation_metadata(self):
        return ()


class BrokenEmbedder:
    async def embed(self, texts, *, deadline):
        raise BackendError("no embeddings today")


class UnitEmbedder:
    """Puts every text on an axis of its own, so that nothing is alike."""

    async def embed(self, texts, *, deadline):
        return np.eye(len(texts), dtype=np.float32)


class Angles:
    """Puts texts at the given degrees in the plane."""

    def __init__(self, *degrees):
        self._degrees = degrees

    async def embed(self, texts, *, deadline):
        radians = np.radians(self._degrees[: len(texts)])
        return np.stack([np.cos(radians), np.sin(radians)], axis=1)


def loaded(tmp_path, backend):
    config = Config.model_validate(
        {
            "models": {"m": {"backend": "openai", "model": "m", "family": "m", "timeout_s": 1}},
            "ensembles": {"e": {"pattern": "jury", "jurors": [{"model": "m"}]}},
            "embeddings": {"backend": backend},
        }
    )
    return LoadedConfig(config=config, path=tmp_path / "gremium.yaml", sha256="0" * 64)


def answers(*texts):
    return [types_pb2.Answer(juror=f"j{i}", text=text) for i, text in enumerate(texts)]


def calling(juror, *names):
    calls = [types_pb2.ToolCall(name=name, arguments_json="{}") for name in names]
    return types_pb2.Answer(juror=juror, tool_calls=calls)


async def aggregate(servicer, given, form=TEXT, *, left_s=5.0, **fields):
    request = aggregator_pb2.AggregateRequest(answers=given, output_format=form, **fields)
    return await servicer.Aggregate(request, Context(left_s))


def priors(*values):
    return [
        aggregator_pb2.JurorWeight(juror=f"j{i}", weight=1, prior=prior)
        for i, prior in enumerate(values)
    ]
