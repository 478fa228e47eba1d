"""A tie ends the same in every process, whatever PYTHONHASHSEED is."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[3]
SEEDS = range(40)
TIED = """
import numpy as np
from aggregator_svc.voting import plurality
from services.core.canonical import ballot
from services.core.prompts import OutputFormat
texts = ['{"b": 1, "a": [2]}', '{"c": 3}', '{"a": [2.0], "b": 1}', '{"c": 3.0}']
votes = [ballot(t, (), output_format=OutputFormat("json"), tools=()) for t in texts]
keys = [vote.key for vote in votes]
count = plurality(keys, np.ones(4), np.full(4, np.nan), [0] * 4, min_share=0.5)
print(count.leader, [c.members for c in count.classes], count.tie_rule, count.consensus)

from aggregator_svc.logit import Fitted, fitted_vote
none = np.zeros(4)
flat = Fitted(0.0, 0.0, "", none, none, None, 1.0, 0.0, (0.0, 0.0, 0.0))
count = fitted_vote(keys, np.ones(4), np.full(4, np.nan), [0] * 4, flat, min_share=0.5)
print(count.leader, [c.members for c in count.classes], count.tie_rule, count.consensus)

from aggregator_svc.medoid import medoid
from services.models.words import word_vectors
said = ["Paris it is.", "It is Rome.", "Paris it is.", "It is Rome."]
print(medoid(said, word_vectors(said).astype(float), np.ones(4), np.full(4, np.nan)))
"""
"""Two against two: by plurality, by a fitted vote that cannot part them, and in prose."""


def decided(seed: int) -> str:
    env = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": f"{ROOT}:{ROOT / 'protos'}"}
    ran = subprocess.run(
        [sys.executable, "-c", TIED],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ran.stdout


def test_two_against_two_end_the_same_under_40_hash_seeds():
    with ThreadPoolExecutor(2) as several:
        outcomes = set(several.map(decided, SEEDS))

    (outcome,) = outcomes
    plurality, logit, medoid = outcome.splitlines()
    assert [True, True] == [told.endswith("key False") for told in (plurality, logit)]
    assert medoid.startswith("Medoid(")
