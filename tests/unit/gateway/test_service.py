"""The front door: what it refuses, and how it names what it refused."""

import asyncio
import json
from collections import Counter

import pytest

from gremium.v1 import ensemble_pb2, types_pb2
from services.config.budgets import SharedBudget
from services.config.tree import LoadedConfig
from services.core import errors
from services.core.deadline import Deadline
from services.gateway.accounts import Accounts
from services.gateway.service import EnsembleServicer
from services.runtime.local import call_local
from tests.cases import PROMPT, config, tier
from tests.fakes import PASS, ScriptedMesh
from tests.held import MOST_HELD_S, heavy_prompt, most_held_s


@pytest.fixture
def ask(ledger, tmp_path):
    loaded = LoadedConfig(
        config=config(tier("small")), path=tmp_path / "gremium.yaml", sha256="0" * 64
    )

    async def call(mesh=None, **fields):
        servicer = EnsembleServicer(
            mesh or ScriptedMesh({"small": ["42"]}, verdicts=[PASS]), ledger, loaded
        )
        request = ensemble_pb2.AskRequest(**{"prompt": PROMPT, **fields})
        return await call_local(
            servicer.Ask,
            request,
            deadline=Deadline.after(5),
            method="gremium.v1.EnsembleService/Ask",
        )

    return call


async def test_makes_a_request_id_for_a_request_without_one(ask):
    assert 32 == len((await ask()).request_id)


async def test_keeps_a_given_request_id(ask):
    assert "mine" == (await ask(request_id="mine")).request_id


@pytest.mark.parametrize(
    "output_format",
    [
        {"json": {"schema_json": '{"$ref": "http://127.0.0.1:1/a.json"}'}},
        {"json": {"schema_json": '{"$ref": "#"}'}},
        {"json": {"schema_json": '{"pattern": "(?=a)"}'}},
        {"json": {"schema_json": json.dumps({"enum": list(range(5000))})}},
        {"labels": {"labels": ["Yes", "yes "]}},
    ],
    ids=["remote", "endless", "pattern", "size", "labels"],
)
async def test_a_format_that_no_answer_can_be_read_by_is_refused_unrecorded(
    ask, ledger, output_format
):
    prompt = types_pb2.Prompt(
        messages=PROMPT.messages, output_format=types_pb2.OutputFormat(**output_format)
    )
    with pytest.raises(errors.InvalidRequestError):
        await ask(request_id="mine", prompt=prompt)

    with pytest.raises(errors.UnknownRequestError):
        await ledger.manifest("mine")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"prompt": types_pb2.Prompt()}, errors.InvalidRequestError),
        ({"ensemble": "other"}, errors.UnknownEnsembleError),
    ],
)
async def test_an_error_names_its_request(ask, fields, error):
    with pytest.raises(error) as caught:
        await ask(request_id="mine", **fields)

    assert "mine" == caught.value.metadata["request_id"]


async def test_an_error_names_the_request_id_that_was_made(ask):
    with pytest.raises(errors.InvalidRequestError) as caught:
        await ask(prompt=None)

    assert 32 == len(caught.value.metadata["request_id"])


async def test_a_bug_reaches_the_caller_without_its_text(ask):
    mesh = ScriptedMesh({"small": ["42"]})
    mesh.route = lambda *_, **__: 1 / 0
    with pytest.raises(errors.InternalError) as caught:
        await ask(mesh, request_id="mine")

    assert ("internal error", "mine") == (str(caught.value), caught.value.metadata["request_id"])


async def test_the_manifest_tells_the_time_its_caller_allowed(ask):
    timeout = (await ask()).manifest.timeout

    assert 4.9 < timeout.seconds + timeout.nanos / 1e9 <= 5.0


class CountedAccounts(Accounts):
    """Accounts that count who reserved."""

    def __init__(self):
        super().__init__({"all": SharedBudget(max_usd=1.0, per="day")})
        self.holds = Counter()

    def hold(self, **wanted):
        self.holds[wanted["ensemble"]] += 1
        return super().hold(**wanted)


class GatedMesh(ScriptedMesh):
    """A mesh whose jury answers while its gate is open."""

    def __init__(self):
        super().__init__({"small": ["42"]}, verdicts=[PASS] * 3)
        self.gate = asyncio.Event()

    async def deliberate(self, request, *, deadline, watch=None):
        async with asyncio.timeout(5.0):
            await self.gate.wait()
        return await super().deliberate(request, deadline=deadline, watch=watch)


async def test_a_replay_takes_neither_a_slot_nor_a_part_of_a_budget(ledger, tmp_path):
    loaded = LoadedConfig(
        config=config(tier("small"), max_concurrent=1), path=tmp_path / "g.yaml", sha256="0" * 64
    )
    mesh, accounts = GatedMesh(), CountedAccounts()
    servicer = EnsembleServicer(mesh, ledger, loaded, accounts=accounts)

    async def ask(name):
        request = ensemble_pb2.AskRequest(prompt=PROMPT, request_id=name)
        method = "gremium.v1.EnsembleService/Ask"
        return await call_local(servicer.Ask, request, deadline=Deadline.after(5), method=method)

    mesh.gate.set()
    first = await ask("mine")
    mesh.gate.clear()
    running = asyncio.create_task(ask("running"))
    async with asyncio.timeout(5.0):
        while accounts.holds["main"] < 2:  # noqa: ASYNC110  counted, not signalled
            await asyncio.sleep(0.01)
    with pytest.raises(errors.OverloadedError):
        await ask("third")

    again = await ask("mine")

    assert (first.answer, True, 2) == (again.answer, again.replayed, accounts.holds["main"])
    mesh.gate.set()
    assert not (await running).replayed


async def test_a_prompt_that_takes_long_to_look_at_holds_nobody_up(ask):
    assert await most_held_s(lambda: ask(prompt=heavy_prompt())) < MOST_HELD_S
