"""Reasoning whose opening tag the chat template wrote is neither heard nor an answer."""

from tests.unit.models.hearing import SENTENCE, streaming
from tests.upstream import Reply

HEADLESS = "Is it Rome? No.\n</think>\n\nParis is it."


async def test_reasoning_that_the_template_opened_is_never_heard():
    async with streaming(Reply(HEADLESS), begins_in_reasoning=True) as (_, put, hear):
        whole = await put()
        asked, heard = await hear()

    assert "Paris is it." == whole.reply.text == asked.reply.text == "".join(heard).strip()
    assert len(heard) > 1
    assert whole.usage == asked.usage


async def test_reasoning_that_was_cut_is_no_answer():
    reply = Reply("Is it Rome? No", finish_reason="length")
    async with streaming(reply, begins_in_reasoning=True) as (_, put, hear):
        whole = await put()
        asked, heard = await hear()

    assert ("", "", []) == (whole.reply.text, asked.reply.text, heard)


async def test_a_server_that_parts_reasoning_from_the_text_is_heard_at_once():
    reply = Reply(SENTENCE, reasoning="Could it be Rome?")
    async with streaming(reply, begins_in_reasoning=True) as (_, put, hear):
        whole = await put()
        asked, heard = await hear()

    assert SENTENCE == whole.reply.text == asked.reply.text == "".join(heard)
    assert len(SENTENCE.split()) == len(heard)
