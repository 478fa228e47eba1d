"""The configuration of a mesh over recorded answers: a jury, a cascade and a route."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

CALLING = {
    "gpt-3.5-turbo-0125": ("gpt", "openai", 0.50, 1.50),
    "claude-3-haiku-20240307": ("claude", "anthropic", 0.25, 1.25),
    "open-mistral-nemo-2407": ("mistral", "mistral", 0.30, 0.30),
    "gpt-4o-mini-2024-07-18": ("gpt", "openai", 0.15, 0.60),
    "claude-3-5-sonnet-20240620": ("claude", "anthropic", 3.00, 15.00),
}
"""Family, provider and list price of each model that calls tools, US dollars per million tokens in
and out."""
CHOOSING = {
    "gemini-1.5-pro-002": ("gemini", "google", 1.25, 5.00),
    "gemini-1.5-flash-002": ("gemini", "google", 0.075, 0.30),
    "Meta-Llama-3_1-8B-Instruct": ("llama", "together", 0.18, 0.18),
    "Phi-3-mini-4k-instruct": ("phi", "azure", 0.13, 0.52),
    "c4ai-command-r-v01": ("command", "cohere", 0.50, 1.50),
    "gemma-7b": ("gemma", "together", 0.20, 0.20),
    "Mistral-7B-Instruct-v0.2": ("mistral", "mistral", 0.25, 0.25),
}
"""The same of the models that choose a letter."""
ADEQUACY = {"gemini-1.5-flash-002": 0.64, "gemini-1.5-pro-002": 0.70}
"""Accuracy on all of MMLU-Pro."""


def config(domains: Mapping[str, Sequence[str]]) -> str:
    """A mesh over the recordings; everyone in the jury is waited for."""
    roster = {**CALLING, **CHOOSING}
    return yaml.safe_dump(
        {
            "version": 1,
            "models": {name: _model(name, *told) for name, told in roster.items()},
            "default_ensemble": "panel",
            "ledger": {"texts": "answers"},
            "router": {"domains": {name: {"examples": found} for name, found in domains.items()}},
            "ensembles": {"panel": JURY, "tools": CASCADE, "thrifty": ROUTE},
        },
        sort_keys=False,
    )


def _tier(name: str, *models: str) -> dict[str, Any]:
    return {"name": name, "jurors": [{"model": model} for model in models]}


JURY = {
    "description": "Two good models and five small ones, one vote each",
    "pattern": "jury",
    "jurors": [{"model": model} for model in CHOOSING],
    "quorum": 2,
    "stop": {"rule": "quorum"},
    "grace_s": 2.0,
    "judge": {},
}
SMALL, MINI, SONNET = list(CALLING)[:3], *list(CALLING)[3:]
CASCADE = {
    "description": "Three small models that agree, else a better one, else a large one",
    "pattern": "cascade",
    "accept_at": 0.6,
    "tiers": [_tier("three", *SMALL), _tier("better", MINI), _tier("large", SONNET)],
    "judge": {},
}
PRO, FLASH = list(CHOOSING)[:2]
ROUTE = {
    "description": "A small model where it should do, else a large one",
    "pattern": "route",
    "min_adequacy": 0.65,
    "tiers": [_tier("small", FLASH), _tier("large", PRO)],
    "judge": {},
    "shadow": {"share": 1.0, "max_usd_per_day": 5.0, "judges": []},
}


def _model(name: str, family: str, provider: str, usd_in: float, usd_out: float) -> dict[str, Any]:
    return {
        "backend": "recorded",
        "cassette": "recorded.jsonl",
        "model": name,
        "family": family,
        "provider": provider,
        "timeout_s": 10,
        "context_tokens": 64_000,
        "price": {"input_usd_per_mtok": usd_in, "output_usd_per_mtok": usd_out},
        **({"adequacy": ADEQUACY[name]} if name in ADEQUACY else {}),
    }
