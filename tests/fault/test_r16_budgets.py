"""R16: budgets are hard, whatever fails, retries, runs at once or is killed."""

import json
import signal

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2, types_pb2
from tests.fault.five import TIMEOUT_S, config, ends, failure, jury, model, request, told, turns
from tests.fault.replicas import cluster
from tests.fault.stubs import Mode, stub

MILLI = {"input_usd_per_mtok": 1000.0, "output_usd_per_mtok": 1000.0}
"""A tenth of a cent a token."""
EAGER = {"max_attempts": 3, "budget_share": 1.0, "budget_floor_per_s": 100.0}
NINE_CENTS = {"prompt_tokens": 8, "completion_tokens": 82, "total_tokens": 90}


def juries(url):
    four, broken = model("four", url), model("http-500", url, retry=EAGER)
    judge = {"models": ["judge"]}
    eight = dict.fromkeys("abcde", four) | dict.fromkeys("xyz", broken)
    dear = model("dear", url, price=MILLI)
    slow = model("slow", url, price=MILLI)
    parts = [
        jury(eight, "eight", quorum=5, grace_s=3.0, judge=judge),
        jury(dict.fromkeys("stuvwxyz", broken), "broken", quorum=1, judge=judge),
        jury({"dear": dear}, "shared", default_timeout_s=20),
        jury({"slow": slow}, "killed", default_timeout_s=20),
    ]
    whole = json.loads(config(parts, url))
    whole["budgets"] = {
        f"{name}-{turn}": {"max_usd": 0.25, "per": "month", "ensembles": [f"{name}-{turn}"]}
        for name in ("shared", "killed")
        for turn in turns()
    }
    return json.dumps(whole)


@pytest.fixture(scope="module")
def provider():
    modes = {
        "dear": Mode(delay_s=0.5, usage=NINE_CENTS),
        "slow": Mode(delay_s=30.0, usage=NINE_CENTS),
    }
    with stub(modes) as provider:
        yield provider


@pytest.fixture(scope="module")
def mesh(tmp_path_factory, provider):
    with cluster(tmp_path_factory.mktemp("r16"), juries(provider.url)) as mesh:
        mesh.start()
        yield mesh


@pytest.fixture
def gateway(mesh):
    with grpc.insecure_channel(mesh.address) as channel:
        yield ensemble_pb2_grpc.EnsembleServiceStub(channel)


def nine_cents(ensemble, **fields):
    """A request that may cost 0.09 US dollars."""
    asked = request(ensemble, **fields)
    asked.prompt.params.max_output_tokens = 82
    return asked


def account(gateway, name):
    """What is spent of a budget, and what is held."""
    listed = gateway.ListEnsembles(ensemble_pb2.ListEnsemblesRequest(), timeout=TIMEOUT_S)
    return next((b.spent_usd, b.reserved_usd) for b in listed.budgets if b.name == name)


def test_the_eleventh_call_is_not_sent(row, gateway, provider):
    provider.reset()
    asked = request(f"eight-{row.turn}", budget=types_pb2.Budget(max_model_calls=10))

    reply = gateway.Ask(asked, timeout=TIMEOUT_S)

    arrived = provider.seen().calls
    row.at_most("R16", "model calls of 10 allowed", arrived, 10, ideal=10)
    assert (10, 10) == (arrived, reply.manifest.model_calls)
    assert {"judge": ("ANSWERED", "")} == ends(reply.manifest, manifest_pb2.STAGE_JUDGE)


def test_nor_where_everything_fails_and_is_tried_again(row, gateway, provider):
    provider.reset()
    asked = request(f"broken-{row.turn}", budget=types_pb2.Budget(max_model_calls=10))

    error = failure(lambda: gateway.Ask(asked, timeout=TIMEOUT_S))

    assert ("ABORTED", "QUORUM_NOT_REACHED") == told(error)[:2]
    arrived = provider.seen().calls
    row.at_most("R16", "model calls of 10 allowed, all failing", arrived, 10, ideal=10)


def test_four_at_once_share_a_quarter(row, gateway):
    name = f"shared-{row.turn}"

    calls = [gateway.Ask.future(nine_cents(name), timeout=TIMEOUT_S) for _ in range(4)]

    errors = [error for call in calls if (error := call.exception(timeout=TIMEOUT_S))]
    replies = [call.result() for call in calls if not call.exception()]
    cost_usd = sum(reply.manifest.cost_usd for reply in replies)
    row.at_most(
        "R16", "spent of 0.25 USD by four at 0.09 USD", cost_usd, 0.25, ideal=0.25, unit=" USD"
    )
    assert (2, 2) == (len(replies), len(errors))
    for status, reason, metadata in map(told, errors):
        assert ("RESOURCE_EXHAUSTED", "BUDGET_SPENT") == (status, reason)
        assert (name, "0.25") == (metadata["budget"], metadata["limit_usd"])
        assert {"left_usd", "period_ends"} <= metadata.keys()
    assert (pytest.approx(cost_usd), 0.0) == account(gateway, name)


def test_what_a_killed_gateway_held_counts_as_spent(row, mesh, gateway, provider):
    name, victim = f"killed-{row.turn}", mesh.one("gateway")
    provider.reset()
    lost = gateway.Ask.future(nine_cents(name), timeout=TIMEOUT_S)
    provider.until(lambda seen: seen.calls == 1)
    assert (0.0, pytest.approx(0.09)) == account(gateway, name)

    victim.send(signal.SIGKILL)
    victim.ended()
    assert lost.exception(timeout=TIMEOUT_S)
    victim.start()
    victim.until_serving()

    with grpc.insecure_channel(mesh.address) as channel:
        again = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        assert (pytest.approx(0.09), 0.0) == account(again, name)
