"""Each service gives its figures where its setting says, else on a port of its own."""

import json

import pytest

from services.cli import targets


def test_a_setting_stands():
    env = {"GREMIUM_JURY_METRICS": "0.0.0.0:9464"}

    assert {"jury": "0.0.0.0:9464", "judge": ""} == targets.addresses(
        ("jury", "judge"), env, ports=None
    )


def test_who_is_not_told_gets_a_port_of_its_own():
    found = targets.addresses(("jury", "gateway"), {"GREMIUM_GATEWAY_METRICS": ""}, ports=[1, 2])

    assert {"jury": "127.0.0.1:1", "gateway": ""} == found


@pytest.fixture
def folder(tmp_path):
    (tmp_path / ".gremium").mkdir()
    return tmp_path


def test_prometheus_is_told_of_those_that_give_any(folder):
    path = targets.write({"jury": "0.0.0.0:1", "judge": "", "gateway": "127.0.0.1:2"}, folder)

    assert [
        {"targets": ["127.0.0.1:1"], "labels": {"service": "jury"}},
        {"targets": ["127.0.0.1:2"], "labels": {"service": "gateway"}},
    ] == json.loads(path.read_text())


def test_what_is_over_is_forgotten(folder):
    path = targets.write({"jury": "127.0.0.1:1"}, folder)
    targets.forget(folder)

    assert not path.exists()
    assert targets.write({"jury": ""}, folder) is None
