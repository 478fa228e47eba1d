"""R17: whatever is sent to whichever RPC is refused by name or works; nothing dies or stalls."""

import random
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hypothesis import HealthCheck, given, settings

from gremium.v1 import (
    aggregator_pb2,
    ensemble_pb2,
    ensemble_pb2_grpc,
    router_pb2,
    types_pb2,
)
from tests.fault.five import config, told
from tests.fault.hostile import INVISIBLE, askable, messages, methods
from tests.fault.stubs import stub
from tests.running import is_alive, mesh_running

pytestmark = pytest.mark.measures

TIMEOUT_S = 10.0
PROBE_EVERY_S = 0.02
HEALTH_S = 0.05
CALLERS_FAULT = {"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"}
ENDS = CALLERS_FAULT | {"OK", "ABORTED", "ALREADY_EXISTS", "DEADLINE_EXCEEDED", "UNIMPLEMENTED"}
"""Never UNKNOWN, INTERNAL or UNAVAILABLE."""
LONE_SURROGATE = b"\xed\xa0\x80"
MILLION_TOKENS = "word " * 1_000_000
MEGABYTES_5 = "x" * (5 * 1024 * 1024)
EVERY = [pytest.param(name, method, id=method.full_name[11:]) for name, method in methods()]


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("r17")
    with stub() as provider, mesh_running(folder, config([], provider.url)) as mesh:
        yield mesh


@pytest.fixture(scope="module")
def channels(mesh):
    addresses = {name: str(told["address"]) for name, told in mesh.services.items()}
    opened = {
        name: grpc.insecure_channel(
            address, options=[("grpc.max_send_message_length", 64 * 1024 * 1024)]
        )
        for name, address in addresses.items()
    }
    yield opened
    for channel in opened.values():
        channel.close()


@pytest.fixture(autouse=True)
def _alive(mesh):
    """No process was lost or started anew by a test."""
    yield
    assert all(is_alive(mesh.pid(service)) for service in mesh.services)


def sent(channels, name, method, data):
    """Status and text of a call with these bytes."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    try:
        if method.server_streaming:
            call = channels[name].unary_stream(path, _given_bytes, _given_bytes)
            list(call(data, timeout=TIMEOUT_S))
        else:
            channels[name].unary_unary(path, _given_bytes, _given_bytes)(data, timeout=TIMEOUT_S)
    except grpc.RpcError as err:
        return err.code().name, err.details()
    return "OK", ""


def _given_bytes(data):
    return data


def parses(method, data):
    try:
        message_factory.GetMessageClass(method.input_type).FromString(data)
    except DecodeError:
        return False
    return True


@contextmanager
def probed(channels) -> Iterator[list[float]]:
    """How long each health check of each service took while the block ran, in seconds."""
    took: list[float] = []
    over = threading.Event()
    stubs = [health_pb2_grpc.HealthStub(channel) for channel in channels.values()]

    def probe() -> None:
        while not over.is_set():
            for each in stubs:
                began = time.monotonic()
                each.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
                took.append(time.monotonic() - began)
            over.wait(PROBE_EVERY_S)

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join(TIMEOUT_S)


@pytest.mark.parametrize(("name", "method"), EVERY)
def test_bytes_that_are_no_message_are_the_callers_mistake(row, channels, name, method):
    dice = random.Random(17)  # noqa: S311 - the same bytes each time
    noise = [dice.randbytes(dice.randrange(1, 200)) for _ in range(300 if row.tight else 30)]
    broken = [data for data in noise if not parses(method, data)]
    ends = [sent(channels, name, method, data) for data in broken]

    assert len(broken) > len(noise) // 2
    wrong = [end for end in ends if end[0] != "INVALID_ARGUMENT" or "Error parsing" in end[1]]
    row.none("R17", "malformed calls with another end than INVALID_ARGUMENT", wrong)


@pytest.mark.parametrize(("name", "method"), EVERY)
def test_any_message_is_refused_or_works(row, channels, name, method):
    strange = []

    @settings(
        max_examples=300 if row.tight else 60,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(messages(method.input_type) | askable(method.input_type))
    def send(message):
        end = sent(channels, name, method, message.SerializeToString())
        if end[0] not in ENDS:
            strange.append((end, message))

    send()
    row.none("R17", "strange messages with an unexplained end", strange)


def asked(text="2 + 2?", **fields):
    turn = types_pb2.Message(role=2, parts=[types_pb2.Part(text=text)])
    return ensemble_pb2.AskRequest(prompt=types_pb2.Prompt(messages=[turn], **fields))


def budget(usd):
    request = asked()
    request.budget.max_cost_usd = usd
    return request


def temperature(value):
    return asked(params=types_pb2.GenerationParams(temperature=value))


LARGE = {"5-MB": asked(MEGABYTES_5), "million-tokens": asked(MILLION_TOKENS)}
ODD = {
    "zero-width": asked(INVISIBLE[:5]),
    "bidi": asked("\u202e2 + 2?\u202c"),
    "nul": asked("2\x00+ 2?"),
    "nan-temperature": temperature(float("nan")),
    "infinite-temperature": temperature(float("inf")),
    "nan-budget": budget(float("nan")),
    "negative-budget": budget(-1.0),
    "nothing": ensemble_pb2.AskRequest(),
}


def ended(channels, request):
    """How a question ends: its status, and for the caller's mistakes the field that is named."""
    gateway = ensemble_pb2_grpc.EnsembleServiceStub(channels["gateway"])
    try:
        gateway.Ask(request, timeout=TIMEOUT_S)
    except grpc.RpcError as err:
        return err
    return None


@pytest.mark.parametrize("request_", ODD.values(), ids=ODD)
def test_an_odd_question_works_or_its_field_is_named(channels, request_):
    error = ended(channels, request_)

    assert error is None or told(error)[:2] == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert error is None or any(word in error.details() for word in ("prompt", "budget"))


def test_a_lone_surrogate_is_no_text(channels):
    data = asked("surrogate").SerializeToString().replace(b"surrogate", LONE_SURROGATE * 3)
    (method,) = [method for _, method in methods() if method.name == "Ask"]

    assert "INVALID_ARGUMENT" == sent(channels, "gateway", method, data)[0]


def kind_of(request):
    """Of what is sent, whichever turn of the test it is."""
    return request.node.callspec.id.removeprefix(f"{request.node.callspec.params.get('turn', '')}-")


def hold_health(row, kind, took, before):
    beside = f"health answered beside {kind}"
    row.at_most("R17", beside, max(took), HEALTH_S, unit="s", undisturbed=max(before))
    assert statistics.median(took) < HEALTH_S


@pytest.mark.parametrize("request_", LARGE.values(), ids=LARGE)
def test_a_large_question_is_refused_or_works_while_health_answers(
    row, request, channels, request_
):
    with probed(channels) as before:
        time.sleep(0.5)
    with probed(channels) as took:
        error = ended(channels, request_)
        time.sleep(0.2)

    assert error is None or told(error)[:2] == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    hold_health(row, kind_of(request), took, before)


TEXT = types_pb2.Part(text="a")


def crowd(n_messages, n_parts, part=TEXT):
    turn = types_pb2.Message(role=2, parts=[TEXT] + [part] * (n_parts - 1))
    return types_pb2.Prompt(messages=[turn] * n_messages)


def routed(*shape):
    return lambda: router_pb2.RouteRequest(ensemble="default", prompt=crowd(*shape))


def answers(*texts):
    return [
        types_pb2.Answer(juror=f"j{i}", family=f"f{i}", text=text, finish_reason=1)
        for i, text in enumerate(texts)
    ]


def prose(seed, n_chars):
    dice = random.Random(seed)  # noqa: S311 - the same words each time
    return " ".join(dice.choice("abcdefgh") * dice.randrange(1, 9) for _ in range(n_chars // 6))


HEAVY = {
    "messages": ("gateway", "Ask", lambda: ensemble_pb2.AskRequest(prompt=crowd(100_000, 1))),
    "parts": ("router", "Route", routed(400, 256)),
    "parts-of-one": ("router", "Route", routed(1, 400_000)),
    "empty-parts": ("router", "Route", routed(1, 2_000_000, types_pb2.Part(text=""))),
    "large-answers": (
        "aggregator",
        "Aggregate",
        lambda: aggregator_pb2.AggregateRequest(
            answers=answers(*(prose(seed, 1_000_000) for seed in range(3)))
        ),
    ),
    "many-answers": (
        "aggregator",
        "Aggregate",
        lambda: aggregator_pb2.AggregateRequest(
            answers=answers(*(prose(seed, 50_000) for seed in range(20)))
        ),
    ),
    "powers": (
        "aggregator",
        "Aggregate",
        lambda: aggregator_pb2.AggregateRequest(answers=answers(*["9^" * 50_000] * 3)),
    ),
}


@pytest.mark.parametrize("heavy", HEAVY.values(), ids=HEAVY)
def test_what_is_long_to_read_holds_nobody_up(row, request, channels, heavy):
    name, called, request_ = heavy
    ends, took, before = sent_at_once(channels, name, called, request_(), times=1)

    assert ends == {"OK" if name == "aggregator" else "INVALID_ARGUMENT"}
    hold_health(row, kind_of(request), took, before)


def sent_at_once(channels, name, called, request, *, times):
    """Ends of as many calls at once, and how soon the service told its health beside and before."""
    (method,) = [method for _, method in methods() if method.name == called]
    data, own = request.SerializeToString(), {name: channels[name]}
    with probed(own) as before:
        time.sleep(0.3)
    with probed(own) as took, ThreadPoolExecutor(times) as callers:
        ends = list(callers.map(lambda _: sent(channels, name, method, data), range(times)))
    return {status for status, _ in ends}, took, before


CALL = types_pb2.Part(tool_call=types_pb2.ToolCall(name="f"))
LARGEST = {
    "megabyte-prompts": routed(1, 2, types_pb2.Part(text="word " * 200_000)),
    "megabytes-of-ideographs": routed(1, 2, types_pb2.Part(text="\u56fd" * 333_000)),
    "most-parts": routed(15, 256),
    "most-calls": routed(15, 256, CALL),
}
"""As much as may be asked."""


@pytest.mark.parametrize("request_", LARGEST.values(), ids=LARGEST)
def test_the_largest_questions_at_once_hold_nobody_up(row, request, channels, request_):
    ends, took, before = sent_at_once(channels, "router", "Route", request_(), times=7)

    assert ends in ({"OK"}, {"FAILED_PRECONDITION"})  # when no juror could read so much
    hold_health(row, f"7 {kind_of(request)}", took, before)


def test_over_the_message_limit_the_limit_is_named(channels):
    error = ended(channels, asked(MEGABYTES_5 * 2))

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(8 * 1024 * 1024) in error.details()
