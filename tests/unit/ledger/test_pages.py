"""A list shows every manifest exactly once, newest first, whatever the page size."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gremium.v1 import ensemble_pb2, manifest_pb2
from services.core.errors import InvalidRequestError
from services.ledger import queries
from services.ledger.pages import Position, page_size, position_of, token
from services.ledger.sqlite import open_ledger
from tests.unit.ledger.entries import ended, failed, intent

REQUEST = ensemble_pb2.ListManifestsRequest


async def begin(ledger, *manifests):
    await asyncio.gather(*(ledger.begin(m, fingerprint="f") for m in manifests))


async def pages(ledger, **wanted):
    """Every page of a list, as lists of request ids."""
    found, page_token = [], ""
    while not found or page_token:
        page = await ledger.manifests(REQUEST(page_token=page_token, **wanted))
        found.append([manifest.request_id for manifest in page.manifests])
        page_token = page.next_page_token
    return found


@settings(max_examples=50, deadline=None)
@given(
    seconds=st.lists(st.integers(0, 3), max_size=12),
    ensembles=st.lists(st.sampled_from(["trio", "solo"]), min_size=12, max_size=12),
    size=st.integers(1, 5),
    only=st.sampled_from(["", "trio", "solo"]),
)
def test_every_row_is_listed_exactly_once(tmp_path_factory, seconds, ensembles, size, only):
    rows = [
        intent(f"r{number}", second=second, ensemble=ensemble)
        for number, (second, ensemble) in enumerate(zip(seconds, ensembles, strict=False))
    ]

    async def listed():
        async with open_ledger(tmp_path_factory.mktemp("pages") / "ledger.sqlite") as ledger:
            await begin(ledger, *rows)
            return await pages(ledger, page_size=size, ensemble=only)

    found = asyncio.run(listed())

    newest_first = sorted(rows, key=lambda m: (m.start_time.seconds, m.request_id), reverse=True)
    expected = [m.request_id for m in newest_first if only in ("", m.ensemble)]
    assert expected == [request_id for page in found for request_id in page]
    assert all(len(page) == size for page in found[:-1])


async def test_rows_that_arrive_meanwhile_shift_nothing(ledger):
    await begin(ledger, *(intent(f"r{n}", second=n) for n in range(4)))
    first = await ledger.manifests(REQUEST(page_size=2))
    await begin(ledger, intent("late", second=9))

    second = await ledger.manifests(REQUEST(page_size=2, page_token=first.next_page_token))

    assert ["r1", "r0"] == [manifest.request_id for manifest in second.manifests]
    assert "" == second.next_page_token


async def test_filters_by_state_and_outcome(ledger):
    await begin(ledger, intent("open"), intent("done"), intent("broken"))
    await ledger.finish(ended(intent("done")))
    await ledger.fail(failed(intent("broken")))

    assert [["open"]] == await pages(ledger, state=manifest_pb2.MANIFEST_STATE_IN_PROGRESS)
    assert [["broken"]] == await pages(ledger, state=manifest_pb2.MANIFEST_STATE_FAILED)
    assert [["done"]] == await pages(ledger, outcome=manifest_pb2.OUTCOME_ANSWERED)
    assert [[]] == await pages(ledger, outcome=manifest_pb2.OUTCOME_REJECTED)


async def test_a_list_leaves_answers_out_and_keeps_feedback(ledger):
    await begin(ledger, intent())
    await ledger.finish(ended(intent()))
    feedback = await ledger.add_feedback("r1", manifest_pb2.Feedback(score=1.0))

    (listed,) = (await ledger.manifests(REQUEST())).manifests

    assert [] == list(listed.answers)
    assert [feedback] == listed.feedback
    assert manifest_pb2.OUTCOME_ANSWERED == listed.outcome


async def test_a_page_ends_before_it_outgrows_a_message(ledger, monkeypatch):
    monkeypatch.setattr(queries, "PAGE_BYTES", 1)
    await begin(ledger, *(intent(f"r{n}", second=n) for n in range(3)))

    assert [["r2"], ["r1"], ["r0"]] == await pages(ledger)


async def test_shows_the_newest_feedback_only(ledger, monkeypatch):
    monkeypatch.setattr(queries, "FEEDBACK_SHOWN", 2)
    await begin(ledger, intent())
    given = [await ledger.add_feedback("r1", manifest_pb2.Feedback(score=s)) for s in (0, 0.5, 1)]

    assert given[1:] == (await ledger.manifest("r1")).feedback


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [pytest.param(0, 50, id="default"), (1, 1), (500, 500), pytest.param(501, 500, id="capped")],
)
def test_page_size(wanted, expected):
    assert expected == page_size(wanted)


@given(st.integers(0, 2**62), st.text("abcXYZ019._:-", max_size=128))
def test_a_token_leads_back_to_its_position(start_ns, request_id):
    position = Position(start_ns, request_id)
    page_token = token(position, REQUEST(ensemble="trio"))

    assert position == position_of(REQUEST(ensemble="trio", page_token=page_token))
    assert len(page_token) <= 512


@given(st.text(min_size=1))
def test_a_foreign_token_is_refused(text):
    with pytest.raises(InvalidRequestError) as caught:
        position_of(REQUEST(page_token=text))

    assert "page_token" == caught.value.violations[0][0]


@pytest.mark.parametrize(
    "other",
    [
        REQUEST(),
        REQUEST(ensemble="solo"),
        REQUEST(ensemble="trio", state=manifest_pb2.MANIFEST_STATE_FAILED),
        REQUEST(ensemble="trio", outcome=manifest_pb2.OUTCOME_ANSWERED),
    ],
    ids=str,
)
def test_a_token_belongs_to_its_filters(other):
    other.page_token = token(Position(1, "r1"), REQUEST(ensemble="trio"))

    with pytest.raises(InvalidRequestError):
        position_of(other)


async def test_the_ledger_refuses_a_foreign_token(ledger):
    with pytest.raises(InvalidRequestError):
        await ledger.manifests(REQUEST(page_token="bm90IG91cnM="))  # noqa: S106 - of a page
