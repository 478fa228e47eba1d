"""R11: a second call beside a slow one cuts the tail for a few more calls; its loser is stopped."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gremium.v1 import manifest_pb2
from tests.fault.bursts import quantile
from tests.fault.five import jury, model, request
from tests.fault.stubs import Mode

TIMEOUT_S = 20.0
LATENCY_S = 0.05
TAILED = Mode(delay_s=LATENCY_S, slow_share=0.05, slow_factor=10.0)
SHORT, LONG = 140, 600
CALLERS = 4
WARM = 16
"""Calls after which the usual latency is known."""
CANCELLED = manifest_pb2.PARTICIPATION_STATUS_CANCELLED
ANSWERED = manifest_pb2.PARTICIPATION_STATUS_ANSWERED
LOST = (CANCELLED, "HEDGE_LOST")


@dataclass(frozen=True)
class Got:
    took_s: float
    attempts: tuple[tuple[bool, int, str], ...]
    """Of each call whether it was a hedge, how it ended, and why; empty if there was but one."""


def shared_juries(places):
    """One juror each; only `plain` is never asked twice."""
    hedged = ("hedged", "lost", "throttled")
    parts = [jury({"m": model(name, places.url, hedge={})}, name) for name in hedged]
    return [*parts, jury({"m": model("plain", places.url)}, "plain")]


def got(gateway, ensemble):
    began = time.monotonic()
    reply = gateway.Ask(request(ensemble), timeout=TIMEOUT_S)
    took_s = time.monotonic() - began
    assert "4" == reply.answer.text
    (part,) = [each for each in reply.manifest.participations if each.name == "m"]
    assert part.model_calls == max(1, len(part.attempts))
    # A loser that ended before it was told has the usage that it was told.
    assert not part.usage_estimated or "HEDGE_LOST" in {each.reason for each in part.attempts}
    return Got(took_s, tuple((each.hedge, each.status, each.reason) for each in part.attempts))


def ask_all(gateway, ensembles):
    with ThreadPoolExecutor(CALLERS) as callers:
        return list(callers.map(lambda ensemble: got(gateway, ensemble), ensembles))


def compared(gateway, provider, turn, count, mode):
    """What so many calls get that are asked once, and as many that may be asked twice."""
    for name in ("plain", "hedged"):
        provider.set(name, mode)
    provider.reset()
    replies = ask_all(gateway, [f"plain-{turn}", f"hedged-{turn}"] * count)
    return replies[::2], replies[1::2]


def saved(plain, hedged):
    """Share of the p99 that hedging saves."""
    return 1.0 - p99_s(hedged) / p99_s(plain)


def p99_s(replies):
    return quantile([each.took_s for each in replies], 0.99)


def test_the_tail_is_cut_for_a_few_more_calls(row, gateway, provider):
    usual = saved(*compared(gateway, provider, row.turn, WARM, Mode(delay_s=LATENCY_S)))
    count = LONG if row.tight else SHORT
    plain, hedged = compared(gateway, provider, row.turn, count, TAILED)

    ends_of_two = [each.attempts for each in hedged if each.attempts]
    lost = sum(LOST == end[1:] for attempts in ends_of_two for end in attempts)
    seen = provider.until(lambda seen: not seen.underway)
    assert 0 < seen.left["hedged"] <= lost  # a loser may end before it hears that it lost
    assert {(False, True)} == {tuple(hedge for hedge, *_ in each) for each in ends_of_two}
    assert count == seen.arrivals["plain"]
    more = seen.arrivals["hedged"] - count
    assert 0 < more <= len(ends_of_two)  # one that was cut off at once may never arrive
    row.at_least("R11", "p99 saved by hedging", saved(plain, hedged), 0.5, undisturbed=usual)
    row.at_most("R11", "more calls by hedging", len(ends_of_two) / count, 0.07, share=True)


def warmed(gateway, provider, name, turn, *, delay_s):
    """The name of an ensemble whose model's usual latency is known."""
    provider.set(name, Mode(delay_s=delay_s))
    ask_all(gateway, [f"{name}-{turn}"] * WARM)
    return f"{name}-{turn}"


def test_a_loser_is_stopped_at_once_and_told(row, gateway, provider):
    ensemble = warmed(gateway, provider, "lost", row.turn, delay_s=LATENCY_S)
    provider.set("lost", Mode(delay_s=LATENCY_S, slow_share=0.5, slow_factor=1000.0))
    got(gateway, ensemble)
    provider.reset()
    slow = got(gateway, ensemble)

    seen = provider.until(lambda seen: seen.left.get("lost") == 1)
    at = {event.what: event.at for event in seen.events}
    assert 2 == seen.arrivals["lost"]
    assert ((False, *LOST), (True, ANSWERED, "")) == slow.attempts
    row.at_most("R11", "loser's socket closed after", at["left"] - at["answered"], 0.05, unit="s")
    row.at_most("R11", "hedged answer of a hung call after", slow.took_s, 0.3, unit="s")


def test_nobody_is_asked_twice_while_throttled(row, gateway, provider):
    ensemble = warmed(gateway, provider, "throttled", row.turn, delay_s=0.2)
    provider.set("throttled", Mode(kind="hang"))
    provider.reset()
    hung = gateway.Ask.future(request(ensemble), timeout=TIMEOUT_S)
    provider.until(lambda seen: seen.running.get("throttled") == 1)
    provider.set("throttled", Mode(status=429, headers={"Retry-After": "47"}))
    assert gateway.Ask.future(request(ensemble), timeout=TIMEOUT_S).exception()
    time.sleep(0.6)
    calls = provider.seen().arrivals["throttled"]
    hung.cancel()

    row.at_most("R11", "second calls under throttling", calls - 2, 0)
