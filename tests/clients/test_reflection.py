"""A client that knows nothing but the address can ask: reflection tells it the rest."""

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

SERVICE = "gremium.v1.EnsembleService"
LIMIT_S = 30


@pytest.fixture
def channel(scripted_mesh):
    with grpc.insecure_channel(scripted_mesh.address) as channel:
        yield channel


@pytest.fixture
def database(channel):
    return ProtoReflectionDescriptorDatabase(channel)


def test_lists_the_service(database):
    assert SERVICE in database.get_services()


def test_asks_and_reads_the_answer(channel, database):
    reply = ask(channel, DescriptorPool(database), "What is 2 + 2?")

    assert "OUTCOME_ANSWERED" == reply["outcome"]
    assert "4" == reply["answer"]["text"]
    assert 4 == reply["manifest"]["modelCalls"]


def ask(channel, pool, question):
    method = pool.FindServiceByName(SERVICE).FindMethodByName("Ask")
    request = json_format.ParseDict(
        {"prompt": {"messages": [{"role": "ROLE_USER", "parts": [{"text": question}]}]}},
        GetMessageClass(method.input_type)(),
    )
    call = channel.unary_unary(
        f"/{SERVICE}/Ask",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    return json_format.MessageToDict(call(request, timeout=LIMIT_S))
