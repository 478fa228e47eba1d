"""One mesh of five processes with three scripted models, for every client."""

import asyncio
import threading
from contextlib import contextmanager

import pytest

from tests.running import mesh_running

CONFIG = """\
version: 1
models:
  a: {{backend: openai, model: four, family: alpha, provider: x, base_url: {url}, timeout_s: 5}}
  b: {{backend: openai, model: four, family: beta, provider: y, base_url: {url}, timeout_s: 5}}
  c: {{backend: openai, model: four, family: gamma, provider: z, base_url: {url}, timeout_s: 5}}
ensembles:
  default:
    pattern: jury
    default_timeout_s: 20
    jurors: [{{model: a}}, {{model: b}}, {{model: c}}]
    judge: {{}}
embeddings: {{backend: none}}
"""
