"""What is posted is what was approved: whatever changes in between stops the run, and it is approved again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from api import wiring
from domains.billing import permissions, run_jobs
from domains.billing.models import Bill, BillingRules, BillingRun, RunException
from domains.billing.queries import runs as queries
from domains.billing.service import posting
from domains.billing.service.prices import set_fee_price
from domains.billing.service.runs import approve_billing_run, cancel_billing_run, start_billing_run
from domains.billing.tariffs import Tariff
from domains.estate.models import House
from domains.kernel import database, outbox
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.errors import Conflict
from tests.factories import charges, identity, residents, runs
from tests.factories.kernel import deliver_all
from tests.factories.ledger import check_books, trial_balance
from tests.factories.residents import Scene, scene

pytestmark = pytest.mark.usefixtures("instance")
OCT, NOV = date(2026, 10, 1), date(2026, 11, 1)
WHOLE = 3 * 25060

REQUESTED = """
SELECT requested_by_name FROM job_run WHERE job = 'billing.post_runs' AND state = 'requested' AND requested_by = $1
"""
TOLD = "SELECT n.kind FROM notification i JOIN notice n ON n.id = i.notice_id WHERE i.account_id = $1"


def approver(at: Scene, *more: str) -> Actor:
    return residents.staff(
        permissions.RUNS_START, permissions.RUNS_APPROVE, permissions.FEES_WRITE, *more, compound_id=at.compound_id
    )  # fmt: skip


async def street() -> tuple[Scene, UUID, UUID]:
    """Three houses with an item by area and a meter each that was read."""
    at = await scene()
    area = await charges.item(at.compound_id, name="物业费")
    water = await charges.item(
        at.compound_id, "345", name="水费", method="metered", meter_kind="water", timing="arrears", category="water",
        starts_on=OCT,
    )  # fmt: skip
    return at, area, water


async def _priced(at: Scene, area: UUID) -> None:
    await set_fee_price(approver(at), fee_item_id=area, from_on=NOV, tariff=Tariff(Decimal(300)))


async def _agreed(at: Scene, area: UUID) -> None:
    await charges.agreed(at.far_house_id, area, "50", NOV)


async def _owed_by_another(at: Scene, _: UUID) -> None:
    await charges.liable(at.far_house_id, "tenant", date(2026, 1, 1))


async def _read(at: Scene, _: UUID) -> None:
    meter = await charges.meter(at.far_house_id, number="W9")
    await charges.reading(meter, date(2026, 10, 31), "7")


async def _measured(at: Scene, _: UUID) -> None:
    await House.filter(pk=at.far_house_id).update(built_area_m2=Decimal("90"))


async def _paid_ahead(at: Scene, area: UUID) -> None:
    await runs.posted(at.compound_id, NOV, house_id=at.far_house_id, items=[area])


Change = Callable[[Scene, UUID], Awaitable[None]]
CHANGES: dict[str, Change] = {
    "a price": _priced, "an agreement": _agreed, "who pays": _owed_by_another, "a reading": _read,
    "an area": _measured, "a bill that is there already": _paid_ahead,
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
async def test_whatever_changes_after_the_approval_is_not_posted(change: str) -> None:
    at, area, _ = await street()
    run_id = await runs.approved(at.compound_id, NOV, by=approver(at))
    await CHANGES[change](at, area)
    before = await runs.left(at.compound_id, "bills", "lines", "payables", "entries", "exceptions", "rules")
    await posting.post(SYSTEM, run_id)
    assert await runs.left(at.compound_id, *before) == before
    run = await BillingRun.get(pk=run_id)
    assert (run.state, run.approved_at, run.houses_done, run.bills) == ("draft", None, 0, 0)
    assert run.returned_at
    again = (await queries.by_id(approver(at), [run_id]))[run_id]
    await approve_billing_run(approver(at), run_id=run_id, expected_fen=again.expected_fen)
    await posting.post(SYSTEM, run_id)
    done = await BillingRun.get(pk=run_id)
    assert (done.state, done.posted_fen) == ("posted", again.expected_fen)
    await check_books()


async def test_what_changes_while_it_is_posted_stops_it_there() -> None:
    at, area, _ = await street()
    for house, number in ((at.house_id, "W1"), (at.far_house_id, "W2")):
        await charges.meter(house, number=number)
    run_id = await runs.approved(at.compound_id, NOV, chunk=1, by=approver(at))
    assert await posting.post_part(SYSTEM, run_id)
    made = await Bill.filter(run_id=run_id)
    assert [bill.issued_fen for bill in made] == [25060]
    await _agreed(at, area)
    await _measured(at, area)
    await posting.post(SYSTEM, run_id)
    run = await BillingRun.get(pk=run_id)
    done = await Bill.filter(run_id=run_id).count()
    # 90 m² × 2.80 × 50 % of the house that changed; the next door was approved as it is, and may be there by now.
    assert (run.state, run.posted_fen, run.expected_fen) == (
        "draft",
        done * 25060,
        (2 - done) * 25060 + 12600,
    )
    assert await RunException.filter(run_id=run_id).count() == 0
    assert await trial_balance(at.compound_id) == {"income": -done * 25060, "receivable": done * 25060}
    await approve_billing_run(approver(at), run_id=run_id, expected_fen=run.expected_fen)
    await posting.post(SYSTEM, run_id)
    run = await BillingRun.get(pk=run_id)
    assert (run.state, run.bills, run.posted_fen) == ("posted", 3, 2 * 25060 + 12600)
    assert [each.issued_fen for each in await Bill.filter(house_id=at.far_house_id)] == [12600]
    await check_books()


async def test_a_price_that_is_set_while_it_is_posted() -> None:
    at, area, _ = await street()
    run_id = await runs.approved(at.compound_id, NOV, chunk=1, by=approver(at))
    outcomes = await asyncio.gather(
        posting.post(SYSTEM, run_id), posting.post(SYSTEM, run_id), _priced(at, area), return_exceptions=True
    )
    assert all(outcome is None or isinstance(outcome, Conflict) for outcome in outcomes), outcomes
    run = await BillingRun.get(pk=run_id)
    posted = [bill.issued_fen for bill in await Bill.filter(run_id=run_id)]
    assert posted == [25060] * len(posted), "no bill at a price that nobody approved"
    assert (run.state == "posted") == (len(posted) == 3)
    assert run.state in ("posted", "draft")
    await check_books()


async def test_a_house_is_told_from_another_at_the_same_total() -> None:
    at, area, _ = await street()
    await charges.agreed(at.house_id, area, "50", NOV)
    run_id = await start_billing_run(approver(at), compound_id=at.compound_id, month=NOV)
    await database.execute(
        "UPDATE fee_agreement SET house_id = $1 WHERE house_id = $2", at.next_door_id, at.house_id
    )
    run = await BillingRun.get(pk=run_id)
    with pytest.raises(Conflict, match="PREVIEW_CHANGED"):
        await approve_billing_run(approver(at), run_id=run_id, expected_fen=run.expected_fen)


async def test_the_due_date_is_that_of_the_preview() -> None:
    at, _, _ = await street()
    run_id = await start_billing_run(approver(at), compound_id=at.compound_id, month=NOV, issued_on=None)
    due_on = (await BillingRun.get(pk=run_id)).due_on
    await BillingRules.filter(compound_id=at.compound_id).update(due_days=40)
    with pytest.raises(Conflict, match="PREVIEW_CHANGED"):
        await approve_billing_run(approver(at), run_id=run_id, expected_fen=WHOLE)
    await BillingRules.filter(compound_id=at.compound_id).update(due_days=15)
    await approve_billing_run(approver(at), run_id=run_id, expected_fen=WHOLE)
    await BillingRules.filter(compound_id=at.compound_id).update(due_days=40)
    await posting.post(SYSTEM, run_id)
    assert {bill.due_on for bill in await Bill.filter(run_id=run_id)} == {due_on}


async def test_what_the_rules_approved_goes_on_as_it_comes_out() -> None:
    at, area, _ = await street()
    run_id = await runs.approved(at.compound_id, NOV)
    await _agreed(at, area)
    await run_jobs.post_runs(None)
    assert (await BillingRun.get(pk=run_id)).state == "approved"
    await run_jobs.post_runs(None)
    run = await BillingRun.get(pk=run_id)
    assert (run.state, run.posted_fen, run.returned_at) == ("posted", 2 * 25060 + 12530, None)


async def test_a_run_approved_before_it_kept_its_parts_is_approved_again() -> None:
    at, _, _ = await street()
    run_id = await runs.approved(at.compound_id, NOV, by=approver(at))
    await database.execute("UPDATE billing_run SET parts = NULL, due_on = NULL WHERE id = $1", run_id)
    await posting.post(SYSTEM, run_id)
    run = await BillingRun.get(pk=run_id)
    assert (run.state, run.bills) == ("draft", 0)
    await approve_billing_run(approver(at), run_id=run_id, expected_fen=WHOLE)
    await posting.post(SYSTEM, run_id)
    assert await Bill.filter(run_id=run_id).count() == 3


async def test_a_run_that_came_back_may_be_given_up_and_its_bills_stay() -> None:
    at, area, _ = await street()
    run_id = await runs.approved(at.compound_id, NOV, chunk=1, by=approver(at))
    await posting.post_part(SYSTEM, run_id)
    await _priced_for_the_rest(at, area)
    await posting.post(SYSTEM, run_id)
    await cancel_billing_run(
        residents.staff(permissions.RUNS_START, compound_id=at.compound_id), run_id=run_id
    )
    assert (await BillingRun.get(pk=run_id)).state == "cancelled"
    assert await Bill.filter(run_id=run_id).count() >= 1


async def _priced_for_the_rest(at: Scene, area: UUID) -> None:
    for house in (at.house_id, at.next_door_id, at.far_house_id):
        if not await Bill.exists(house_id=house):
            await charges.agreed(house, area, "50", NOV)


async def test_who_may_approve_is_told_that_it_came_back() -> None:
    at, area, _ = await street()
    statement = "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1"
    company = await database.fetchval(statement, at.compound_id)
    told = [
        await identity.staff(company, [permission], scope="compound", place_id=at.compound_id)
        for permission in (permissions.RUNS_APPROVE, permissions.RUNS_START)
    ]
    run_id = await runs.approved(at.compound_id, NOV, by=approver(at))
    await _agreed(at, area)
    await posting.post(SYSTEM, run_id)
    await deliver_all(outbox.Relay(wiring.EVENTS, wiring.HANDLERS))
    kinds = [[row["kind"] for row in await database.fetch(TOLD, account)] for account in told]
    assert kinds == [["billing_run.returned"], []]
    (row,) = await residents.audited("billing_run.send_back", at.compound_id)
    assert (row["outcome"], row["subject_id"]) == ("done", run_id)


async def test_an_approval_has_the_run_posted_at_once_unless_the_job_is_paused() -> None:
    at, _, _ = await street()
    actor = approver(at)
    await database.execute("DELETE FROM job_run WHERE job = 'billing.post_runs'")
    run_id = await start_billing_run(actor, compound_id=at.compound_id, month=NOV)
    assert await database.fetch(REQUESTED, actor.account_id) == []
    await database.execute(
        "INSERT INTO job_pause (job, paused_at, paused_by_name, reason) VALUES ('billing.post_runs', now(), '', '')"
    )
    try:
        await approve_billing_run(actor, run_id=run_id, expected_fen=WHOLE)
    finally:
        await database.execute("DELETE FROM job_pause WHERE job = 'billing.post_runs'")
    assert await database.fetch(REQUESTED, actor.account_id) == []
    other = await start_billing_run(actor, compound_id=at.compound_id, month=NOV)
    await approve_billing_run(actor, run_id=other, expected_fen=WHOLE)
    (asked,) = await database.fetch(REQUESTED, actor.account_id)
    assert asked["requested_by_name"] == actor.name[:60]
    third = await start_billing_run(actor, compound_id=at.compound_id, month=NOV)
    await approve_billing_run(actor, run_id=third, expected_fen=WHOLE)
    assert len(await database.fetch(REQUESTED, actor.account_id)) == 1, "once is enough for all"
    await database.execute("DELETE FROM job_run WHERE job = 'billing.post_runs'")
