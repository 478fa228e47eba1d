"""R10: a tier that fails hands over at once, and one that hangs leaves the others their time."""

import time

import pytest

from tests.fault.five import ends, request
from tests.fault.stubs import Mode
from tests.fault.tiers import TIERS, tiered

TIMEOUT_S = 6.0
SHORT_S, LONG_S = 3.0, 6.0
SCRIPT = {f"hung-{n}": Mode(kind="hang") for n in (1, 2)}
FAILING = {
    "http-500": ("FAILED", "HTTP_STATUS"),
    "http-429-47": ("FAILED", "RATE_LIMITED"),
    "http-429": ("FAILED", "RATE_LIMITED"),
}


def shared_juries(places):
    """Of three tiers the first one fails, the first hangs, or the first two do."""
    failing = [tiered(places.url, first, first, "backup", "last") for first in FAILING]
    return [
        *failing,
        tiered(places.url, "well", "well", "backup", "last"),
        tiered(places.url, "hung-1", "hung-1", "backup", "last"),
        tiered(places.url, "hung-2", "hung-1", "hung-2", "last"),
    ]


def handover_s(provider, first, end):
    """Time from the end of the first tier's last call to the second tier's first."""
    events = provider.seen().events
    ended = [event.at for event in events if (event.what, event.model) == (end, first)]
    began = [event.at for event in events if (event.what, event.model) == ("arrived", "backup")]
    return began[0] - ended[-1]


@pytest.mark.parametrize("first", FAILING)
def test_the_next_tier_starts_at_once(row, gateway, provider, first):
    _, usual_s = timed(gateway, f"well-{row.turn}")
    provider.reset()
    reply, took_s = timed(gateway, f"{first}-{row.turn}")

    assert "4" == reply.answer.text
    assert FAILING[first] in ends(reply.manifest).values()
    assert provider.seen().arrivals[first] <= 2
    gap_s = handover_s(provider, first, "answered")
    row.at_most("R10", f"next tier after {first} starts after", gap_s, 0.1, unit="s")
    row.at_most("R10", f"answer despite {first} after", took_s, 0.3, unit="s", undisturbed=usual_s)


def timed(gateway, ensemble):
    began = time.monotonic()
    reply = gateway.Ask(request(ensemble), timeout=TIMEOUT_S)
    return reply, time.monotonic() - began


def test_a_model_that_wants_to_be_left_alone_is_passed_over(row, gateway, provider):
    gateway.Ask(request(f"http-429-47-{row.turn}"), timeout=TIMEOUT_S)
    provider.reset()
    began = time.monotonic()
    reply = gateway.Ask(request(f"http-429-47-{row.turn}"), timeout=TIMEOUT_S)

    assert ("SKIPPED", "THROTTLED") in ends(reply.manifest).values()
    assert 0 == provider.seen().arrivals.get("http-429-47", 0)
    arrived = [event.at for event in provider.seen().events if event.what == "arrived"]
    row.at_most("R10", "a throttled model costs", arrived[0] - began, 0.1, unit="s")


@pytest.mark.parametrize("hung", [1, 2])
def test_hung_tiers_leave_the_others_their_share(row, gateway, provider, hung):
    provider.reset()
    timeout_s = LONG_S if row.tight else SHORT_S
    began = time.monotonic()
    reply = gateway.Ask(request(f"hung-{hung}-{row.turn}"), timeout=timeout_s)

    assert "4" == reply.answer.text
    events = provider.seen().events
    assert [f"hung-{n}" for n in range(1, hung + 1)] == [
        e.model for e in events if e.what == "left"
    ]
    last = [event for event in events if event.what == "arrived"][-1]
    assert ["backup", "last"][hung - 1] == last.model
    left = [event.at for event in events if event.what == "left"]
    row.at_most(
        "R10", f"next tier after {hung} hung starts after", last.at - left[-1], 0.1, unit="s"
    )
    part, taken = hung / len(TIERS), (last.at - began) / timeout_s
    what = f"share of the time that {hung} hung of {len(TIERS)} take"
    row.at_most("R10", what, taken, part, ideal=part)
