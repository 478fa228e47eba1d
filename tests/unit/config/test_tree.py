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
@pytest.mark.parametrize(("section", "name"), list(numbers()))
def test_every_number_is_finite_and_bounded(section, name, value):
    sections = {part.__name__: part for part in _sections(Config, set())}
    with pytest.raises(ValidationError) as caught:
        sections[section].model_validate({name: value})

    assert (name,) in [error["loc"] for error in caught.value.errors()]


def test_a_latency_that_nobody_measured_is_not_known():
    plain = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5}

    assert Model.model_validate(plain).expected_latency_s is None


def asking_for_logprobs(backend):
    return Model.model_validate(
        {"backend": backend, "model": "m", "family": "f", "timeout_s": 5, "logprobs": True}
    )


@pytest.mark.parametrize("backend", ["openai", "local"])
def test_asks_for_log_probabilities(backend):
    assert asking_for_logprobs(backend).logprobs


@pytest.mark.parametrize("backend", ["anthropic", "google"])
def test_refuses_to_ask_for_log_probabilities_where_it_cannot(backend):
    with pytest.raises(ValidationError, match="only for the backends"):
        asking_for_logprobs(backend)
