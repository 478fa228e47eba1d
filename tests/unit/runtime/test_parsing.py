"""Large messages are parsed beside the event loop, and refused before when they hold too much."""

import threading

import pytest
from hypothesis import given

from gremium.v1 import ensemble_pb2, jury_pb2, router_pb2, types_pb2
from services.core.errors import InvalidRequestError
from services.runtime.parsing import AT_ONCE_BYTES, MAX_FIELDS, crowded, parsed
from tests.fault.hostile import messages

ASK = ensemble_pb2.AskRequest
LONG = "a" * (AT_ONCE_BYTES + 1)


class Reads:
    """A message type that says on which thread it was parsed."""

    DESCRIPTOR = ASK.DESCRIPTOR

    @classmethod
    def from_string(cls, data):
        return len(data), threading.current_thread()


def asking(*parts):
    return ASK(prompt=types_pb2.Prompt(messages=[types_pb2.Message(parts=parts)]))


def crowd(n_messages, n_parts):
    turn = types_pb2.Message(parts=[types_pb2.Part(text="a")] * n_parts)
    return types_pb2.Prompt(messages=[turn] * n_messages)


CROWDED = {
    "messages": (ASK(prompt=crowd(50_000, 0)), "prompt.messages"),
    "parts": (router_pb2.RouteRequest(prompt=crowd(1, 50_000)), "prompt.messages.parts"),
    "numbers": (jury_pb2.DeliberateRequest(waves=[1] * (AT_ONCE_BYTES + 1)), "waves"),
    "labels": (ASK(labels={str(i): "a" for i in range(20_000)}), "labels"),
}


@pytest.mark.parametrize(("request_", "field"), CROWDED.values(), ids=CROWDED)
async def test_too_many_fields_are_refused_before_they_are_parsed(request_, field):
    with pytest.raises(InvalidRequestError) as refusal:
        await parsed(type(request_).FromString, request_.SerializeToString())

    assert refusal.value.violations[0][0].startswith(field)


async def test_a_long_message_of_few_fields_is_parsed():
    request = asking(types_pb2.Part(text=LONG))

    assert request == await parsed(ASK.FromString, request.SerializeToString())


async def test_a_long_message_is_parsed_beside_the_loop():
    data = asking(types_pb2.Part(text=LONG)).SerializeToString()
    here = threading.current_thread()

    assert (AT_ONCE_BYTES, here) == await parsed(Reads.from_string, data[:AT_ONCE_BYTES])
    assert (len(data), here) != await parsed(Reads.from_string, data)


@pytest.mark.parametrize("data", [b"\xff\xff", b"\xff" * 100_000, b"\x0a\x7f" * 100_000], ids=len)
async def test_bytes_that_are_no_message_are_refused(data):
    with pytest.raises(InvalidRequestError, match="the bytes sent are no AskRequest"):
        await parsed(ASK.FromString, data)


@given(messages(ASK.DESCRIPTOR))
def test_a_message_holds_as_many_fields_as_can_be_set(message):
    data, count = message.SerializeToString(), fields(message)

    assert not crowded(ASK.DESCRIPTOR, data, most=count)
    assert not count or crowded(ASK.DESCRIPTOR, data, most=count - 1)


def fields(message):
    """Fields that are set, at any depth; a list of n is n, and packed, one and its bytes."""
    return sum(occurrences(field, value) for field, value in message.ListFields())


def occurrences(field, value):
    if field.is_packed:
        return 1 + sum(len(varint(number)) for number in value)
    values = value if field.is_repeated else [value]
    return sum(1 + (fields(each) if field.message_type else 0) for each in values)


def varint(number):
    bits = max(1, (number % 2**64).bit_length())
    return range(0, bits, 7)


def test_the_largest_allowed_requests_have_few_enough_fields():
    call = types_pb2.ToolCall(id="a", name="f", arguments_json="{}")
    turn = types_pb2.Message(role=2, parts=[types_pb2.Part(tool_call=call)] * 256)
    request = ASK(prompt=types_pb2.Prompt(messages=[turn] * 15))

    assert not crowded(ASK.DESCRIPTOR, request.SerializeToString(), most=MAX_FIELDS)
