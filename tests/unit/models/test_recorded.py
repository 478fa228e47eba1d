"""A cassette gives the recorded answer, records a live one, or names what it lacks."""

import asyncio
import json

import pytest

from services.core.answers import FinishReason, ModelReply, Status, Usage
from services.core.deadline import Deadline
from services.core.prompts import OutputFormat, Params, ToolCall
from services.models.asked import Attempt
from services.models.asking import ask
from services.models.cassette import Cassette, cassette_key
from services.models.listening import Listener
from tests.unit.models.rosters import prompt, request, roster_of
from tests.upstream import Reply, upstream

TAPE = {"model": "m", "backend": "recorded", "cassette": "tape.jsonl"}


def write(folder, *lines):
    (folder / "tape.jsonl").write_text("\n".join(json.dumps(line) for line in lines))


async def replay(folder, wanted=None, **spec):
    async with roster_of({"m": {**TAPE, **spec}}, folder=folder) as roster:
        return await ask(
            roster.get("m"), wanted or request(), deadline=Deadline.after(5), timeout_s=5
        )


async def test_replays_what_was_recorded(tmp_path):
    usage = {"input_tokens": 9, "cached_input_tokens": 4, "output_tokens": 3, "reasoning_tokens": 1}
    line = {"model": "m", "prompt": "6 x 7?", "text": "42", "usage": usage, "cost_usd": 0.5}
    write(tmp_path, {**line, "finish_reason": "length"})

    asked = await replay(tmp_path)

    assert (Status.ANSWERED, "42") == (asked.status, asked.reply.text)
    assert (Usage(9, 4, 3, 1), 0.5, 1) == (asked.usage, asked.cost_usd, asked.model_calls)
    assert FinishReason.LENGTH is asked.reply.finish_reason


async def test_a_configured_price_outranks_the_recorded_cost(tmp_path):
    usage = {"input_tokens": 9, "output_tokens": 3}
    line = {"model": "m", "prompt": "6 x 7?", "text": "42", "usage": usage, "cost_usd": 0.5}
    write(tmp_path, line)

    asked = await replay(tmp_path, price={"input_usd_per_mtok": 1000.0})

    assert pytest.approx(0.009) == asked.cost_usd


async def test_numbers_that_cannot_be_are_not_replayed(tmp_path):
    usage = {"input_tokens": "many", "output_tokens": -5}
    line = {"model": "m", "prompt": "6 x 7?", "text": "42", "usage": usage, "cost_usd": 1e308}
    write(tmp_path, {**line, "mean_logprob": 0.5})

    asked = await replay(tmp_path)

    assert (True, 0.0, 0.0) == (asked.usage_estimated, asked.cost_usd, asked.reply.mean_logprob)
    assert asked.usage.input_tokens > 0


async def test_a_jurors_instruction_is_no_part_of_the_key(tmp_path):
    write(tmp_path, {"model": "m", "prompt": "6 x 7?", "text": "42"})

    asked = await replay(tmp_path, request(instruction="Think twice."))

    assert "42" == asked.reply.text


async def test_a_miss_is_an_error_that_names_the_key(tmp_path):
    write(tmp_path, {"model": "another", "prompt": "6 x 7?", "text": "42"})

    asked = await replay(tmp_path)

    assert (Status.FAILED, "CASSETTE_MISS", 0) == (asked.status, asked.reason, asked.model_calls)
    assert cassette_key(prompt(), "m") in asked.reason_text
    assert Usage() == asked.usage


async def test_a_missing_file_is_a_miss(tmp_path):
    assert "CASSETTE_MISS" == (await replay(tmp_path)).reason


async def test_a_line_may_give_the_key_itself(tmp_path):
    write(tmp_path, {"key": cassette_key(prompt(), "m"), "text": "42"})

    assert "42" == (await replay(tmp_path)).reply.text


def test_the_key_covers_the_shape_but_not_the_sampling():
    key = cassette_key(prompt(), "m")

    assert key == cassette_key(prompt(params=Params(temperature=1.0, seed=1)), "m")
    assert key != cassette_key(prompt(output_format=OutputFormat("json")), "m")
    assert key != cassette_key(prompt(output_format=OutputFormat(may_abstain=True)), "m")
    assert key != cassette_key(prompt(), "n")


async def test_usage_without_a_recording_is_estimated(tmp_path):
    write(tmp_path, {"model": "m", "prompt": "6 x 7?", "text": "forty-two"})

    asked = await replay(tmp_path, price={"output_usd_per_mtok": 1.0})

    assert asked.usage_estimated
    assert asked.usage.output_tokens > 0
    assert asked.cost_usd > 0.0


async def test_several_recordings_are_played_in_turn_or_by_seed(tmp_path):
    write(tmp_path, *({"model": "m", "prompt": "6 x 7?", "text": t} for t in ("a", "b", "c")))
    async with roster_of({"m": TAPE}, folder=tmp_path) as roster:

        async def play(**more):
            wanted = request(**more)
            asked = await ask(roster.get("m"), wanted, deadline=Deadline.after(5), timeout_s=5)
            return asked.reply.text

        in_turn = [await play() for _ in range(4)]
        by_seed = [await play(params=Params(seed=seed)) for seed in (1, 1, 5)]

    assert (["a", "b", "c", "a"], ["b", "b", "c"]) == (in_turn, by_seed)


async def test_a_broken_line_is_left_out(tmp_path, caplog):
    good = json.dumps({"model": "m", "prompt": "6 x 7?", "text": "42"})
    (tmp_path / "tape.jsonl").write_text(f'{{"model": "m", "prom\n\n[1]\n{good}\n')

    assert "42" == (await replay(tmp_path)).reply.text
    assert "tape.jsonl:1" in caplog.text
    assert "tape.jsonl:3" in caplog.text


async def test_records_a_live_answer_once(tmp_path):
    usage = {"prompt_tokens": 10, "completion_tokens": 2}
    async with upstream({"gpt": Reply("42", usage=usage)}) as server:
        live = {"model": "gpt", "base_url": server.url, "price": {"output_usd_per_mtok": 1e6}}
        for _ in range(2):
            models = {"tape": {**TAPE, "model": "gpt", "record": "live"}, "live": live}
            async with roster_of(models, folder=tmp_path) as roster:
                asked = await ask(
                    roster.get("tape"), request(), deadline=Deadline.after(5), timeout_s=5
                )

            assert ("42", 2.0, 10) == (asked.reply.text, asked.cost_usd, asked.usage.input_tokens)
        assert 1 == server.calls
    assert "42" == (await replay(tmp_path, model="gpt")).reply.text


async def test_recordings_of_another_process_are_found(tmp_path):
    mine, theirs = Cassette(tmp_path / "tape.jsonl"), Cassette(tmp_path / "tape.jsonl")
    mine.load()
    theirs.record("k", model="m", question="?", reply=ModelReply("42"))

    assert ["42"] == [reply.text for reply in mine.recordings("k")]


def test_a_line_that_is_still_being_written_is_read_later(tmp_path):
    tape = Cassette(tmp_path / "tape.jsonl")
    whole = b'{"key": "k", "text": "42"}\n'
    tape.path.write_bytes(whole[:10])
    first = tape.recordings("k")
    tape.path.write_bytes(whole)

    assert ([], "42") == (first, tape.recordings("k")[0].text)


def test_a_torn_line_does_not_spoil_the_next(tmp_path):
    tape = Cassette(tmp_path / "tape.jsonl")
    tape.path.write_bytes(b'{"key": "torn')
    tape.record("k", model="m", question="?", reply=ModelReply("42"))

    assert ["42"] == [reply.text for reply in Cassette(tape.path).recordings("k")]


async def test_many_writers_leave_whole_lines(tmp_path):
    tape = Cassette(tmp_path / "tape.jsonl")

    def record(number):
        tape.record(f"k{number}", model="m", question="?", reply=ModelReply("x" * 9000))

    await asyncio.gather(*(asyncio.to_thread(record, number) for number in range(32)))

    lines = [json.loads(line) for line in tape.path.read_text().splitlines() if line]
    assert 32 == len(lines)
    assert 32 == len({key for key in (f"k{n}" for n in range(32)) if tape.recordings(key)})


@pytest.mark.parametrize("finish", list(FinishReason))
def test_a_recording_is_read_as_it_was_written(tmp_path, finish):
    reply = ModelReply(
        text="π",
        tool_calls=(ToolCall("now", '{"zone":"UTC"}', "c1"),),
        finish_reason=finish,
        usage=Usage(4, 3, 2, 1),
        served_model="m-2",
        mean_logprob=-0.5,
        cost_usd=0.25,
    )
    tape = Cassette(tmp_path / "tape.jsonl")
    tape.record("k", model="m", question="?", reply=reply)

    assert [reply] == tape.recordings("k")


async def listened(folder, **spec):
    """What is heard while a model answers, and its answer."""
    heard = []
    attempt = Attempt(listener=Listener(heard.append))
    live = spec.pop("live", {})
    async with roster_of({"m": {**TAPE, **spec}, **live}, folder=folder) as roster:
        limits = {"deadline": Deadline.after(5), "timeout_s": 5, "attempt": attempt}
        asked = await ask(roster.get("m"), request(), **limits)
    return asked.reply.text, heard


async def test_a_listener_hears_a_recording_word_by_word(tmp_path):
    text = " It is\n<think>41?</think> 42.\n"
    write(tmp_path, {"model": "m", "prompt": "6 x 7?", "text": text})

    told, heard = await listened(tmp_path)

    assert text == told
    assert [" It ", "is\n", " ", "42.\n"] == heard


async def test_a_listener_hears_a_live_answer_while_it_is_recorded(tmp_path):
    async with upstream({"live": Reply("forty two")}) as server:
        live = {"live": {"model": "live", "base_url": server.url}}
        first = await listened(tmp_path, record="live", live=live)
        again = await listened(tmp_path, record="live", live=live)

    assert ("forty two", ["forty", " two"]) == first
    assert ("forty two", ["forty ", "two"]) == again
    assert 1 == server.calls
