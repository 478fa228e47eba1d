"""The console in a real browser: it updates, is walked by keyboard, and asks nobody outside."""

import asyncio
import shutil
from functools import partial

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from tests.console.consoles import CANARY, KEY, running
from tests.upstream import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")
module_fixture = partial(pytest_asyncio.fixture, scope="module", loop_scope="module")

WAIT_MS = 8_000
PAGES = ("/", "/divergence?ensemble=jury", "/routing?period=1h", "/roster", "/config")
PAINTED = """(color) => {
  const chart = document.querySelector(".chart canvas");
  const [width, height] = [chart.width, chart.height];
  const data = chart.getContext("2d").getImageData(0, 0, width, height).data;
  for (let at = 0; at < data.length; at += 4)
    if (data[at + 3] === 255 && data.slice(at, at + 3).join() === color) return true;
  return false;
}"""
"""Whether some point of the chart has a colour."""
SIZES = {"desk": (1280, 900), "phone": (390, 844)}


@module_fixture()
async def console(require, tmp_path_factory):
    """A console that has answered enough for every page to have something to show."""
    require("chromium")
    async with running(tmp_path_factory.mktemp("console"), key=KEY) as served:
        for nth in range(3):
            await served.ask(f"Is {nth} prime?", request_id=f"jury-{nth}")
        served.provider.script["large"] = Reply(f"It is four. {CANARY} " + "word " * 900)
        await served.ask(f"2 + 2? {CANARY}", ensemble="cascade", request_id="cascade-0")
        yield served


@module_fixture()
async def chromium(require):
    require("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def look(chromium, console):
    """Open a page as somebody sees it: `page = await look("/", size="phone", scheme="dark")`."""
    opened, outside, faults = [], [], []

    async def open_page(path, *, size="desk", scheme="light", javascript=True):
        width, height = SIZES[size]
        context = await chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=javascript,
        )
        opened.append(context)
        context.set_default_timeout(WAIT_MS)
        context.on("request", lambda r: r.url.startswith(console.url) or outside.append(r.url))
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        await page.goto(console.url + path)
        return page

    yield open_page
    for context in opened:
        await context.close()
    assert ([], []) == (outside, faults)


@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
async def test_every_page_fits_and_nothing_of_it_breaks(look, console, size, scheme):
    page = await look("/", size=size, scheme=scheme)
    for path in (*PAGES, "/requests/jury-0", "/requests/cascade-0?axis=deadline"):
        await page.goto(console.url + path)
        excess = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

        assert 0 == excess, path
        assert await page.locator("h1").is_visible()


async def test_what_a_model_says_never_runs(look):
    page = await look("/requests/cascade-0")

    assert "Request cascade-0 · Gremium" == await page.title()
    assert CANARY in await page.locator(".card.given pre").text_content()
    assert 0 == await page.locator("main script, main img").count()


async def test_the_whole_text_is_a_click_away(look):
    page = await look("/requests/cascade-0")

    await page.get_by_role("link", name="characters").click()
    await page.wait_for_url("**/answers/*")

    assert "word word word" in await page.locator("body").text_content()


async def test_answers_are_told_apart_without_colour(look):
    page = await look("/requests/jury-0")

    letters = {
        await card.locator("h3").inner_text(): await card.locator(".mark").inner_text()
        for card in await page.locator(".card").all()
    }

    assert {"ada": "A", "ben": "A", "cleo": "B"} == {
        name.split(",")[0].strip(): letter for name, letter in letters.items()
    }
    legend = await page.locator(".marks li").all_inner_texts()
    assert ['A "yes" given', 'B "no"'] == [" ".join(each.split()) for each in legend]


async def test_bars_end_before_the_deadline_and_in_order(look):
    page = await look("/requests/jury-0?axis=deadline")

    bars = [await bar.bounding_box() for bar in await page.locator("rect.span").all()]
    mark = await page.locator("td.axis line.deadline").first.bounding_box()
    assert len(bars) >= 6
    assert all(bar["x"] + bar["width"] < mark["x"] for bar in bars)


async def test_a_request_appears_while_it_is_answered_and_moves_when_it_has_ended(look, console):
    page = await look("/")
    script = dict(console.provider.script)
    console.provider.script.update(dict.fromkeys(("ada", "ben"), Reply("yes", delay_s=1.5)))
    asking = asyncio.create_task(console.ask("Is 9 prime?", request_id="watched"))

    await page.locator("#live tr[data-key=watched]").wait_for()
    link = page.locator("#live tr[data-key=watched] a")
    await link.focus()
    assert "1" == await page.locator("#live-count").inner_text()
    await page.locator("#recent-table tr[data-key=watched]").wait_for()
    await asking
    console.provider.script = script

    assert "watched" in await page.locator("#recent-table tbody tr").first.get_attribute("data-key")


async def test_the_page_of_a_request_goes_on_until_its_end(look, console):
    page, script = await look("/"), dict(console.provider.script)
    console.provider.script.update(dict.fromkeys(("ada", "ben"), Reply("yes", delay_s=2.5)))
    asking = asyncio.create_task(console.ask("Is 9 prime?", request_id="followed"))
    await asyncio.sleep(0.1)

    await page.goto(f"{console.url}/requests/followed")
    assert "in progress" in await page.locator("h1").inner_text()
    await page.locator("h1 .badge.ok").wait_for()
    await asking
    console.provider.script = script

    assert await page.locator(".card").count() >= 2


async def test_without_javascript_everything_is_there_after_a_reload(look, console):
    page = await look("/", javascript=False)
    await console.ask("Is 11 prime?", request_id="reloaded")
    await page.reload()

    assert await page.locator("#recent-table tr[data-key=reloaded]").is_visible()
    await page.locator("#recent-table tr[data-key=reloaded] a").click()
    assert await page.locator("rect.span").count() >= 6
    chart = await look("/routing?period=1h", javascript=False)
    assert await chart.get_by_role("row", name="jury").first.is_visible()


async def test_the_keyboard_reaches_everything_in_order_and_is_seen(look):
    page = await look("/")
    seen = []
    for _ in range(12):
        await page.keyboard.press("Tab")
        seen.append(
            await page.evaluate("document.activeElement.textContent.trim().split('\\n')[0]")
        )

    names = ["Gremium", "Requests", "Divergence", "Routing and spend", "Roster", "Configuration"]
    assert ["Skip to the content", *names] == seen[:7]
    assert "outline" in await page.evaluate(
        "getComputedStyle(document.activeElement).outlineStyle === 'solid' ? 'outline' : 'none'"
    )


async def test_the_skip_link_leads_past_the_navigation(look):
    page = await look("/roster")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    assert "content" == await page.evaluate("document.activeElement.id")


async def test_feedback_is_given_by_keyboard_and_the_key_stays_in_the_tab(look):
    page = await look("/requests/jury-1")
    await page.get_by_text("Say whether it is right").press("Enter")
    await page.get_by_label("incorrect").press("Space")
    await page.get_by_label("Comment").fill(f"No. {CANARY}")
    await page.get_by_label("Key").fill(KEY)
    await page.get_by_label("Key").press("Enter")
    await page.wait_for_url("**said=1**")

    assert f"No. {CANARY}" in await page.locator("main").inner_text()
    await page.goto(page.url.replace("jury-1?said=1#opinions", "jury-2"))
    assert KEY == await page.get_by_label("Key").input_value()


async def test_spend_is_drawn_in_the_colours_of_the_scheme(look):
    page = await look("/routing?period=1h")
    await page.locator(".chart canvas").first.wait_for()

    await page.wait_for_function(PAINTED, arg="47,111,181")
    await page.emulate_media(color_scheme="dark")
    await page.wait_for_function(PAINTED, arg="127,178,236")
