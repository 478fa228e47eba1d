"""The steps of a task that specialists share, as the configuration words them."""

from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from services.config.section import Name, Seconds, Section

MERGE: Final = "merge"
RESERVED: Final = frozenset({"prompt", MERGE})
"""Words with a meaning of their own in templates and manifests."""
OnFail = Literal["retry", "fallback", "skip", "abort"]


class Retrieval(Section):
    """A search in the text files of a folder, by words and by meaning."""

    folder: str = Field(min_length=1)
    """Folder to search, relative to the configuration."""
    files: tuple[str, ...] = Field(default=("**/*.md", "**/*.txt"), min_length=1, max_length=64)
    """Which files, as patterns relative to the folder; what lies in a hidden folder is left out."""
    passages: int = Field(default=6, ge=1, le=32)
    """Most passages, of about 1,000 characters each, to hand on."""


class Shape(Section):
    """What shape an output must have. Exactly one of labels, a number and JSON."""

    labels: tuple[str, ...] = Field(default=(), max_length=256)
    """One of these labels."""
    number: bool = False
    """A single number."""
    json_schema: dict[str, Any] | None = None
    """JSON that this JSON Schema (draft 2020-12) describes."""
    may_abstain: bool = False
    """Whether it may say instead that it does not know, or decline."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum((bool(self.labels), self.number, self.json_schema is not None)) != 1:
            raise ValueError("needs exactly one of `labels`, `number` and `json_schema`")
        return self


class Step(Section):
    """One part of a task, and who does it."""

    goal: str = Field(default="{prompt}", min_length=1, max_length=65536)
    """What to achieve; what to search for, in a retrieval. `{prompt}` stands for the question,
    `{id}` for the output of a step in `depends_on`."""
    model: Name | None = None
    """Model of the roster that does it."""
    ensemble: Name | None = None
    """Ensemble that does it, by its own pattern and judge."""
    retrieval: Retrieval | None = None
    """Search that finds passages for every step behind this one; asks no model."""
    depends_on: tuple[Name, ...] = Field(default=(), max_length=12)
    """Steps whose outputs it reads; without any it starts at once."""
    required: bool = True
    """Whether the steps that read it, and in the end the request, fail when it does; else they are
    told so, and the answer is made without it."""
    timeout_s: Seconds | None = None
    """Longest time it may take; unset: its share of the request's time."""
    output_format: Shape | None = None
    """Shape of its output; unset: prose, and of the last step what the caller asked for."""
    on_fail: OnFail | None = None
    """What happens when it fails or a check fails its output: `retry` asks once more and says what
    was wrong, `fallback` asks the model of that name; if that fails too, or at once, `abort` ends
    all that reads it and `skip` goes on without it. Unset: `abort` if it is required, else
    `skip`."""
    fallback: Name | None = None
    """For `on_fail: fallback`: model of the roster that is asked instead."""

    @model_validator(mode="after")
    def _is_done_by_one(self) -> Self:
        if sum(who is not None for who in (self.model, self.ensemble, self.retrieval)) != 1:
            raise ValueError("needs exactly one of `model`, `ensemble` and `retrieval`")
        return self

    @model_validator(mode="after")
    def _fails_as_it_can(self) -> Self:
        if (self.on_fail == "fallback") != (self.fallback is not None):
            raise ValueError("`on_fail: fallback` and `fallback` need each other")
        if self.on_fail == ("skip" if self.required else "abort"):
            needed = "required" if self.required else "not required"
            raise ValueError(f"`on_fail: {self.on_fail}` is not for a step that is {needed}")
        if self.retrieval is not None and self.on_fail in {"retry", "fallback"}:
            raise ValueError(f"`on_fail: {self.on_fail}` is not for a search")
        return self


class Merge(Section):
    """How outputs become the answer. Either a text or a model."""

    template: str = Field(default="", max_length=65536)
    """The answer, with `{id}` for the output of a step and `{prompt}` for the question."""
    model: Name | None = None
    """Model of the roster that writes the answer from the outputs that no other step reads."""
    goal: str = Field(default="{prompt}", min_length=1, max_length=65536)
    """For `model`: what to write, with the same places."""

    @model_validator(mode="after")
    def _is_a_text_or_a_model(self) -> Self:
        if bool(self.template) == (self.model is not None):
            raise ValueError("needs exactly one of `template` and `model`")
        return self
