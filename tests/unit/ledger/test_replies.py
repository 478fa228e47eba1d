"""A reply can be told again for a while; then its words are gone from the disk, too."""

import asyncio
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2, types_pb2
from services.core import errors
from services.ledger import replies, sqlite
from services.ledger.sqlite import open_ledger
from services.ledger.terms import Terms
from services.ledger.texts import Texts
from tests.unit.ledger.canary import CANARY, filled
from tests.unit.ledger.entries import ended, failed, intent

TERMS = Terms(replay_for_s=600.0)
PROMPT = types_pb2.Prompt(
    messages=[types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=CANARY)])]
)


def telling(name):
    """A reply that has the canary wherever models, judges and folders speak."""
    reply = ended(intent(name), text=f"{CANARY} {name} " * 400)
    told = reply.manifest
    manifest = manifest_pb2.Manifest()
    filled(manifest)
    for field in ("tallies", "verdicts", "passages", "escalations", "answers", "steps"):
        getattr(told, field).extend(getattr(manifest, field))
    for field in ("tallies", "verdicts", "escalations", "steps"):
        names_cleared(getattr(told, field))
    del told.answers[-1]
    told.passages[0].id, told.passages[0].source = "p1", "file"
    told.error.Clear()
    told.ClearField("error")
    return reply


def names_cleared(messages):
    """Names are no words: a canary in one is none that a prompt or a model put there."""
    for message in messages:
        for field, value in message.ListFields():
            if field.type == field.TYPE_STRING and field.name not in WORDS:
                message.ClearField(field.name)
            elif field.type == field.TYPE_MESSAGE and field.is_repeated:
                names_cleared(value)
            elif field.type == field.TYPE_MESSAGE:
                names_cleared([value])


WORDS = {"text", "value", "evidence", "reason_text", "pointer", "arguments_json"}


async def asked(ledger, name, reply=None):
    await ledger.begin(intent(name), fingerprint="f")
    await ledger.finish(reply or telling(name), PROMPT)


def raw(path):
    """Every byte that SQLite has on the disk."""
    return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))


async def expired(ledger, *, swept=True):
    """Let all replies expire now."""
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("UPDATE replies SET expires_ns = ?", (time.time_ns(),))
    if swept:
        await ledger.forget()


async def test_until_it_expires_the_reply_is_told_and_the_manifest_is_whole(path):
    async with open_ledger(path, TERMS) as ledger:
        reply = telling("r1")
        await asked(ledger, "r1", reply)

        assert reply.answer == (await ledger.recorded("r1", fingerprint="f")).answer
        assert reply.manifest == await ledger.manifest("r1")
        assert await ledger.forget() == 0


@pytest.mark.parametrize("swept", [True, False])
async def test_from_then_on_it_is_not(path, swept):
    async with open_ledger(path, TERMS) as ledger:
        await asked(ledger, "r1")
        await expired(ledger, swept=swept)

        with pytest.raises(errors.ReplyExpiredError, match="the reply of request r1 is no longer"):
            await ledger.recorded("r1", fingerprint="f")
        with pytest.raises(errors.ReplyExpiredError):
            await ledger.begin(intent("r1"), fingerprint="f")
        assert "" == (await ledger.manifest("r1")).answers[0].text


async def test_a_failure_is_told_again_for_as_long_as_it_is_recorded(path):
    async with open_ledger(path, TERMS) as ledger:
        await ledger.begin(intent(), fingerprint="f")
        await ledger.fail(failed(intent(), metadata={"quorum": "2"}))
        with pytest.raises(errors.QuorumNotReachedError, match="1 of 2 answered"):
            await ledger.recorded("r1", fingerprint="f")
        await expired(ledger)

        with pytest.raises(errors.QuorumNotReachedError, match="keeps no words") as caught:
            await ledger.recorded("r1", fingerprint="f")

    assert "2" == caught.value.metadata["quorum"]


async def test_no_reply_is_kept_where_none_may_be_told_again(path):
    async with open_ledger(path, Terms(replay_for_s=0.0)) as ledger:
        await asked(ledger, "r1")

        with pytest.raises(errors.ReplyExpiredError):
            await ledger.recorded("r1", fingerprint="f")

    assert CANARY.encode() not in raw(path)


async def test_once_all_expired_no_word_is_left_on_the_disk(path):
    """Neither in pages that were freed, nor in the log, nor beside rows that were split."""
    async with open_ledger(path, TERMS) as ledger:
        for nth in range(60):
            await asked(ledger, f"r{nth}")
            if nth % 20 == 19:
                assert CANARY.encode() in raw(path)
                await expired(ledger)
        await expired(ledger)

        assert CANARY.encode() not in raw(path)

    assert CANARY.encode() not in raw(path)
    with closing(sqlite3.connect(path)) as connection:
        assert ("ok",) == connection.execute("PRAGMA integrity_check").fetchone()


async def test_words_that_records_keep_are_left(path):
    async with open_ledger(path, replace(TERMS, texts=Texts("answers"))) as ledger:
        await asked(ledger, "r1")
        await expired(ledger)

        assert CANARY in (await ledger.manifest("r1")).answers[0].text


async def test_prompts_are_kept_only_with_all_texts(path, tmp_path):
    for kept, found in [("answers", False), ("all", True)]:
        async with open_ledger(tmp_path / kept, replace(TERMS, texts=Texts(kept))) as ledger:
            await asked(ledger, "r1", ended(intent("r1")))

        assert found == (CANARY.encode() in raw(tmp_path / kept))


async def test_a_request_that_runs_has_no_words_on_the_disk(path):
    told = telling("r1").manifest
    told.state = manifest_pb2.MANIFEST_STATE_IN_PROGRESS
    async with open_ledger(path, TERMS) as ledger:
        await ledger.begin(intent("r1"), fingerprint="f")
        ledger.spent(told)
        await ledger.begin(intent("r2"), fingerprint="f")

    assert CANARY.encode() not in raw(path)


async def test_a_reader_only_delays_it(path):
    async with open_ledger(path, TERMS, busy_s=0.1) as ledger:
        await asked(ledger, "r1")
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM replies").fetchone()
        await expired(ledger)
        assert CANARY.encode() in raw(path)

        reader.close()
        await asked(ledger, "r2")
        await expired(ledger)

        assert CANARY.encode() not in raw(path)


async def test_it_is_done_by_itself(path, monkeypatch):
    monkeypatch.setattr(sqlite, "FORGET_EVERY_S", 0.05)
    async with open_ledger(path, TERMS) as ledger:
        await asked(ledger, "r1")
        await expired(ledger, swept=False)
        async with asyncio.timeout(10):
            while CANARY.encode() in raw(path):  # noqa: ASYNC110 - it waits for the disk
                await asyncio.sleep(0.02)


async def test_the_latest_failure_is_told_again_and_not_one_before(path):
    """A request that started anew and was interrupted does not fail as it did at first."""
    async with open_ledger(path, TERMS) as ledger:
        await ledger.begin(intent(), fingerprint="f")
        await ledger.fail(failed(intent(), reason="OVERLOADED", model_calls=0))
        await ledger.begin(intent(), fingerprint="f")
    async with open_ledger(path, TERMS) as ledger:
        with pytest.raises(errors.InterruptedRequestError):
            await ledger.recorded("r1", fingerprint="f")

        assert "INTERRUPTED" == (await ledger.manifest("r1")).error.reason


async def test_a_list_shows_what_records_keep(path):
    async with open_ledger(path, Terms()) as ledger:
        await asked(ledger, "r1")
        page = await ledger.manifests(ensemble_pb2.ListManifestsRequest())

    (listed,) = page.manifests
    assert CANARY not in str(listed)
    assert 0 == len(listed.answers)


def test_a_reply_is_there_until_the_very_time_it_expires():
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE replies (request_id PRIMARY KEY, reply, expires_ns)")
        replies.keep(connection, "r", b"4", expires_ns=100)

        assert b"4" == replies.kept(connection, "r", now_ns=99)
        assert replies.kept(connection, "r", now_ns=100) is None
        assert [0, 1] == [replies.forget(connection, now_ns=now) for now in (99, 100)]
