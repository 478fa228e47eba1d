"""What the report says of tiers and domains is a sentence, also where too little is known."""

from dataclasses import replace

from rich.console import Console

from services.cli.report_tiers import domains, tiers
from services.report.domains import domains_of
from services.report.routing import routing_of
from tests.unit.report.test_baselines import World
from tests.unit.report.voting import request


def said(*parts):
    out = Console(width=120, record=True, quiet=False, file=None)
    with out.capture() as found:
        for each in parts:
            out.print(each, markup=False, highlight=False)
    return found.get()


def of(world):
    return said(*tiers(routing_of(world.requests, world.shadows), spent_usd=20.0))


def test_the_router_is_told_beside_chance_length_and_either_tier():
    found = of(World(600, skill=0.7))

    assert "beside chance    the router has +" in found
    assert "if the longest prompts went to large" in found
    assert "all to small" in found
    assert "% of what was spent; compared by ballots" in found
    assert "0.5 is chance" in found


def test_of_too_few_it_says_what_is_missing():
    found = of(World(70, skill=0.7, propensity=1.0))

    assert (
        "beside chance    unknown (28 of 30): of requests that began at each of small and large"
        in found
    )


def test_without_lengths_nothing_is_said_of_them():
    world = World(600, skill=0.7)
    rows = [replace(each, tokens={}) for each in world.requests]
    asides = [replace(each, tokens=0) for each in world.shadows]

    found = said(*tiers(routing_of(rows, asides), spent_usd=20.0))

    assert "beside chance    the router has" in found
    assert "prediction       tells where small is right: area 0." in found
    assert "length" not in found
    assert "longest" not in found


def test_whether_few_escalations_changed_anything_is_unknown():
    rows = [request(i, tiers=("small", "large")) for i in range(12)]

    found = said(*tiers(routing_of(rows, []), spent_usd=20.0))

    assert "whether they changed the answer is unknown (0 of 30)" in found
    assert "small to large: unknown (12 of 30)\n" in found


def test_domains_have_only_the_columns_of_which_something_is_known():
    rows = [request(i, pattern="jury", domain="law" if i % 2 else "") for i in range(80)]

    found = said(domains(domains_of(rows, [])))

    assert "unknown" in found
    assert "USD" in found
    assert "too dear" not in found
    assert "divided" not in found


def test_of_many_domains_the_most_frequent_are_shown():
    rows = [request(i, domain=f"d{i % 20}") for i in range(200)]

    assert "8 more in --json" in said(domains(domains_of(rows, [])))
