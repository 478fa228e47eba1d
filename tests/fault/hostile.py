"""Messages that no honest caller sends: any field set to anything that its wire type can hold."""

import math
from collections.abc import Iterator
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from hypothesis import strategies as st

from gremium.v1 import aggregator_pb2, ensemble_pb2, judge_pb2, jury_pb2, router_pb2

FILES = {
    "gateway": ensemble_pb2,
    "router": router_pb2,
    "jury": jury_pb2,
    "judge": judge_pb2,
    "aggregator": aggregator_pb2,
}
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u202e\u0000"
DEPTH = 4

TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(alphabet=INVISIBLE, min_size=1, max_size=8),
    st.sampled_from(["", "default", "jury", "a", "2 + 2?", "\u0301" * 40, "NaN", "{" * 50]),
)
NUMBERS = st.one_of(
    st.floats(width=32), st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 1e-300, 0.5])
)
BY_TYPE = {
    FieldDescriptor.TYPE_STRING: TEXTS,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=40),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_DOUBLE: NUMBERS,
    FieldDescriptor.TYPE_FLOAT: NUMBERS,
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_ENUM: st.integers(-1, 12),
}


def methods() -> Iterator[tuple[str, MethodDescriptor]]:
    """Every RPC of the five services, with the service's name in the mesh."""
    for name, module in FILES.items():
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                yield name, method


def messages(descriptor: Descriptor, depth: int = DEPTH) -> st.SearchStrategy[Any]:
    """Any message of a type, a few levels deep."""
    kind = message_factory.GetMessageClass(descriptor)

    @st.composite
    def built(draw: st.DrawFn) -> Any:
        message = kind()
        for field in descriptor.fields:
            if draw(st.integers(0, 2)):
                _set(message, field, draw, depth)
        return message

    return built()


def askable(descriptor: Descriptor) -> st.SearchStrategy[Any]:
    """As `messages`, but a question that it holds is one, so that what is beside it is read too."""

    def asking(message: Any) -> Any:
        holder = message.ask if "ask" in descriptor.fields_by_name else message
        if "prompt" in holder.DESCRIPTOR.fields_by_name:
            del holder.prompt.messages[:]
            holder.prompt.messages.add(role=2).parts.add(text="2 + 2?")
        return message

    return messages(descriptor).map(asking)


def _set(message: Any, field: FieldDescriptor, draw: st.DrawFn, depth: int) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return
    if field.message_type is not None:
        _set_message(message, field, draw, depth)
        return
    values = BY_TYPE[field.type]
    if field.is_repeated:
        getattr(message, field.name).extend(draw(st.lists(values, max_size=3)))
    else:
        setattr(message, field.name, draw(values))


def _set_message(message: Any, field: FieldDescriptor, draw: st.DrawFn, depth: int) -> None:
    if depth == 0:
        return
    below = messages(field.message_type, depth - 1)
    if field.is_repeated:
        getattr(message, field.name).extend(draw(st.lists(below, max_size=2)))
    else:
        getattr(message, field.name).CopyFrom(draw(below))
