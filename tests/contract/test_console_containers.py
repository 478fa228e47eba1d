"""The console is added to the gateway's container by settings that it takes, for this machine alone."""

from pathlib import Path

import yaml

from services.gateway.settings import GatewaySettings

ROOT = Path(__file__).parents[2]
ADDED = yaml.safe_load((ROOT / "deploy" / "console.yml").read_text())["services"]
STAGES = ("ROUTER", "JURY", "JUDGE", "AGGREGATOR")


def test_the_gateway_takes_what_is_added():
    added = {key: value for key, value in ADDED["gateway"]["environment"].items() if value}
    stages = {f"GREMIUM_GATEWAY_{stage}": "dns:///x:1" for stage in STAGES}

    settings = GatewaySettings.from_env("GREMIUM_GATEWAY", {**stages, **added})

    assert ("0.0.0.0:50080", None) == (settings.console, settings.console_key)


def test_its_key_and_its_names_are_handed_on_if_they_are_set():
    handed_on = {key for key, value in ADDED["gateway"]["environment"].items() if value is None}

    assert {"GREMIUM_GATEWAY_CONSOLE_KEY", "GREMIUM_GATEWAY_CONSOLE_NAMES"} == handed_on


def test_it_is_published_on_this_machine_alone():
    assert ["gateway"] == list(ADDED)
    assert all(port.startswith("127.0.0.1:") for port in ADDED["gateway"]["ports"])
