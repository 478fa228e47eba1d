"""Tiers, prompts and readings with one thing set at a time."""

import math

from router_svc.complexity import Complexity
from router_svc.demand import Demand
from router_svc.domain import Match
from router_svc.explain import Reading
from router_svc.forecast import NOTHING
from router_svc.profiles import JurorProfile, Limits, TierProfile
from services.core.lease import Lease
from services.core.prompts import Message, Prompt


def prompt(text, **more):
    return Prompt((Message("user", (text,)),), **more)


def juror(name="a", *, adequacy=0.7, usd=0.0, latency_s=1.0, context_tokens=8192, **more):
    return JurorProfile(
        name,
        adequacy=adequacy,
        expected_latency_s=latency_s,
        context_tokens=context_tokens,
        max_output_tokens=1024,
        output_usd_per_mtok=usd * 1e6 / 100,
        **more,
    )


def tier(name, *jurors, adequacy=0.7, usd=0.0, latency_s=1.0, **more):
    """A tier of one juror of its own name unless told otherwise."""
    own = juror(name, adequacy=adequacy, usd=usd, latency_s=latency_s)
    return TierProfile(name, jurors or (own,), **more)


def demand(
    *, input_tokens=100, output_tokens=100, limit=None, images=False, tools=False, schema=False
):
    return Demand(input_tokens, output_tokens, limit, images, tools, schema)


def reading(*, complexity=0.25, domain="", note="", forecast=NOTHING, **more):
    return Reading(demand(**more), Complexity(complexity, ()), Match(domain, 0.9), note, forecast)


def limits(*, time_s=math.inf, usd=None, calls=None, tokens=None):
    return Limits(time_s, Lease(usd, calls, tokens))
