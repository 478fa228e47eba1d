"""The compose file starts the five services as their settings want it, and exposes one."""

import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from services.config.tree import LoadedConfig

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
SETTINGS = {
    "router": ("router_svc.settings", "RouterSettings"),
    "jury": ("jury_svc.settings", "JurySettings"),
    "judge": ("judge_svc.settings", "JudgeSettings"),
    "aggregator": ("aggregator_svc.settings", "AggregatorSettings"),
    "gateway": ("services.gateway.settings", "GatewaySettings"),
}
CALLERS_OF_MODELS = {"router", "jury", "judge", "aggregator"}
PACKAGES = {
    "router": ["router_svc"],
    "jury": ["jury_svc"],
    "judge": ["judge_svc"],
    "aggregator": ["aggregator_svc"],
    "gateway": ["services/gateway", "services/retrieval"],
}
HOME = "/var/lib/gremium"


def filled(value: object) -> str:
    """A value with compose's defaults put in."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


def test_runs_the_five_services():
    assert set(SETTINGS) == set(SERVICES)


@pytest.mark.parametrize("name", SETTINGS)
def test_gives_each_process_settings_that_it_accepts(name):
    module, kind = SETTINGS[name]
    env = {key: filled(value) for key, value in SERVICES[name]["environment"].items()}

    settings = getattr(import_module(module), kind).from_env(f"GREMIUM_{name.upper()}", env)

    assert "0.0.0.0:50051" == settings.bind


@pytest.mark.parametrize("name", sorted(SETTINGS.keys() - {"gateway"}))
def test_the_gateway_finds_a_second_one_of_each_stage_within_a_minute(name):
    assert 30 >= float(
        SERVICES[name]["environment"][f"GREMIUM_{name.upper()}_MAX_CONNECTION_AGE_S"]
    )


@pytest.mark.parametrize("name", SETTINGS)
def test_starts_a_module_that_exists(name):
    python, flag, module = SERVICES[name]["command"]

    assert ("python", "-m") == (python, flag)
    assert (ROOT / module.replace(".", "/") / "__main__.py").exists()


@pytest.mark.parametrize("name", SETTINGS)
def test_watches_and_limits_each_service(name):
    service = SERVICES[name]

    assert "services.runtime.probe" in service["healthcheck"]["test"]
    assert {"cpus", "memory", "pids"} == set(service["deploy"]["resources"]["limits"])
    assert service["read_only"]


def test_publishes_the_gateway_alone_and_on_this_machine_alone():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert ["gateway"] == list(published)
    assert all(port.startswith("127.0.0.1:") for port in published["gateway"])


def holders(key):
    return {name for name, service in SERVICES.items() if key in service["environment"]}


OPENS_EMBEDDER = re.compile(r"\b(open_embedder|LateEmbedder)\(")


def embedders():
    """Services whose code opens what turns texts into vectors."""
    return {
        name
        for name, packages in PACKAGES.items()
        for package in packages
        for path in (ROOT / package).rglob("*.py")
        if OPENS_EMBEDDER.search(path.read_text())
    }


@pytest.mark.parametrize("key", ["ANTHROPIC_API_KEY", "GEMINI_API_KEY"])
def test_gives_keys_of_models_to_those_who_call_models_only(key):
    assert CALLERS_OF_MODELS == holders(key)


def test_gives_the_key_of_embeddings_to_those_who_embed():
    assert {"router", "aggregator", "gateway"} == embedders()
    assert CALLERS_OF_MODELS | embedders() == holders("OPENAI_API_KEY")


def test_whoever_has_a_key_has_a_way_to_use_it():
    with_a_way_out = {
        name for name, service in SERVICES.items() if "outside" in service["networks"]
    }

    assert holders("OPENAI_API_KEY") == with_a_way_out
    assert not (COMPOSE["networks"]["outside"] or {}).get("internal", False)


def mount_of_docs(value):
    """Source, target and mode of the gateway's mount for documents, if GREMIUM_DOCS is `value`."""
    [volume] = [one for one in SERVICES["gateway"]["volumes"] if "GREMIUM_DOCS" in one]
    told = volume.replace("${GREMIUM_DOCS:-no-docs}", value or "no-docs")
    assert "$" not in told
    return tuple(told.split(":"))


def test_a_folder_to_search_is_mounted_into_the_gateway_and_only_read():
    target = f"{HOME}/docs"

    assert ("./guides", target, "ro") == mount_of_docs("./guides")
    having = {name for name, service in SERVICES.items() if "DOCS" in str(service.get("volumes"))}
    assert {"gateway"} == having
    source, *_ = mount_of_docs("")
    assert source in COMPOSE["volumes"]


def test_the_folder_that_is_mounted_is_the_one_that_a_configuration_can_name():
    [config] = SERVICES["gateway"]["configs"]
    loaded = LoadedConfig.model_construct(path=Path(config["target"]))

    assert mount_of_docs("")[1] == str(loaded.resolve("docs"))
    assert "GREMIUM_DOCS" in (ROOT / "README.md").read_text()


def test_starts_the_gateway_when_all_others_are_healthy():
    waits_for = SERVICES["gateway"]["depends_on"]

    assert set(SETTINGS) - {"gateway"} == set(waits_for)
    assert {"service_healthy"} == {on["condition"] for on in waits_for.values()}


def test_the_image_runs_as_nobody_in_particular_and_stops_by_sigterm():
    last_stage = (ROOT / "deploy/Dockerfile").read_text().rpartition("\nFROM ")[2]

    assert re.search(r"^USER 10001:10001$", last_stage, re.MULTILINE)
    assert "STOPSIGNAL SIGTERM" in last_stage


def test_the_image_has_the_weights_that_make_installs():
    pins = r"[\w-]+==[\d.]+"
    [weights] = re.findall(r"^WEIGHTS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert set(re.findall(pins, weights)) == set(
        re.findall(pins, (ROOT / "deploy/Dockerfile").read_text())
    )
