"""An answer of many sentences is held against others in bounded time."""

import time

from judge_svc.weighing import Standing, signals_on
from services.core.answers import Answer
from services.core.prompts import Message, Prompt

MANY = Answer("a", "It is 3.5. " * 20_000)


def test_many_sentences_take_no_long_time():
    began = time.perf_counter()

    signals = signals_on(Prompt((Message("user", ("?",)),)), MANY, Standing(peers=(MANY, MANY)))

    assert time.perf_counter() - began < 5.0
    assert {"agreement": 1.0, "held": 1.0}.items() <= {s.name: s.value for s in signals}.items()
