"""Models that read their lines from a script, and juries made of them."""

import asyncio

from jury_svc.case import Case, Juror
from jury_svc.deliberation import deliberate
from services.config.tree import Model, Price
from services.core.answers import FinishReason, ModelReply, Usage
from services.core.deadline import Deadline
from services.core.errors import BackendError
from services.core.lease import Lease
from services.core.prompts import Message, OutputFormat, Prompt
from services.models.backend import RosterModel
from services.models.guard import Guard

PRICE = Price(input_usd_per_mtok=1000.0, output_usd_per_mtok=1000.0)
QUESTION = Prompt((Message("user", ("What is the capital of France?",)),))


class Scripted:
    """A backend that answers after a while, fails, hangs, or does not hear that it should stop."""

    def __init__(
        self,
        text="Paris",
        *,
        delay_s=0.0,
        error=None,
        finish_reason=FinishReason.STOP,
        deaf_s=0.0,
    ):
        self.text = text
        self.delay_s = delay_s
        self.error = error
        self.finish_reason = finish_reason
        self.deaf_s = deaf_s
        self.requests = []
        self.running = 0
        self.cancelled = 0
        self.started = asyncio.Event()
        self.stopped = asyncio.Event()

    async def generate(self, request, *, deadline, listener=None):
        self.requests.append(request)
        self.running += 1
        self.started.set()
        try:
            await asyncio.sleep(self.delay_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            await asyncio.sleep(self.deaf_s)
            raise
        finally:
            self.running -= 1
            self.stopped.set()
        if self.error:
            raise self.error
        return ModelReply(
            text=self.text,
            finish_reason=self.finish_reason,
            usage=Usage(input_tokens=10, output_tokens=5),
            served_model="served-1",
        )


def fails():
    return Scripted(error=BackendError("connection refused", cause="CONNECTION"))


def hangs(**misbehaviour):
    return Scripted(delay_s=60.0, **misbehaviour)


def model(backend, name="m", price=PRICE):
    spec = Model(backend="openai", model=f"{name}-1", family="f", timeout_s=60.0, price=price)
    return RosterModel(name, spec, backend, Guard(spec))


def juror(name, backend, *, timeout_s=60.0, instruction="", price=PRICE):
    return Juror(name, model(backend, name, price), instruction, timeout_s)


def case(*backends, quorum=1, grace_s=0.0, lease=None, prompt=QUESTION, timeout_s=60.0):
    jurors = (juror(f"j{n}", b, timeout_s=timeout_s) for n, b in enumerate(backends))
    return Case(prompt, tuple(jurors), quorum, grace_s, lease or Lease())


def asking_for(output_format):
    return Prompt(QUESTION.messages, output_format=output_format)


LABELS = asking_for(OutputFormat("labels", labels=("Paris", "Rome")))


async def hear(asked, *, within_s=10.0, tell=lambda _: None):
    return await deliberate(asked, deadline=Deadline.after(within_s), tell=tell)


def statuses(hearing):
    return [end.asked.status for end in hearing.settled]
