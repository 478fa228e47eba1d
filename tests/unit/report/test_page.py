"""The page stands alone: no script, no address, nothing that a name could smuggle in."""

import re
from dataclasses import replace
from html.parser import HTMLParser

from services.report.advice import Advice
from services.report.page import page
from services.report.summary import summarised
from tests.unit.report.test_baselines import World
from tests.unit.report.test_sink import random_rows
from tests.unit.report.voting import ballots, request

DOMAINS = ("law", "<i>code</i>")
EVIL = "<script>alert(1)</script>"


def shown(names=("a", "b", "c"), diff=""):
    rows, right = random_rows(240, [0.9, 0.7, 0.6])
    votes = ballots(rows, right, jurors=names).votes
    jury = [
        request(i, ensemble="everyday", pattern="jury", tiers=("jury",), votes=(each,))
        for i, each in enumerate(votes)
    ]
    world = World(400, skill=0.7)
    thrifty = [replace(each, domain=DOMAINS[i % 2]) for i, each in enumerate(world.requests)]
    report = summarised([*jury, *thrifty], world.shadows)
    return page(report, [Advice("SMALLER_JURY", "everyday", "Leave out c.")], diff=diff)


class Tags(HTMLParser):
    """Collects tags and their attributes, and whether every one is closed."""

    VOID = frozenset({"meta", "circle", "polyline", "br"})

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert tag == self.open.pop(), self.getpos()


def test_every_tag_is_closed_in_its_place():
    assert [] == Tags(shown()).open


def test_it_loads_nothing_and_runs_nothing():
    tags = Tags(shown()).found

    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in tags}
    assert all(attrs.get("href", "#").startswith("#") for _, attrs in tags)
    assert not re.search(r"https?://|url\(|@import", shown())


def test_names_are_shown_as_they_are():
    found = shown(names=(EVIL, "b", "c"), diff=f"+ {EVIL}")

    assert EVIL not in found
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in found


def test_figures_of_too_few_are_said_to_be_unknown():
    assert "unknown (0 of 30)" in shown()


def test_it_is_light_and_dark_and_fits_a_phone():
    found = shown()

    assert "prefers-color-scheme: dark" in found
    assert 'name="viewport"' in found


def test_lines_of_the_diff_are_told_apart():
    found = shown(diff="--- g\n+++ g\n@@ -1 +1 @@\n-  old\n+  new")

    assert '<span class="minus">-  old</span>' in found
    assert '<span class="plus">+  new</span>' in found


def test_of_nothing_there_is_a_page_too():
    assert "No request has ended in this time." in page(summarised([], []), [], diff="")


def test_the_router_is_held_against_plain_rules_and_domains_are_told_apart():
    found = shown()

    assert "small or large: is the router better than chance?" in found
    assert "drawn, as many to large as cost the same" in found
    assert "By domain" in found
    assert "&lt;i&gt;code&lt;/i&gt;" in found


def test_what_jurors_are_worth_is_explained():
    assert "its share of how often the jury is right, by Shapley" in shown()
