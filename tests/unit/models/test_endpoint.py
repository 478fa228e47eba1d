"""What a provider refuses reaches the caller as one short, typed error."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from services.core.deadline import Deadline
from services.core.errors import BackendError
from services.models.endpoint import Endpoint, open_session
from services.models.settings import proxy_for
from tests.upstream import Reply, upstream


async def failure(reply):
    async with upstream({"m": reply}) as server, open_session() as session:
        endpoint = Endpoint(session, server.url, headers={})
        with pytest.raises(BackendError) as caught:
            await endpoint.post("/chat/completions", {"model": "m"}, deadline=Deadline.after(5))
    return caught.value


async def test_keeps_the_wait_that_the_provider_asks_for():
    assert 7.0 == (await failure(Reply(status=429, headers={"Retry-After": "7"}))).retry_after_s


async def test_understands_a_date_to_wait_for():
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60))

    err = await failure(Reply(status=503, headers={"Retry-After": moment}))

    assert "HTTP_STATUS" == err.cause
    assert 50.0 < err.retry_after_s <= 60.0


@pytest.mark.parametrize("value", ["soon", "", "nan"])
async def test_ignores_a_wait_that_is_none(value):
    err = await failure(Reply(status=429, headers={"Retry-After": value}))

    assert not err.retry_after_s


async def test_quotes_the_providers_message_on_one_short_line():
    body = b'{"error": {"message": "no\\n  such model' + b"!" * 1000 + b'"}}'

    text = str(await failure(Reply(status=404, body=body)))

    assert "HTTP 404: no such model!!!" in text
    assert "\n" not in text
    assert len(text) < 400


async def test_a_reply_that_is_no_object_is_invalid():
    err = await failure(Reply(body=b"[1]"))

    assert "INVALID_REPLY" == err.cause


async def test_a_hung_provider_runs_into_the_deadline():
    async with upstream() as server, open_session() as session:
        endpoint = Endpoint(session, server.url, headers={})
        with pytest.raises(TimeoutError):
            await endpoint.post(
                "/chat/completions", {"model": "hang"}, deadline=Deadline.after(0.1)
            )


async def test_one_connection_serves_many_calls():
    async with upstream() as server, open_session() as session:
        endpoint = Endpoint(session, server.url, headers={})
        for _ in range(3):
            await endpoint.post("/chat/completions", {"model": "m"}, deadline=Deadline.after(5))

        assert 3 == server.calls
        assert 1 == server.connections


def test_this_machine_needs_no_proxy(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "inside.example")

    assert "http://proxy:3128" == proxy_for("http://outside.example/v1")
    assert [None, None] == [proxy_for("http://127.0.0.1:1/v1"), proxy_for("http://inside.example")]
