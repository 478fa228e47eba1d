"""What the tree accepts, every service can compute with."""

import math
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from services.config.tree import Config, Model, Section


def numbers(section: Any = Config) -> Iterator[tuple[str, str]]:
    """Section and name of every field of the tree that holds a float."""
    for part in _sections(section, set()):
        for name, field in part.model_fields.items():
            if float in _leaves(field.annotation):
                yield part.__name__, name


def _leaves(annotation: Any) -> set[Any]:
    inner = get_args(annotation)
    return set().union(*map(_leaves, inner)) if inner else {annotation}


def _sections(section: Any, seen: set[Any]) -> Iterator[Any]:
    seen.add(section)
    yield section
    for field in section.model_fields.values():
        for leaf in _leaves(field.annotation):
            if isinstance(leaf, type) and issubclass(leaf, Section) and leaf not in seen:
                yield from _sections(leaf, seen)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1e300])
@pytest.mark.parametrize(("section", "name"), sorted(numbers()))
def test_every_number_is_finite_and_bounded(section, name, value):
    sections = {part.__name__: part for part in _sections(Config, set())}
    with pytest.raises(ValidationError) as caught:
        sections[section].model_validate({name: value})

    assert (name,) in [error["loc"] for error in caught.value.errors()]


def test_a_latency_that_nobody_measured_is_not_known():
    plain = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5}

    assert Model.model_validate(plain).expected_latency_s is None


def saying(backend, name):
    return Model.model_validate(
        {"backend": backend, "model": "m", "family": "f", "timeout_s": 5, name: True}
    )


CHAT_ALONE = ["logprobs", "begins_in_reasoning"]


@pytest.mark.parametrize("name", CHAT_ALONE)
@pytest.mark.parametrize("backend", ["openai", "local"])
def test_chat_completions_have_settings_of_their_own(backend, name):
    assert getattr(saying(backend, name), name)


@pytest.mark.parametrize("name", CHAT_ALONE)
@pytest.mark.parametrize("backend", ["anthropic", "google"])
def test_refuses_settings_that_a_backend_cannot_heed(backend, name):
    with pytest.raises(ValidationError, match=f"`{name}` is only for the backends"):
        saying(backend, name)


JUROR = {"model": "m"}


def ensemble(**settings):
    plain = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5}
    return Config.model_validate({"models": {"m": plain}, "ensembles": {"e": settings}})


def tiers(*jurors):
    return [{"name": f"t{nth}", "jurors": [juror]} for nth, juror in enumerate(jurors)]


def test_a_cascade_asks_nobody_the_same_twice():
    with pytest.raises(ValidationError, match="'t1' asks 'm' what 't0' asked it before"):
        ensemble(pattern="cascade", tiers=tiers(JUROR, {**JUROR, "name": "again"}))


def test_a_cascade_may_ask_a_model_something_else():
    other = {**JUROR, "instruction": "Think first."}

    assert 2 == len(ensemble(pattern="cascade", tiers=tiers(JUROR, other)).ensembles["e"].tiers)


@pytest.mark.parametrize("pattern", ["route", "cascade"])
def test_the_default_tier_exists(pattern):
    with pytest.raises(ValidationError, match="default_tier 't9' is none of"):
        ensemble(pattern=pattern, tiers=tiers(JUROR), default_tier="t9")


def test_votes_are_not_weighted_without_a_judge():
    with pytest.raises(ValidationError, match="needs judge models"):
        ensemble(pattern="jury", jurors=[JUROR], aggregate={"method": "weighted"})


def test_checks_alone_cannot_fail_closed():
    with pytest.raises(ValidationError, match="would reject every answer"):
        ensemble(pattern="jury", jurors=[JUROR], judge={"on_failure": "closed"})


@pytest.mark.parametrize("method", ["auto", "plurality", "semantic_mean", "log_odds"])
def test_only_a_vote_on_fields_may_splice_them(method):
    with pytest.raises(ValidationError, match="`allow_splicing` needs `method: fieldwise`"):
        ensemble(
            pattern="jury", jurors=[JUROR], aggregate={"method": method, "allow_splicing": True}
        )


WRITTEN = {"synthesis": {"models": ["m"]}}


@pytest.mark.parametrize("method", ["plurality", "log_odds", "fieldwise"])
def test_only_prose_is_synthesised(method):
    with pytest.raises(ValidationError, match="counts ballots"):
        ensemble(pattern="jury", jurors=[JUROR], **WRITTEN, aggregate={"method": method})


@pytest.mark.parametrize("method", ["auto", "semantic_mean", "medoid"])
def test_prose_is_synthesised_by_any_method_that_compares_it(method):
    made = ensemble(pattern="jury", jurors=[JUROR], **WRITTEN, aggregate={"method": method})

    assert (("m",), True) == (made.ensembles["e"].beside_jurors, made.synthesises)


def test_a_synthesis_is_told_apart_from_every_juror():
    with pytest.raises(ValidationError, match="no juror can be called `synthesis`"):
        ensemble(pattern="jury", jurors=[{**JUROR, "name": "synthesis"}], **WRITTEN)


def test_steps_are_merged_not_synthesised():
    with pytest.raises(ValidationError, match="joined by `merge`"):
        ensemble(pattern="specialists", steps={"one": JUROR}, **WRITTEN)


def test_whoever_synthesises_is_in_the_roster():
    with pytest.raises(ValidationError, match="no such model"):
        ensemble(pattern="jury", jurors=[JUROR], synthesis={"models": ["stranger"]})
