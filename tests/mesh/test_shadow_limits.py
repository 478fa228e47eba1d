"""A shadow delays nobody, spends its own budget only, and ends with the gateway."""

import asyncio
import time

import pytest

from gremium.v1 import ensemble_pb2, shadow_pb2, types_pb2
from services.gateway.shadow import STOP_S
from tests.mesh.meshes import MESHES, TIMEOUT_S, Gateway, gateway, request, written
from tests.mesh.shadowed import BEGUN, SHADOW, ended, recorded, route
from tests.upstream import Reply, upstream

LABELS = types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["yes", "no"]))
YES = Reply(text="yes")
BROKEN_OFF = shadow_pb2.SHADOW_VERDICT_BROKEN_OFF


async def test_nobody_waits_for_it(serve, tmp_path):
    served = await serve(route(), {"large": YES, "small": Reply(text="yes", delay_s=0.8)})

    await served.ask(shape=LABELS)
    when_replied = [each.verdict for each in recorded(tmp_path)]

    (record,) = await ended(tmp_path)
    assert set(when_replied) <= {BEGUN}
    assert 0.8 <= record.shadow_time.ToTimedelta().total_seconds()


async def test_a_stream_has_a_shadow_too(serve, tmp_path):
    served = await serve(route(), {"large": YES, "small": YES})
    asked = ensemble_pb2.AskStreamRequest(ask=request("Is it?", shape=LABELS))

    async for event in served.stub.AskStream(asked, timeout=TIMEOUT_S):
        kinds = event.WhichOneof("event")

    assert ("final", 1) == (kinds, len(await ended(tmp_path)))


async def test_a_replayed_reply_has_none(serve, tmp_path):
    served = await serve(route(), {"large": YES, "small": YES})
    for _ in range(2):
        await served.ask(shape=LABELS, request_id="once")
        await ended(tmp_path)

    assert 1 == served.provider.calls_of("small")


async def test_a_tier_that_was_asked_is_not_asked_again(serve, tmp_path):
    escalating = route(pattern="cascade")
    script = {"small": Reply(text="Well, who knows."), "large": YES}
    served = await serve(escalating, script)

    reply = await served.ask(shape=LABELS)

    assert ("dear", 1) == (reply.manifest.chosen_tier, len(reply.manifest.escalations))
    assert [] == recorded(tmp_path)


async def test_its_budget_is_its_own_and_is_kept(serve, tmp_path):
    """Each may cost 1.03 US dollars and costs 0.91, so that two fit, and a third might not."""
    usage = {"prompt_tokens": 10, "completion_tokens": 900, "total_tokens": 910}
    shadow = {**SHADOW, "max_usd_per_day": 2.5}
    served = await serve(route(shadow), {"large": YES, "small": Reply(text="yes", usage=usage)})

    for count in (1, 2, 2):
        await served.ask(shape=LABELS)
        records = await ended(tmp_path, count=count)

    spent = [each.shadow_cost_usd for each in records]
    listed = await served.stub.ListEnsembles(ensemble_pb2.ListEnsemblesRequest(), timeout=5)
    assert [pytest.approx(0.91)] * 2 == spent
    assert [("main shadow", pytest.approx(1.82), 0.0)] == [
        (each.name, each.spent_usd, each.reserved_usd) for each in listed.budgets
    ]


async def test_it_does_not_draw_from_the_budgets_of_requests(serve, tmp_path):
    budgets = {"all": {"max_usd": 100.0, "per": "day"}}
    served = await serve(route(), {"large": YES, "small": YES}, budgets=budgets)

    await served.ask(shape=LABELS)
    await ended(tmp_path)

    listed = await served.stub.ListEnsembles(ensemble_pb2.ListEnsemblesRequest(), timeout=5)
    spent = {each.name: each.spent_usd for each in listed.budgets}
    assert {"all": pytest.approx(0.012), "main shadow": pytest.approx(0.012)} == spent


async def test_a_gateway_with_much_to_do_asks_nobody_for_it(serve, tmp_path):
    """While another request runs, half of the two slots are taken."""
    slow = [Reply(text="yes", delay_s=0.6), YES]
    served = await serve(route(max_concurrent=2), {"large": slow, "small": YES})

    first = asyncio.create_task(served.ask(shape=LABELS, request_id="slow"))
    await served.provider.until(lambda: served.provider.calls == 1)
    await served.ask(shape=LABELS, request_id="quick")
    await first

    assert ["slow"] == [each.request_id for each in await ended(tmp_path)]


async def test_the_end_of_the_gateway_breaks_it_off(transport, tmp_path):
    async with upstream({"large": YES, "small": Reply(hang=True)}) as provider:
        loaded = written(tmp_path / "gremium.yaml", route(), provider.url)
        async with MESHES[transport](loaded, ()) as mesh:
            async with gateway(loaded, mesh) as stub:
                await Gateway(stub, provider).ask(shape=LABELS)
                await provider.until(lambda: provider.calls_of("small") == 1)
                began_s = time.monotonic()
            took_s = time.monotonic() - began_s

    (record,) = await ended(tmp_path)
    assert (BROKEN_OFF, "CANCELLED") == (record.verdict, record.reason)
    assert took_s < STOP_S + 5.0, "the rest of the gateway stops, too"
    assert 0.0 < record.shadow_cost_usd <= record.reserved_usd


async def test_what_was_spent_today_counts_after_a_restart(transport, tmp_path):
    usage = {"prompt_tokens": 10, "completion_tokens": 900, "total_tokens": 910}
    async with upstream({"large": YES, "small": Reply(text="yes", usage=usage)}) as provider:
        shadow = {**SHADOW, "max_usd_per_day": 1.5}
        loaded = written(tmp_path / "gremium.yaml", route(shadow), provider.url)
        for _ in range(2):
            async with MESHES[transport](loaded, ()) as mesh, gateway(loaded, mesh) as stub:
                await Gateway(stub, provider).ask(shape=LABELS)
                await ended(tmp_path)

    assert 1 == provider.calls_of("small")
