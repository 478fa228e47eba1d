"""Pattern jury: one tier, one decision, no escalation."""

import pytest

from gremium.v1 import manifest_pb2
from services.core.errors import QuorumNotReachedError
from services.gateway.patterns.jury import jury
from services.gateway.record import Record
from tests.cases import jury_case
from tests.fakes import FAIL, PASS, ScriptedMesh


async def decided(mesh, **ensemble):
    case = jury_case(**ensemble)
    return await jury(case, mesh=mesh, record=Record(case))


async def test_gives_the_representative_that_passed():
    ending = await decided(ScriptedMesh({"jury": ["42", "42", "41"]}, verdicts=[PASS]))

    assert (manifest_pb2.OUTCOME_ANSWERED, "42") == (ending.outcome, ending.answer.text)


async def test_gives_nothing_without_consensus():
    ending = await decided(ScriptedMesh({"jury": ["1", "2", "3"]}, split=["jury"]))

    assert (manifest_pb2.OUTCOME_NO_CONSENSUS, None) == (ending.outcome, ending.answer)


async def test_is_rejected_when_the_judge_fails_the_representative():
    ending = await decided(ScriptedMesh({"jury": ["1", "1", "1"]}, verdicts=[FAIL]))

    assert (manifest_pb2.OUTCOME_REJECTED, None) == (ending.outcome, ending.answer)


async def test_what_is_unsafe_is_rejected_and_kept_back_whatever_its_verdict_is_called():
    unsafe = manifest_pb2.Verdict(kind=manifest_pb2.VERDICT_KIND_PASS, score=0.9, unsafe=True)
    mesh = ScriptedMesh({"jury": ["1", "1", "1"]}, verdicts=[unsafe])
    ending = await decided(mesh, deliver_rejected=True)

    assert (manifest_pb2.OUTCOME_REJECTED, None) == (ending.outcome, ending.answer)


async def test_says_when_too_few_answered():
    with pytest.raises(QuorumNotReachedError, match="1 of 2"):
        await decided(ScriptedMesh({"jury": ["42", None, None]}))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["42", None, None], "1 of 2 needed jurors answered: {1}, {2}"),
        ([None] * 6, "0 of 4 needed jurors answered: {0}, {1}, {2}, {3}, …"),
    ],
    ids=["all", "the first"],
)
async def test_says_how_each_juror_without_an_answer_ended(said, told):
    with pytest.raises(QuorumNotReachedError) as caught:
        await decided(ScriptedMesh({"jury": said}), seats=len(said))

    assert told.format(*(f"jury-{n} failed (CONNECTION)" for n in range(6))) == str(caught.value)
