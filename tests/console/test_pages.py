"""Every page over a real socket: what it says, what it refuses, and that it never holds up a request."""

import asyncio
import json
import re
from functools import partial

import aiohttp
import pytest
import pytest_asyncio

from services.core.errors import QuorumNotReachedError
from services.gateway.console.live_feed import FOLLOWERS
from tests.console.consoles import CANARY, KEY, running
from tests.upstream import Reply

PAGES = ("/", "/divergence", "/routing", "/roster", "/config")
HTML = {"Accept": "text/html"}


pytestmark = pytest.mark.asyncio(loop_scope="module")
module_fixture = partial(pytest_asyncio.fixture, scope="module", loop_scope="module")


@module_fixture()
async def served(tmp_path_factory):
    """One console for all tests that find their own requests in it."""
    async with running(tmp_path_factory.mktemp("console"), key=KEY) as served:
        yield served


@pytest.fixture
def console(served):
    script = dict(served.provider.script)
    yield served
    served.provider.script = script


@module_fixture()
async def browser(served):
    async with aiohttp.ClientSession(served.url, headers=HTML) as session:
        yield session


async def read(browser, path, **options):
    async with browser.get(path, **options) as response:
        return response.status, await response.text()


async def test_pages_of_an_empty_ledger_say_what_to_do(tmp_path):
    async with (
        running(tmp_path) as console,
        aiohttp.ClientSession(console.url, headers=HTML) as browser,
    ):
        pages = {path: await read(browser, path) for path in PAGES}

    assert dict.fromkeys(PAGES, 200) == {path: status for path, (status, _) in pages.items()}
    for path in ("/", "/divergence", "/routing"):
        assert "gremium ask" in pages[path][1]


async def test_every_reply_has_the_headers_that_keep_it_to_itself(browser):
    for path in ("/", "/static/console.css", "/nothing", "/live"):
        async with browser.get(path) as response:
            headers = response.headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert ("DENY", "nosniff", "same-origin") == (
            headers["X-Frame-Options"],
            headers["X-Content-Type-Options"],
            headers["Referrer-Policy"],
        )
        assert "server" not in headers


async def test_a_page_that_another_name_was_bound_to_is_told_nothing(console, browser):
    await console.ask("6 x 7?", request_id="secret-request")

    status, text = await read(browser, "/", headers={"Host": "evil.example"})

    assert 421 == status
    assert "secret-request" not in text


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/static/../app.py",
            "/static/%2e%2e/app.py",
            "/static/..%2fapp.py",
            "/static//etc/passwd",
        ),
        *("/requests/../../etc/passwd", "/requests/none", "/requests/none/answers/0", "/static/"),
    ],
)
async def test_what_is_not_there_is_not_found(console, path):
    host = console.url.removeprefix("http://")
    assert b" 404 " in await raw(console, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())


async def raw(console, request):
    """The status line to bytes that no client would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", console.console.port)
    writer.write(request)
    async with asyncio.timeout(5.0):
        line = await reader.readline()
    writer.close()
    return line


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_but_feedback_can_be_sent(browser, method):
    async with browser.request(method, "/") as response:
        assert 405 == response.status


async def test_a_request_shows_who_answered_what(console, browser):
    reply = await console.ask("Is 7 prime?")

    status, html = await read(browser, f"/requests/{reply.request_id}")

    assert 200 == status
    for said in ("ada", "ben", "cleo", "broken", "HTTP_STATUS", "umpire", "consensus"):
        assert said in html
    assert re.search(r'class="card[^"]*given', html)
    assert "In the ledger" in html


async def test_what_models_say_is_never_html(console, browser):
    for name in ("ada", "ben", "large"):
        console.provider.script[name] = Reply(f"It is four. {CANARY}")
    reply = await console.ask(CANARY, ensemble="cascade", labels={"x": CANARY})

    _, html = await read(browser, f"/requests/{reply.request_id}")
    _, listed = await read(browser, "/")

    assert "&lt;script&gt;document.title=" in html
    assert CANARY[:30] not in html + listed


async def test_a_long_answer_is_cut_and_can_be_read_whole(console, browser):
    text = "It is four. " + "word " * 2_000
    for name in ("ada", "ben", "large"):
        console.provider.script[name] = Reply(text)
    reply = await console.ask("2 + 2?", ensemble="cascade")

    _, html = await read(browser, f"/requests/{reply.request_id}")
    whole = f"/requests/{reply.request_id}/answers/0"
    async with browser.get(whole) as response:
        kind, said = response.headers["Content-Type"], await response.text()

    assert whole in html
    assert len(html) < 60_000
    assert ("text/plain; charset=utf-8", text.strip()) == (kind, said)


async def test_a_failed_request_says_why(console, browser):
    for name in ("ada", "ben", "cleo"):
        console.provider.script[name] = Reply(status=500)
    with pytest.raises(QuorumNotReachedError):
        await console.ask("2 + 2?", request_id="lost")

    _, html = await read(browser, "/requests/lost")
    _, failed = await read(browser, "/?ending=failed")
    _, answered = await read(browser, "/?ending=answered")

    assert "QUORUM_NOT_REACHED" in html
    assert "/requests/lost" in failed
    assert "/requests/lost" not in answered


async def test_a_request_is_seen_while_it_is_answered(console, browser):
    console.provider.script["ada"] = Reply("yes", delay_s=1.6)
    console.provider.script["ben"] = Reply("yes", delay_s=1.6)
    asking = asyncio.create_task(console.ask("2 + 2?", request_id="slow"))

    ended = "/requests/slow"
    events = [told async for told in heard(browser, until=lambda e: ended in (e["recent"] or ""))]
    await asking

    assert any("/requests/slow" in told["live"] and "jury" in told["live"] for told in events)
    assert "/requests/slow" not in events[-1]["live"]


async def heard(browser, *, until):
    """Events of the stream, until one is what is waited for."""
    async with asyncio.timeout(10.0), browser.get("/live/events") as response:
        async for line in response.content:
            if line.startswith(b"data: "):
                told = json.loads(line[6:])
                yield told
                if until(told):
                    return


async def test_only_so_many_pages_are_told_at_once(browser):
    streams = [await browser.get("/live/events") for _ in range(FOLLOWERS)]
    for stream in streams:
        assert b"retry" in await stream.content.readline()

    status, _ = await read(browser, "/live/events")
    for stream in streams:
        stream.close()

    assert 503 == status


def form(**fields):
    return {"kind": "correct", "key": KEY, **fields}


async def said(console, browser, fields, **headers):
    """The status that a form gets, and the page of its request afterwards."""
    page = f"/requests/{(await console.ask('2 + 2?')).request_id}"
    sent = {"data": fields, "headers": headers, "allow_redirects": False}
    async with browser.post(f"{page}/feedback", **sent) as response:
        status = response.status
    return status, (await read(browser, page))[1]


async def test_feedback_with_the_key_is_recorded(console, browser):
    status, html = await said(console, browser, form(comment=f"Right. {CANARY}"))

    assert 303 == status
    assert "Right. &lt;script&gt;" in html


async def test_a_better_answer_can_be_named(console, browser):
    status, html = await said(console, browser, form(kind="preferred", preferred="2"))

    assert 303 == status
    assert re.search(r"preferred</span>\s*cleo", html)


@pytest.mark.parametrize(
    ("fields", "headers", "expected"),
    [
        (form(key="not the key at all"), {}, 403),
        (form(key=""), {}, 403),
        ({"kind": "correct"}, {}, 403),
        (form(), {"Origin": "http://evil.example"}, 403),
        (form(), {"Sec-Fetch-Site": "cross-site"}, 403),
        (form(kind="perhaps"), {}, 400),
        (form(kind="preferred"), {}, 400),
        (form(expected="x" * 200_000), {}, 400),
    ],
)
async def test_what_may_not_be_said_is_not_recorded(console, browser, fields, headers, expected):
    status, html = await said(console, browser, fields, **headers)

    assert expected == status
    assert "Nobody has said anything of it yet" in html


async def test_without_a_key_the_console_is_read_only(tmp_path):
    async with (
        running(tmp_path) as console,
        aiohttp.ClientSession(console.url, headers=HTML) as browser,
    ):
        status, html = await said(console, browser, form())

    assert 403 == status
    assert '<form class="say"' not in html


async def test_a_model_that_is_left_alone_is_seen_in_the_roster(tmp_path):
    async with (
        running(tmp_path, patient=False) as console,
        aiohttp.ClientSession(console.url, headers=HTML) as browser,
    ):
        for _ in range(6):
            await console.ask("2 + 2?")
        _, html = await read(browser, "/roster")

    assert re.search(r"broken.*?badge bad", html, re.DOTALL)


async def test_spend_is_told_for_the_chart(console, browser):
    async def spent():
        async with browser.get("/routing/spend.json?period=1h") as response:
            told = await response.json()
        return told["every_s"], dict(zip(told["names"], map(sum, told["columns"]), strict=True))

    _, before = await spent()
    reply = await console.ask("2 + 2?")
    every_s, after = await spent()

    assert 300 == every_s
    assert reply.manifest.cost_usd == pytest.approx(after["jury"] - before["jury"], abs=1e-6)


async def test_nothing_is_recorded_and_pages_say_so(tmp_path):
    async with (
        running(tmp_path, ledger={"mode": "off"}) as console,
        aiohttp.ClientSession(console.url, headers=HTML) as browser,
    ):
        await console.ask("2 + 2?", request_id="r1")
        status, html = await read(browser, "/")
        gone, _ = await read(browser, "/requests/r1")

    assert (200, 404) == (status, gone)
    assert "ledger.mode" in html
