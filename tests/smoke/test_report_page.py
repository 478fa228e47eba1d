"""The report's page in a real browser: it fits, in light and dark, and asks nobody for anything."""

import shutil

import pytest
from playwright.async_api import async_playwright

from tests.unit.report.test_page import shown

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
DIFF = "--- gremium.yaml\n+++ gremium.yaml\n@@ -1 +1 @@\n-" + "a long line " * 30
EXCESS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
INK = "getComputedStyle(document.body).color"


@pytest.mark.parametrize(
    ("size", "scheme", "ink"),
    [
        ("desk", "light", "rgb(29, 31, 33)"),
        ("phone", "dark", "rgb(232, 230, 225)"),
    ],
)
async def test_it_fits_and_loads_nothing(require, tmp_path, size, scheme, ink):
    require("chromium")
    path = tmp_path / "report.html"
    path.write_text(shown(names=("a-model-with-a-long-name-2026-11", "b", "c"), diff=DIFF))
    width, height = SIZES[size]
    asked = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = await browser.new_page(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(path.as_uri(), timeout=20_000)

        assert 0 == await page.evaluate(EXCESS)
        assert ink == await page.evaluate(INK)
        assert [path.as_uri()] == asked
        await browser.close()
