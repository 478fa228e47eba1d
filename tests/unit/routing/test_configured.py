"""A configuration finds its trained router, or says with line, file and field why it cannot."""

import json
from dataclasses import replace

import pytest

from services.cli.calibrated import routing_findings
from services.config.lint import lint
from services.config.load import load
from services.config.problems import ConfigError
from services.routing.artefact import Embedding, write
from services.routing.configured import is_learned, routing_of, shelf_of
from services.routing.fit import fit
from tests.unit.routing.test_predict import DIM, planted

MODEL = {"backend": "openai", "family": "f", "model": "m", "timeout_s": 5}


@pytest.fixture(scope="module")
def routing():
    return fit(planted(), Embedding("none", "words", DIM), created="2026-01-01T00:00:00+00:00")


@pytest.fixture
def loaded(tmp_path, routing):
    def make(*models, backend="none", artefact="router.json", **ensemble):
        write(routing, tmp_path / "router.json")
        tiers = [{"name": name, "jurors": [{"model": name}]} for name in models or ("small",)]
        config = {
            "models": {tier["name"]: MODEL for tier in tiers},
            "ensembles": {"main": {"pattern": "route", "tiers": tiers, **ensemble}},
            "router": {"artefact": artefact},
            "embeddings": {"backend": backend},
        }
        path = tmp_path / "gremium.yaml"
        path.write_text(json.dumps(config, indent=1))
        return load(path)

    return make


def test_is_read_from_beside_the_configuration(loaded, routing):
    assert routing.id == routing_of(loaded()).id


def test_a_missing_file_is_named_with_the_line(loaded):
    with pytest.raises(
        ConfigError, match=r"gremium.yaml:\d+: router.artefact: .*other.json: cannot"
    ):
        routing_of(loaded(artefact="other.json"))


def test_another_embedding_than_it_was_trained_with_is_refused(loaded):
    with pytest.raises(ConfigError, match=r"embedding: was trained with none; .* is minilm"):
        routing_of(loaded(backend="minilm"))


def test_without_an_artefact_the_one_in_use_on_the_shelf_decides(loaded, routing):
    here = loaded(artefact=None)
    assert routing_of(here) is None

    shelf_of(here).put(routing, [])
    shelf_of(here).use(routing.id, now="")
    assert routing.id == routing_of(here).id


def test_a_configured_artefact_stands_over_the_shelf(loaded, routing):
    other = replace(routing, created="2026-02-02T00:00:00+00:00")
    here = loaded()
    shelf_of(here).put(other, [])
    shelf_of(here).use(other.id, now="")

    assert routing.id == routing_of(here).id


def test_a_broken_one_on_the_shelf_is_named_with_the_way_out(loaded, routing):
    here = loaded(artefact=None)
    shelf_of(here).put(routing, [])
    shelf_of(here).use(routing.id, now="")
    shelf_of(here).path(routing.id).unlink()

    with pytest.raises(ConfigError, match=r"yaml:\d+: router.shelf: .*json: cannot.*rollback"):
        routing_of(here)


def test_policies_go_by_guesses_until_a_router_is_in_use(loaded, routing):
    here = loaded("small", "large", artefact=None, policy={"rule": "utility"})
    assert ["POLICY_WITHOUT_ARTEFACT"] == codes(here)

    shelf_of(here).put(routing, [])
    shelf_of(here).use(routing.id, now="")
    assert [] == codes(here)


def codes(here):
    found = lint(here.config, learned=is_learned(here))
    return [each.code for each in found if "POLICY" in each.code]


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        pytest.param(("small", "large"), [], id="all are known"),
        pytest.param(("small", "rare"), ["fewer than 30 labels of rare"], id="one is cold"),
        pytest.param(("new", "other"), ["labels of each of its models"], id="none is known"),
    ],
)
def test_says_of_whom_too_little_was_learned(loaded, models, expected):
    told = [finding.message for finding in routing_findings(loaded(*models))]

    assert len(expected) == len(told)
    assert all(part in whole for part, whole in zip(expected, told, strict=True))
