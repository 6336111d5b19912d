"""Runs that begin by themselves: on the day, once, approved or waiting, and who is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from api import wiring
from domains.billing import permissions, run_jobs
from domains.billing.charges.statement import Charging
from domains.billing.models import Bill, BillingRun
from domains.billing.service.posting import post
from domains.billing.service.previewing import Preview, preview
from domains.identity.authority import ScopeKind
from domains.kernel import clock, database, outbox
from domains.kernel.actor import SYSTEM, Actor
from tests.factories import charges, estate, identity
from tests.factories.identity import Places, places
from tests.factories.kernel import deliver_all

pytestmark = pytest.mark.usefixtures("instance")
NOV = date(2026, 11, 1)
COMPANY: ScopeKind = "company"


def noon(day: int, month: int = 11) -> clock.FixedClock:
    return clock.FixedClock(datetime(2026, month, day, 4, tzinfo=UTC))


async def compound(**rules: object) -> Places:
    at = await places()
    await estate.house(at.building_id)
    await charges.item(at.compound_id)
    await charges.rules(at.compound_id, **rules)
    return at


async def started(at: Places) -> list[tuple[date, date, str, bool]]:
    found = await BillingRun.filter(compound_id=at.compound_id).order_by("created_at")
    return [(run.from_month, run.month, run.state, run.is_scheduled) for run in found]


async def test_it_begins_on_its_day_and_not_before_and_once_a_month() -> None:
    at = await compound(billing_day=5, is_automatic=True)
    with clock.use(noon(4)):
        await run_jobs.start_runs(None)
    assert await started(at) == []
    for day in (7, 7, 20):  # the fifth was missed
        with clock.use(noon(day)):
            await asyncio.gather(*(run_jobs.start_runs(None) for _ in range(3)))
    assert await started(at) == [(NOV, NOV, "approved", True)]
    with clock.use(noon(5, 12)):
        await run_jobs.start_runs(None)
    assert [run[1] for run in await started(at)] == [NOV, date(2026, 12, 1)]


async def test_an_automatic_run_is_posted_by_the_job() -> None:
    at = await compound(billing_day=5, is_automatic=True, months_back=2, due_days=10)
    with clock.use(noon(5)):
        await run_jobs.start_runs(None)
        await run_jobs.post_runs(None)
        await run_jobs.post_runs(None)
    assert await started(at) == [(date(2026, 9, 1), NOV, "posted", True)]
    (bill,) = await Bill.filter(compound_id=at.compound_id)
    assert (bill.month, bill.issued_fen, bill.due_on) == (NOV, 3 * 25060, date(2026, 11, 15))


async def test_no_day_is_never() -> None:
    at = await compound(billing_day=None)
    with clock.use(noon(28)):
        await run_jobs.start_runs(None)
    assert await started(at) == []


async def test_a_run_that_waits_is_told_of_to_those_who_may_approve() -> None:
    at = await compound(billing_day=5)
    approver = await identity.staff(at, [permissions.RUNS_APPROVE], scope=COMPANY)
    other = await identity.staff(at, [permissions.RUNS_START], scope=COMPANY)
    with clock.use(noon(5)):
        await run_jobs.start_runs(None)
        await run_jobs.post_runs(None)
    assert [run[2] for run in await started(at)] == ["draft"]
    await deliver_all(outbox.Relay(wiring.EVENTS, wiring.HANDLERS))
    assert await told(approver) == ["billing_run.waiting"]
    assert await told(other) == []


async def told(account_id: UUID) -> list[str]:
    statement = (
        """SELECT n.kind FROM notification i JOIN notice n ON n.id = i.notice_id WHERE i.account_id = $1"""
    )
    return [row["kind"] for row in await database.fetch(statement, account_id)]


async def test_one_compound_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, fine = (
        await compound(billing_day=1, is_automatic=True),
        await compound(billing_day=1, is_automatic=True),
    )
    approver = await identity.staff(broken, [permissions.RUNS_APPROVE], scope=COMPANY)

    async def failing(charging: Charging) -> Preview:
        if charging.compound_id == broken.compound_id:
            raise RuntimeError("a disk is full")
        return await preview(charging)

    monkeypatch.setattr("domains.billing.run_jobs.preview", failing)
    with clock.use(noon(1)):
        await run_jobs.start_runs(None)
    assert await started(broken) == []
    assert [run[2] for run in await started(fine)] == ["approved"]
    await deliver_all(outbox.Relay(wiring.EVENTS, wiring.HANDLERS))
    assert await told(approver) == ["billing_run.not_started"]


async def test_a_run_that_fails_is_said_by_the_job_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken, fine = (
        await compound(billing_day=1, is_automatic=True),
        await compound(billing_day=1, is_automatic=True),
    )
    with clock.use(noon(1)):
        await run_jobs.start_runs(None)
    (failing_id,) = await BillingRun.filter(compound_id=broken.compound_id).values_list("id", flat=True)

    async def failing(actor: Actor, run_id: UUID) -> None:
        if run_id == failing_id:
            raise RuntimeError("a disk is full")
        await post(SYSTEM, run_id)

    monkeypatch.setattr("domains.billing.run_jobs.post", failing)
    with clock.use(noon(1)), pytest.raises(RuntimeError, match="runs failed"):
        await run_jobs.post_runs(None)
    assert [run[2] for run in await started(fine)] == ["posted"]
