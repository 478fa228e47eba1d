"""The image by itself: the whole mesh with the embedded model, and no network at all."""

import json

import pytest

from tests.deploy.deployment import health, until

pytestmark = pytest.mark.timeout(900)  # starts an engine and builds an image first

START_LIMIT_S = 120
STOP_LIMIT_S = 10


@pytest.fixture(scope="module")
def alone(engine, image):
    container = engine.client.containers.run(image, detach=True, network_mode="none")
    try:
        assert until(lambda: "healthy" == health(container), within_s=START_LIMIT_S)
        yield container
    finally:
        container.remove(force=True)


def test_answers_with_the_embedded_model(alone):
    code, out = alone.exec_run(["gremium", "ask", "--json", "What is the capital of France?"])

    assert 0 == code, out.decode()
    assert "Paris" in json.loads(out)["answer"]["text"]


def test_runs_as_nobody_in_particular(alone):
    _, out = alone.exec_run(["id", "-u"])

    assert b"10001" == out.strip()


def test_ends_in_order_on_sigterm(alone):
    alone.kill("SIGTERM")

    assert 0 == alone.wait(timeout=STOP_LIMIT_S)["StatusCode"]
