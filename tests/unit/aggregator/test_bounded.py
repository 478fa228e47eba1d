"""However long a synthesis or its prompt, it is looked at in bounded time."""

import time

from aggregator_svc.candidates import Candidate
from aggregator_svc.draft import Draft
from aggregator_svc.provenance import objection
from services.core.prompts import Prompt
from tests.held import MOST_HELD_S, heavy_prompt, most_held_s
from tests.unit.aggregator.synthesising import draft, synthesising, wanted


def test_many_blank_lines_take_no_long_time():
    began = time.process_time()

    source = Candidate("It is 330 m.", (0,))
    assert objection(Draft("330" + "\n" * 60_000 + "m", (0,)), [source], Prompt(())) is None
    assert time.process_time() - began < 1.0


async def test_a_prompt_that_takes_long_to_look_at_holds_nobody_up():
    request = wanted()
    async with synthesising(first=draft()) as (_, aggregate):

        def begin():
            request.synthesis.prompt.CopyFrom(heavy_prompt())
            return aggregate(request)

        assert await most_held_s(begin) < MOST_HELD_S
