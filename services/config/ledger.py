"""What is recorded of requests, and how surely."""

from typing import Annotated, Literal, Self

import re2
from pydantic import AfterValidator, Field, model_validator

from services.config.postgres import Postgres
from services.config.section import Name, Section

RedactedKind = Literal["secret", "email", "iban", "card", "ip", "phone"]
REDACTED: tuple[RedactedKind, ...] = ("secret", "email", "iban", "card", "ip", "phone")


def _pattern(text: str) -> str:
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(text, options=options)
    except re2.error as err:
        raise ValueError(f"is no pattern of RE2: {err}") from err
    if compiled.search("") is not None:
        raise ValueError("finds something in the empty text")
    return text


Pattern = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_pattern)]


class Ledger(Section):
    """What is recorded of requests, and how surely."""

    path: str = ".gremium/ledger.sqlite"
    """SQLite file, relative to the configuration."""
    mode: Literal["strict", "relaxed", "off"] = "strict"
    """`strict`: models are asked, and a reply is sent, only after that is on disk. `relaxed`: it
    is written beside the request, and what was not yet written is lost with the process. `off`:
    nothing is recorded, so that no request can be told again, budgets forget what was spent when
    the gateway starts, and nothing can be learned. Each reply says which."""
    max_queued: int = Field(default=1_000, ge=1, le=100_000)
    """Most requests whose records wait to be written in relaxed mode; while there are as many,
    further ones wait as in strict mode."""
    texts: Literal["nothing", "answers", "all"] = "nothing"
    """Which words records keep: `nothing`: codes, numbers, names and digests, and votes that are
    labels or numbers. `answers`: also what jurors answered and what was found of it. `all`: also
    the prompt and what was retrieved for it. What somebody says in feedback is always kept."""
    redact: tuple[RedactedKind, ...] = REDACTED
    """Kinds of things that are blotted out of kept words: `secret` (keys and tokens), `email`,
    `iban`, `card` (numbers of payment cards), `ip`, `phone`."""
    redact_patterns: dict[Name, Pattern] = Field(default_factory=dict, max_length=64)
    """More of them, by the name that stands in their place: patterns of RE2."""
    key: str | None = Field(default=None, min_length=1)
    """File with the Ed25519 key that signs records, relative to the configuration, as
    `gremium ledger key` makes it. Unset: records are chained but not signed."""
    replay_for_s: float = Field(default=86_400.0, ge=0.0, le=2_592_000.0)
    """How long a repeated request gets its recorded reply, and its manifest can be read whole: so
    long the reply is kept beside the record. 0: not at all."""
    keep_for_days: int | None = Field(default=None, ge=1, le=36_500)
    """Days after which a gateway removes a record, once a day; a signed tombstone stands for what
    went. Stays longer: what runs, can be told again, counts in a budget's present period, or
    PostgreSQL lacks. Unset: records are kept for ever."""
    postgres: Postgres | None = None
    """A PostgreSQL database that gets a copy of every record; unset: there is no copy."""

    @model_validator(mode="after")
    def _kinds_are_told_apart(self) -> Self:
        if same := sorted(set(self.redact) & self.redact_patterns.keys()):
            raise ValueError(f"redact_patterns: {same} are built in; give them other names")
        return self
