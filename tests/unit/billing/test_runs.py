"""Runs from the preview to the end: what is looked at is what is approved, by whom, and what follows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.models import AdvanceDiscount, Bill, BillingRun, BillLine
from domains.billing.queries import runs as queries
from domains.billing.service import at_once, posting
from domains.billing.service.runs import (
    approve_billing_run,
    cancel_billing_run,
    preview_billing_run,
    start_billing_run,
)
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Throttled
from domains.residents.models import Occupancy
from tests.factories import charges, residents, runs
from tests.factories.ledger import check_books
from tests.factories.residents import Scene, resident, scene

pytestmark = pytest.mark.usefixtures("instance")
NOV, DEC = date(2026, 11, 1), date(2026, 12, 1)
NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
ALL = (permissions.RUNS_START, permissions.RUNS_APPROVE, permissions.BILLS_READ)


def clerk(at: Scene, *granted: str) -> Actor:
    return residents.staff(*(granted or ALL), compound_id=at.compound_id)


async def priced(**columns: Any) -> tuple[Scene, UUID]:  # Any: column values
    at = await scene()
    return at, await charges.item(at.compound_id, **columns)


async def test_a_preview_writes_nothing_at_all() -> None:
    at, item = await priced(name="物业费")
    await charges.item(at.compound_id, None, name="没有标准")
    before = await runs.count_all()
    found = await preview_billing_run(clerk(at), compound_id=at.compound_id, month=NOV)
    assert await runs.count_all() == before
    assert (found.houses, found.lines, found.total_fen) == (3, 3, 3 * 25060)
    (total,) = found.items
    assert (total.fee_item_id, total.name, total.lines, total.fen) == (item, "物业费", 3, 75180)
    assert [(each.code, each.count) for each in found.problems] == [("NO_PRICE", 3)]
    assert {each.house_id for each in found.samples} == {at.house_id, at.next_door_id, at.far_house_id}
    assert {(each.fee_item_name, each.period_from, each.code) for each in found.samples} == {
        ("没有标准", NOV, "NO_PRICE")
    }


async def test_a_preview_is_what_is_posted_and_says_what_is_new() -> None:
    at, item = await priced()
    await runs.posted(at.compound_id, NOV)
    await charges.set_price(item, "300", DEC)
    found = await preview_billing_run(clerk(at), compound_id=at.compound_id, month=DEC)
    (total,) = found.items
    assert (total.previous_lines, total.previous_fen) == (3, 75180)
    assert total.difference_fen == 3 * 26850 - 75180
    run_id = await runs.posted(at.compound_id, DEC)
    run = await BillingRun.get(pk=run_id)
    assert (run.posted_fen, run.lines) == (found.total_fen, found.lines)


async def test_samples_are_bounded() -> None:
    at, _ = await priced()
    for number in range(45):
        await charges.item(at.compound_id, None, name=f"没有标准 {number}")
    found = await preview_billing_run(clerk(at), compound_id=at.compound_id, month=NOV)
    assert (found.problems[0].count, len(found.samples)) == (135, 100)


async def test_a_run_is_started_approved_and_posted_with_its_traces() -> None:
    at, _ = await priced()
    with clock.use(clock.FixedClock(NOW)):
        starter, approver = clerk(at, permissions.RUNS_START), clerk(at, permissions.RUNS_APPROVE)
        run_id = await start_billing_run(starter, compound_id=at.compound_id, month=NOV)
        draft = (await queries.by_id(starter, [run_id]))[run_id]
        assert (draft.state, draft.expected_fen, draft.progress) == ("draft", 75180, 0.0)
        assert await Bill.filter(compound_id=at.compound_id).count() == 0
        assert not await posting.post_part(SYSTEM, run_id), "a draft is not posted"
        await approve_billing_run(approver, run_id=run_id, expected_fen=75180)
        await posting.post(SYSTEM, run_id)
    done = (await queries.by_id(approver, [run_id]))[run_id]
    assert (done.state, done.progress, done.bill_count, done.posted_fen) == ("posted", 1.0, 3, 75180)
    assert {bill.issued_on for bill in await Bill.filter(run_id=run_id)} == {date(2026, 11, 20)}
    for action in ("billing_run.start", "billing_run.approve"):
        assert [row["outcome"] for row in await residents.audited(action, at.compound_id)] == ["done"]
    assert len(await residents.events("BillsIssued", run_id)) == 1
    assert len(await residents.events("BillingRunPosted", run_id)) == 1


async def test_the_same_key_starts_one_run() -> None:
    at, _ = await priced()
    key, starter = uuid4(), clerk(at)
    ids = {
        await start_billing_run(starter, compound_id=at.compound_id, month=NOV, idempotency_key=key)
        for _ in range(2)
    }
    assert len(ids) == 1
    assert await BillingRun.filter(compound_id=at.compound_id).count() == 1


async def test_what_changed_since_the_preview_is_not_approved() -> None:
    at, item = await priced()
    run_id = await start_billing_run(clerk(at), compound_id=at.compound_id, month=NOV)
    with pytest.raises(Conflict, match="PREVIEW_CHANGED"):
        await approve_billing_run(clerk(at), run_id=run_id, expected_fen=75181)
    await charges.agreed(at.house_id, item, "50", NOV)
    with pytest.raises(Conflict, match="PREVIEW_CHANGED"):
        await approve_billing_run(clerk(at), run_id=run_id, expected_fen=75180)
    assert (await BillingRun.get(pk=run_id)).state == "draft"


async def test_the_same_total_of_other_items_is_a_change_as_well() -> None:
    at, item = await priced(method="fixed")
    other = await charges.item(at.compound_id, None, method="fixed")
    run_id = await start_billing_run(clerk(at), compound_id=at.compound_id, month=NOV)
    await charges.set_price(item, "0", date(2026, 2, 1))
    await charges.set_price(other, "280", date(2026, 2, 1))
    with pytest.raises(Conflict, match="PREVIEW_CHANGED"):
        await approve_billing_run(clerk(at), run_id=run_id, expected_fen=840)


async def test_a_run_is_approved_once_and_not_after_it_was_cancelled() -> None:
    at, _ = await priced()
    run_id = await start_billing_run(clerk(at), compound_id=at.compound_id, month=NOV)
    await approve_billing_run(clerk(at), run_id=run_id, expected_fen=75180)
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        await approve_billing_run(clerk(at), run_id=run_id, expected_fen=75180)
    await cancel_billing_run(clerk(at), run_id=run_id)
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        await cancel_billing_run(clerk(at), run_id=run_id)
    await posting.post(SYSTEM, run_id)
    assert await Bill.filter(compound_id=at.compound_id).count() == 0


async def test_who_may_start_one_may_give_up_a_draft_and_nothing_more() -> None:
    at, _ = await priced()
    starter = clerk(at, permissions.RUNS_START)
    run_id = await start_billing_run(starter, compound_id=at.compound_id, month=NOV)
    other_id = await start_billing_run(starter, compound_id=at.compound_id, month=NOV)
    await cancel_billing_run(starter, run_id=run_id)
    await approve_billing_run(clerk(at), run_id=other_id, expected_fen=75180)
    with pytest.raises(Forbidden):
        await cancel_billing_run(starter, run_id=other_id)
    assert (await BillingRun.get(pk=other_id)).state == "approved"


@pytest.mark.parametrize(
    ("input", "field"),
    [
        ({"month": date(2026, 11, 2)}, "month"), ({"month": date(2028, 1, 1)}, "month"),
        ({"month": NOV, "from_month": DEC}, "from_month"), ({"month": NOV, "from_month": date(2024, 11, 1)}, "from_month"),
        ({"month": NOV, "from_month": date(2026, 10, 2)}, "month"),
        ({"month": NOV, "issued_on": date(2027, 3, 1)}, "issued_on"),
    ],
)  # fmt: skip
async def test_months_and_days_that_cannot_be(input: dict[str, date], field: str) -> None:
    at, _ = await priced()
    with clock.use(clock.FixedClock(NOW)), pytest.raises(Invalid) as refused:
        await start_billing_run(clerk(at), compound_id=at.compound_id, **input)  # type: ignore[arg-type]  # dates by name
    assert (refused.value.code, refused.value.field) == ("RUN_INVALID", field)
    assert await BillingRun.filter(compound_id=at.compound_id).count() == 0


async def test_fee_items_of_another_compound_are_not_found() -> None:
    at, _ = await priced()
    _, other = await priced()
    with pytest.raises(NotFound, match="FEE_ITEM_NOT_FOUND"):
        await preview_billing_run(clerk(at), compound_id=at.compound_id, month=NOV, fee_item_ids=[other])
    with pytest.raises(NotFound, match="RUN_NOT_FOUND"):
        await approve_billing_run(clerk(at), run_id=uuid4(), expected_fen=0)


async def callers(at: Scene) -> dict[str, Actor]:
    """Everybody who might try."""
    without = [each for each in permissions.LABELS if each not in ALL]
    kinds = ("owner", "family", "tenant", "neighbour", "stranger", "nobody")
    return {kind: await residents.caller(at, kind) for kind in kinds} | {
        "staff": clerk(at),
        "staff without": clerk(at, *without),
        "staff elsewhere": residents.staff(*ALL, compound_id=at.other_compound_id),
        "staff of a building": residents.staff(*ALL, compound_id=at.compound_id, building_id=at.building_id),
        "confined staff": replace(clerk(at), confined=True),
    }


Try = Callable[[Actor, Scene, UUID], Awaitable[object]]
OPERATIONS: dict[str, Try] = {
    "preview": lambda actor, at, _: preview_billing_run(actor, compound_id=at.compound_id, month=NOV),
    "start": lambda actor, at, _: start_billing_run(actor, compound_id=at.compound_id, month=NOV),
    "approve": lambda actor, _, run: approve_billing_run(actor, run_id=run, expected_fen=75180),
    "cancel": lambda actor, _, run: cancel_billing_run(actor, run_id=run),
}


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_only_staff_of_the_whole_compound_may(operation: str) -> None:
    at, _ = await priced()
    run_id = await start_billing_run(clerk(at), compound_id=at.compound_id, month=NOV)
    tables = ("billing_run", "bill", "outbox_message", "idempotency_record")
    allowed = []
    for kind, actor in (await callers(at)).items():
        before, state = await runs.count_all(), (await BillingRun.get(pk=run_id)).state
        audited = await database.fetchval("SELECT count(*) FROM audit_entry WHERE outcome = 'done'")
        try:
            await OPERATIONS[operation](actor, at, run_id)
            allowed.append(kind)
            await BillingRun.filter(pk=run_id).update(state="draft", approved_at=None, ended_at=None)
        except DomainError as refusal:
            assert refusal.code in ("FORBIDDEN", "UNAUTHENTICATED", "PASSWORD_CHANGE_REQUIRED"), kind
            after = await runs.count_all()
            assert {name: after[name] for name in tables} == {name: before[name] for name in tables}, kind
            assert (await BillingRun.get(pk=run_id)).state == state
            assert (
                await database.fetchval("SELECT count(*) FROM audit_entry WHERE outcome = 'done'") == audited
            )
    # The one whose password was set by somebody else is stopped by every command; a preview is a read.
    assert [kind for kind in allowed if kind != "confined staff"] == ["staff"]


async def test_runs_are_read_by_whom_they_concern() -> None:
    at, _ = await priced()
    run_id = await runs.posted(at.compound_id, NOV)
    for kind, actor in (await callers(at)).items():
        found = await queries.by_id(actor, [run_id])
        assert bool(found) == (kind in ("staff", "confined staff")), kind
        if kind == "staff":
            page = await queries.billing_runs(actor, at.compound_id, after=None, limit=10)
            assert [each.id for each in page] == [run_id]
            assert len((await queries.bills_of(actor, [run_id], after=None, limit=10))[run_id]) == 3
        elif kind != "confined staff":
            with pytest.raises(DomainError):
                await queries.billing_runs(actor, at.compound_id, after=None, limit=10)


async def test_lists_cost_as_many_statements_whatever_is_in_them() -> None:
    at, _ = await priced()
    counts = []
    for _ in range(2):
        for _ in range(3):
            await runs.posted(at.compound_id, NOV)
        async with database.counted() as statements:
            await queries.billing_runs(clerk(at), at.compound_id, after=None, limit=20)
        counts.append(statements.count)
    assert counts == [1, 1]


async def test_months_paid_ahead_at_the_largest_discount_that_fits() -> None:
    at, item = await priced(starts_on=date(2026, 1, 1))
    for months, percent in ((3, "1"), (6, "3"), (12, "8")):
        await AdvanceDiscount.create(fee_item_id=item, months=months, percent=Decimal(percent))
    with clock.use(clock.FixedClock(NOW)):
        await runs.posted(at.compound_id, NOV)
        owner = await resident(at.owner.account_id)
        key = uuid4()
        ids = {
            await at_once.pay_ahead(
                owner, house_id=at.house_id, fee_item_id=item, months=7, idempotency_key=key
            )
            for _ in range(2)
        }
        (run_id,) = ids
        lines = await BillLine.filter(bill__run_id=run_id).order_by("period_from")
        assert [line.period_from for line in lines] == [
            date(2026 + (month > 12), (month - 1) % 12 + 1, 1) for month in range(12, 19)
        ]
        # 250.60 × 97 % = 243.082
        assert {line.amount_fen for line in lines} == {24308}
        (bill,) = await queries.bills_made(owner, run_id)
        assert (bill.month, bill.payer, bill.issued_fen) == (NOV, "owner", 7 * 24308)
        await runs.posted(at.compound_id, DEC)
        assert await BillLine.filter(house_id=at.house_id, period_from=DEC).count() == 1
    await check_books()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("owner", None), ("family", None), ("tenant", "PAY_AHEAD_NOT_YOURS"), ("neighbour", "HOUSE_NOT_FOUND"),
        ("stranger", "HOUSE_NOT_FOUND"), ("staff", "FORBIDDEN"), ("nobody", "UNAUTHENTICATED"),
    ],
)  # fmt: skip
async def test_who_pays_may_pay_ahead(kind: str, code: str | None) -> None:
    at, item = await priced()
    actor = await residents.caller(at, kind, *ALL)
    before = await runs.count_all()
    if code is None:
        await at_once.pay_ahead(actor, house_id=at.house_id, fee_item_id=item, months=2)
        return
    with pytest.raises(DomainError, match=code):
        await at_once.pay_ahead(actor, house_id=at.house_id, fee_item_id=item, months=2)
    after = await runs.count_all()
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"audit_entry"}


async def test_paying_ahead_is_bounded_for_each_account(monkeypatch: pytest.MonkeyPatch) -> None:
    at, item = await priced()
    monkeypatch.setattr(at_once, "PAY_AHEAD", replace(at_once.PAY_AHEAD, name=str(uuid4()), burst=2))
    owner, family = await residents.caller(at, "owner"), await residents.caller(at, "family")
    for _ in range(2):
        await at_once.pay_ahead(owner, house_id=at.house_id, fee_item_id=item, months=1)
    with pytest.raises(Throttled, match="PAY_AHEAD_TOO_OFTEN") as refused:
        await at_once.pay_ahead(owner, house_id=at.house_id, fee_item_id=item, months=1)
    assert refused.value.retry_after_s > 0
    assert await BillLine.filter(house_id=at.house_id, fee_item_id=item).count() == 2
    await at_once.pay_ahead(family, house_id=at.house_id, fee_item_id=item, months=1)


async def test_a_tenant_who_pays_may_pay_ahead_and_the_owner_not() -> None:
    at, item = await priced(payer="tenant")
    await Occupancy.filter(pk=at.tenant.occupancy_id).update(since_on=date(2026, 1, 1))
    tenant, owner = await resident(at.tenant.account_id), await resident(at.owner.account_id)
    with pytest.raises(Conflict, match="PAY_AHEAD_NOT_YOURS"):
        await at_once.pay_ahead(owner, house_id=at.house_id, fee_item_id=item, months=1)
    run_id = await at_once.pay_ahead(tenant, house_id=at.house_id, fee_item_id=item, months=1)
    assert {bill.payer for bill in await Bill.filter(run_id=run_id)} == {"tenant"}


@pytest.mark.parametrize(
    ("columns", "months", "code"),
    [
        ({"cycle_months": 3}, 4, "PAY_AHEAD_MONTHS"), ({}, 0, "PAY_AHEAD_MONTHS"), ({}, 37, "PAY_AHEAD_MONTHS"),
        ({"starts_on": date(2029, 6, 1)}, 12, "PAY_AHEAD_UNAVAILABLE"),
        ({"method": "metered", "meter_kind": "water", "timing": "arrears"}, 1, "PAY_AHEAD_UNAVAILABLE"),
        ({"ends_on": date(2027, 1, 1)}, 3, "PAY_AHEAD_UNAVAILABLE"), ({"price": None}, 1, "NOT_BILLABLE"),
        ({"anchor": "hand_over", "anchor_on": None}, 1, "PAY_AHEAD_UNAVAILABLE"),
    ],
)  # fmt: skip
async def test_what_cannot_be_paid_ahead(columns: dict[str, object], months: int, code: str) -> None:
    at, item = await priced(**columns)
    owner = await resident(at.owner.account_id)
    with clock.use(clock.FixedClock(NOW)), pytest.raises(DomainError, match=code):
        await at_once.pay_ahead(owner, house_id=at.house_id, fee_item_id=item, months=months)
    assert await BillingRun.filter(compound_id=at.compound_id).count() == 0


async def test_a_one_off_charge_is_billed_at_once_and_once() -> None:
    at, item = await priced(price=None, method="one_off", cycle_months=None)
    charge = await charges.one_off(at.house_id, item, date(2026, 11, 18), 50_000)
    with clock.use(clock.FixedClock(NOW)):
        with pytest.raises(Forbidden):
            await at_once.bill_one_off(clerk(at, permissions.RUNS_START), charge_id=charge)
        near = residents.staff(
            permissions.RUNS_APPROVE, compound_id=at.compound_id, building_id=at.building_id
        )
        far = residents.staff(
            permissions.RUNS_APPROVE, compound_id=at.compound_id, building_id=at.other_building_id
        )
        with pytest.raises(Forbidden):
            await at_once.bill_one_off(far, charge_id=charge)
        assert await Bill.filter(compound_id=at.compound_id).count() == 0
        await at_once.bill_one_off(near, charge_id=charge)
        with pytest.raises(Conflict, match="ONE_OFF_OVER"):
            await at_once.bill_one_off(near, charge_id=charge)
        await runs.posted(at.compound_id, NOV)
    assert [bill.issued_fen for bill in await Bill.filter(compound_id=at.compound_id)] == [50_000]
    with pytest.raises(NotFound):
        await at_once.bill_one_off(near, charge_id=uuid4())
    await check_books()
