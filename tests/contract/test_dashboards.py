"""What deploy/ asks Prometheus for are figures that the services give, by labels that these have."""

import json
import re
from pathlib import Path

import pytest
import yaml

from services.runtime import figures
from services.runtime.exposition import prometheus_name
from services.runtime.instruments import Counter, Histogram, Instrument

DEPLOY = Path(__file__).parents[2] / "deploy"
ALL = [each for each in vars(figures).values() if isinstance(each, Instrument)]
ENDINGS = {Counter: ("_total",), Histogram: ("_bucket", "_sum", "_count")}
SERIES = {
    prometheus_name(each) + ending: {label.replace(".", "_") for label in each.labels}
    for each in ALL
    for ending in ENDINGS.get(type(each), ("",))
}
WITH_LABELS = re.compile(r"\b((?:gremium|rpc|gen_ai)_\w+)(?:\{([^}]*)\})?")
LABEL = re.compile(r"(\w+)\s*(?:=~|!=|=)")
BY = re.compile(r"\bby \(([^)]*)\)")
TARGETS = {"le", "service", "instance", "job"}
"""What Prometheus adds."""


def dashboard():
    panels = json.loads((DEPLOY / "grafana.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def rules():
    groups = yaml.safe_load((DEPLOY / "rules.yml").read_text())["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def series(query):
    """The series that a query names, and the labels that it picks them by."""
    grouped = {label.strip() for found in BY.findall(query) for label in found.split(",")}
    for name, picked in WITH_LABELS.findall(BY.sub("", query)):
        yield name, (set(LABEL.findall(picked)) | grouped) - TARGETS


@pytest.mark.parametrize("query", [*dashboard(), *rules()])
def test_what_is_asked_for_is_given(query):
    for name, labels in series(query):
        assert name in SERIES
        assert labels <= SERIES[name], name


def test_the_dashboard_shows_every_figure_that_is_no_detail():
    shown = {name for query in dashboard() for name, _ in series(query)}

    assert len(shown) > 20


def test_the_readme_names_figures_that_there_are():
    text = (DEPLOY.parent / "README.md").read_text()
    section = text.partition("\n## Traces and figures\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`((?:gremium|rpc|gen_ai)_[a-z_]+)`", section))
    families = {prometheus_name(each) for each in ALL}

    assert len(named) > 20
    assert named <= SERIES.keys() | families


def test_services_are_scraped_where_compose_has_them_give_their_figures():
    services = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text())["services"]
    [job] = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    [found] = job["dns_sd_configs"]
    told = {
        name: service["environment"][f"GREMIUM_{name.upper()}_METRICS"]
        for name, service in services.items()
    }

    assert dict.fromkeys(found["names"], f"0.0.0.0:{found['port']}") == told


def test_what_is_beside_the_mesh_can_be_reached_from_this_machine_alone():
    beside = yaml.safe_load((DEPLOY / "metrics.yml").read_text())["services"].values()

    assert all(port.startswith("127.0.0.1:") for each in beside for port in each.get("ports", ()))


def test_grafana_has_nobody_to_log_in_and_is_no_part_of_the_mesh():
    services = yaml.safe_load((DEPLOY / "metrics.yml").read_text())["services"]
    grafana = services["grafana"]
    told = grafana["environment"]

    assert "Viewer" == told["GF_AUTH_ANONYMOUS_ORG_ROLE"]
    assert "true" == told["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"]
    assert ["outside"] == grafana["networks"]
    assert "outside" in services["prometheus"]["networks"]
