"""Every service knows for whom it works: who named itself to the first, else that host."""

import pytest

from services.core.deadline import Deadline
from services.runtime.callers import CALLER, caller_of, current_caller, serving_for
from services.runtime.calls import call
from services.runtime.local import call_local
from tests.unit.runtime.serving import Router, decided, route, served, stub

METHOD = "/gremium.v1.RouterService/Route"


class Asking(Router):
    """Says for whom it works, or for whom the next hop does."""

    async def Route(self, request, context):  # noqa: N802 - a gRPC method
        if request.ensemble == "next":
            return await call(self.next_hop.Route, route(), deadline=Deadline.after(5))
        return decided(current_caller())


async def told(channel, ensemble="", **sent):
    response = await stub(channel).Route(route(ensemble), timeout=5, **sent)
    return response.decision.reason_text


async def test_a_caller_counts_by_its_host():
    async with served(Asking()) as channel:
        assert "127.0.0.1" == await told(channel)


async def test_a_caller_counts_by_the_name_it_gives():
    async with served(Asking()) as channel:
        assert "batch" == await told(channel, metadata=((CALLER, "batch"),))


async def test_the_next_service_works_for_the_same_caller():
    router = Asking()
    async with served(Asking()) as inner, served(router) as channel:
        router.next_hop = stub(inner)

        assert "batch" == await told(channel, "next", metadata=((CALLER, "batch"),))


async def test_a_service_of_the_same_process_works_for_the_same_caller():
    with serving_for("batch"):
        response = await call_local(
            Asking().Route, route(), deadline=Deadline.after(5), method=METHOD
        )

    assert "batch" == response.decision.reason_text


def test_nobody_is_served_outside_of_a_call():
    assert "" == current_caller()


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("ipv4:10.0.0.7:50210", "10.0.0.7"),
        ("ipv6:%5B::1%5D:50210", "::1"),
        ("unix:local", "unix:local"),
        (None, ""),
    ],
)
def test_a_host_is_read_from_its_address(peer, host):
    class Context:
        def peer(self):
            return peer

    assert host == caller_of({}, Context())
