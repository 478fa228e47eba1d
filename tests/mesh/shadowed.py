"""Ensembles with a shadow, judges of pairs, and what the ledger has of shadows."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from gremium.v1 import shadow_pb2
from gremium.v1.ledger_pb2 import RECORD_KIND_SHADOW
from tests.upstream import Reply

BEGUN = shadow_pb2.SHADOW_VERDICT_UNSPECIFIED
SHADOW = {"share": 1.0, "max_usd_per_day": 100.0}


def route(shadow: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """The router takes `dear`, whose model is thought to be better."""
    return {
        "pattern": "route",
        "tiers": [
            {"name": "cheap", "jurors": [{"model": "small"}]},
            {"name": "dear", "jurors": [{"model": "large"}]},
        ],
        "shadow": SHADOW if shadow is None else shadow,
        **settings,
    }


def recorded(folder: Path) -> list[shadow_pb2.ShadowRecord]:
    """All records of shadows, oldest first."""
    with closing(sqlite3.connect(folder / ".gremium" / "ledger.sqlite")) as connection:
        rows = connection.execute(
            "SELECT payload FROM records WHERE kind = ? ORDER BY seq", (RECORD_KIND_SHADOW,)
        ).fetchall()
    return [shadow_pb2.ShadowRecord.FromString(payload) for (payload,) in rows]


async def ended(
    folder: Path, *, count: int = 1, within_s: float = 5.0
) -> list[shadow_pb2.ShadowRecord]:
    """Those that have ended, as soon as there are so many."""
    async with asyncio.timeout(within_s):
        while True:
            found = [each for each in recorded(folder) if each.verdict != BEGUN]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.01)


def prefers(*words: str):
    """A judge that chooses the answer with a word, wherever it is shown; without one a tie."""

    def choose(body: dict[str, Any]) -> Reply:
        shown = shown_of(body)
        one, two = re.split("ANSWER TWO", shown.split("ANSWER ONE", 1)[1], maxsplit=1)
        found = [any(word in said for word in words) for said in (one, two)]
        better = "tie" if found[0] == found[1] else ("one" if found[0] else "two")
        return Reply(text=json.dumps({"evidence": "", "better": better}))

    return choose


def shown_of(body: dict[str, Any]) -> str:
    """All that a model was shown."""
    return json.dumps(body["messages"], ensure_ascii=False)
