"""Signals end a command in order; what is to outlive its terminal does."""

import asyncio
import os
import signal

import pytest

from services.cli.loading import unheard
from services.cli.stopping import run_until_stopped


async def signalled(number):
    os.kill(os.getpid(), number)
    await asyncio.sleep(0.05)
    return "went on"


@pytest.fixture
def handled():
    """Put a handler in place, and the earlier one back."""
    before = {}

    def handle(number, handler):
        before[number] = signal.signal(number, handler)

    yield handle
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_it(number):
    assert run_until_stopped(signalled(number)) is None


def test_a_terminal_that_closes_does_not_stop_what_nohup_started(handled):
    handled(signal.SIGHUP, signal.SIG_IGN)

    assert "went on" == run_until_stopped(signalled(signal.SIGHUP))


def test_ctrl_c_while_code_is_loaded_ends_the_process(handled):
    handled(signal.SIGINT, signal.default_int_handler)

    with unheard():
        assert signal.SIG_DFL == signal.getsignal(signal.SIGINT)
    assert signal.default_int_handler == signal.getsignal(signal.SIGINT)


def test_who_ignores_ctrl_c_goes_on_ignoring_it(handled):
    handled(signal.SIGINT, signal.SIG_IGN)

    with unheard():
        assert signal.SIG_IGN == signal.getsignal(signal.SIGINT)
    assert signal.SIG_IGN == signal.getsignal(signal.SIGINT)
