"""Who is told what happened to accounts, and who is told what broke."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domains.identity.models import Account, StaffMember
from domains.identity.platforms.person import PlatformPerson
from domains.identity.service.joining import Proof, account_of
from domains.kernel import clock, database, jobs
from domains.kernel.jobs import Job, JobFailed, Result
from notifications.events import MessageFault
from tests.factories import identity
from tests.factories.relaying import data_of, deliver, deliver_again, record, told

pytestmark = pytest.mark.usefixtures("instance")

DUE = datetime(2026, 11, 21, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def nothing_told(instance: object) -> None:
    for table in ("delivery", "notification", "notice", "outbox_message"):
        await database.execute(f"DELETE FROM {table}")


async def enter(proof: Proof) -> UUID:
    async with database.transaction():
        return (await account_of(proof)).id


async def test_a_number_that_replaces_another_is_told_and_the_first_is_not() -> None:
    person = PlatformPerson("wechat", "wx1", identity.unique("open"))
    account = await enter(Proof("wechat", person, identity.new_phone()))
    neighbour = await enter(Proof("sms", None, identity.new_phone()))
    await deliver()
    assert await told(account) == []
    for _ in range(2):
        await enter(Proof("wechat", person, identity.new_phone()))
    await deliver()
    await deliver_again()
    assert await told(account) == ["account.phone_changed"] * 2
    assert await told(neighbour) == []
    assert set(await data_of(account, "account.phone_changed")) == {"at"}


async def test_the_account_that_was_kept_learns_that_two_are_one() -> None:
    person, phone = PlatformPerson("wechat", "wx1", identity.unique("open")), identity.new_phone()
    by_phone, by_platform = await enter(Proof("sms", None, phone)), await enter(Proof("wechat", person))
    kept = await enter(Proof("wechat", person, phone))
    await deliver()
    await deliver_again()
    assert await told(kept) == ["account.joined"]
    assert await told(by_phone if kept == by_platform else by_platform) == []


async def operator() -> UUID:
    account = await identity.staff(await identity.places(), [])
    await StaffMember.filter(account_id=account).update(is_operator=True)
    return account


async def test_operators_and_nobody_else_are_alarmed_once_an_hour_for_a_job() -> None:
    mine, other = await operator(), await operator()
    plain = await identity.staff(await identity.places(), ["staff.write"])
    disabled, resident = await operator(), await identity.resident()
    await Account.filter(pk=disabled).update(disabled_at=clock.now())
    for minutes in (0, 5):
        await record(JobFailed("audit.seal", DUE + timedelta(minutes=minutes), 3, "RuntimeError"))
    await record(JobFailed("keys.reseal", DUE, 3, "OSError"))
    await deliver()
    await deliver_again()
    for account in (mine, other):
        assert sorted(await told(account)) == ["job.failed"] * 2
    assert [await told(each) for each in (plain, disabled, resident)] == [[], [], []]
    rows = await database.fetch("SELECT urgency, compound_id FROM notice WHERE kind = 'job.failed'")
    assert {tuple(row.values()) for row in rows} == {("high", None)}


async def test_operators_are_alarmed_once_an_hour_for_a_fault_of_a_channel() -> None:
    account = await operator()
    for kind in ("registration.approved", "registration.rejected"):
        await record(MessageFault("wechat", "47003", kind, "data.thing1.value invalid"))
    await record(MessageFault("sms", "isv.AMOUNT_NOT_ENOUGH", "job.failed", "余额不足"))
    await deliver()
    await deliver_again()
    assert await told(account) == ["delivery.fault"] * 2
    channels = await database.fetch(
        "SELECT data->>'channel' AS channel FROM notice WHERE kind = 'delivery.fault'"
    )
    assert sorted(row["channel"] for row in channels) == ["sms", "wechat"]


async def test_a_job_that_used_up_its_attempts_alarms() -> None:
    account = await operator()

    async def fail(_: datetime) -> Result:
        raise OSError("no such place")

    await jobs.run_due(Job("test.fails", jobs.cron("0 4 * * *"), fail, attempts=1), DUE)
    await deliver()
    assert await told(account) == ["job.failed"]
    data = await data_of(account, "job.failed")
    assert (data["job"], data["attempts"]) == ("test.fails", 1)
    assert "no such place" not in str(data)
