"""Everybody can read the pages: contrast as WCAG 2.2 has it, in light and in dark."""

import re
from importlib.resources import files

import pytest

CSS = files("services.gateway.console").joinpath("static/console.css").read_text()
COLOR = re.compile(r"--([a-z0-9-]+): (#[0-9a-f]{6});")
DARK = "@media (prefers-color-scheme: dark)"
LIGHT_ROOT, DARK_ROOT = CSS.split(DARK)[0], CSS.split(DARK)[1].split("}", maxsplit=1)[0]
SCHEMES = {"light": dict(COLOR.findall(LIGHT_ROOT)), "dark": dict(COLOR.findall(DARK_ROOT))}
GROUNDS = ("ground", "surface")
HUES = [f"hue-{nth}" for nth in range(9)]
HEATS = [f"heat-{nth}" for nth in range(1, 7)]
TEXT = [
    *((ink, ground) for ink in ("ink", "ink-quiet", "accent") for ground in GROUNDS),
    *((look, f"{look}-ground") for look in ("ok", "warn", "bad", "busy")),
    ("ink-quiet", "quiet-ground"),
    *(("ink", f"{look}-ground") for look in ("ok", "warn", "bad", "quiet")),
    ("on-accent", "accent"),
    *(("on-hue", hue) for hue in HUES),
    *(("ink", heat) for heat in HEATS),
]
"""What is written on what."""
SHAPES = [
    *(
        (color, ground)
        for color in (*HUES, "fill", "bad", "warn", "line-strong", "accent")
        for ground in GROUNDS
    ),
]
"""What is drawn on what: bars, marks, borders of fields, outlines of focus."""


def luminance(color):
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_has_the_largest_contrast():
    assert 21.0 == pytest.approx(contrast("#000000", "#ffffff"))
    assert 4.54 == pytest.approx(contrast("#767676", "#ffffff"), abs=0.005)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_can_be_read(scheme):
    colors = SCHEMES[scheme]
    poor = {
        pair: round(contrast(colors[pair[0]], colors[pair[1]]), 2)
        for pair in TEXT
        if contrast(colors[pair[0]], colors[pair[1]]) < 4.5
    }

    assert {} == poor


@pytest.mark.parametrize("scheme", SCHEMES)
def test_shapes_can_be_told_from_their_ground(scheme):
    colors = SCHEMES[scheme]
    poor = {
        pair: round(contrast(colors[pair[0]], colors[pair[1]]), 2)
        for pair in SHAPES
        if contrast(colors[pair[0]], colors[pair[1]]) < 3.0
    }

    assert {} == poor


def test_dark_names_every_color_that_light_does():
    assert SCHEMES["light"].keys() == SCHEMES["dark"].keys()


def test_no_color_stands_outside_the_palette():
    rules = CSS.replace(LIGHT_ROOT, "").replace(DARK_ROOT, "")

    assert [] == re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb|hsl", rules)


def test_heat_grows_evenly_away_from_the_ground():
    for colors in SCHEMES.values():
        steps = [contrast(colors[heat], colors["ground"]) for heat in HEATS]
        assert sorted(steps) == steps
