"""What templates may hold: nothing that a browser would run, nothing from elsewhere, nothing unescaped."""

import re
from importlib.resources import files

import pytest

from services.gateway.console.assets import Assets
from services.gateway.console.rendering import Templates

FOLDER = files("services.gateway.console").joinpath("templates")
TEMPLATES = sorted(each.name for each in FOLDER.iterdir())
OWN = files("services.gateway.console").joinpath("static")
CANARY = "<script>alert(1)</script>"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_holds_nothing_that_runs_or_comes_from_elsewhere(name):
    html = FOLDER.joinpath(name).read_text()

    assert [] == re.findall(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|javascript:|\sstyle=|<style", html)
    assert [] == re.findall(r"https?://|//[a-z]+\.", html)
    assert [] == re.findall(r"\|\s*safe\b|autoescape|Markup", html)


@pytest.mark.parametrize("name", ["console.css", "console.js", "icon.svg"])
def test_own_files_name_no_outside_address(name):
    found = re.findall(r"https?://[^\s\"')]+", OWN.joinpath(name).read_text())

    assert {"http://www.w3.org/2000/svg"} >= set(found)


def test_whatever_a_page_is_told_is_text():
    html = Templates(Assets()).render("problem.html", {"title": CANARY, "message": CANARY})

    assert CANARY not in html
    assert 3 == html.count("&lt;script&gt;alert(1)&lt;/script&gt;")


def test_the_chart_library_comes_with_its_licence():
    assets = Assets()

    assert b"Permission is hereby granted" in assets.get("uplot/LICENSE").content
    assert assets.get("uplot/uPlot.iife.min.js").content.startswith(
        b"/*! https://github.com/leeoniya/uPlot"
    )


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../app.py",
        "..%2fapp.py",
        "uplot",
        "/etc/passwd",
        "uplot/../../app.py",
        "console.css/",
        "CONSOLE.CSS",
    ],
)
def test_only_files_that_pages_load_are_found(name):
    assert Assets().get(name) is None


def test_another_file_has_another_address():
    assets = Assets()

    assert re.fullmatch(r"/static/console\.css\?v=[0-9a-f]{16}", assets.address("console.css"))
    assert assets.address("console.css")[-16:] != assets.address("console.js")[-16:]
