"""What a synthesis says is held against its sources in bounded time."""

import time

from aggregator_svc.candidates import Candidate
from aggregator_svc.draft import Draft
from aggregator_svc.provenance import objection
from services.core.prompts import Prompt


def test_many_blank_lines_take_no_long_time():
    began = time.process_time()

    source = Candidate("It is 330 m.", (0,))
    assert objection(Draft("330" + "\n" * 60_000 + "m", (0,)), [source], Prompt(())) is None
    assert time.process_time() - began < 1.0
