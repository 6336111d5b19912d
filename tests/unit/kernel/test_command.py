"""What every command has in common: authority, one transaction, the audit row, idempotency."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from domains.estate.models import Company
from domains.kernel import database, outbox
from domains.kernel.actor import ANONYMOUS, SYSTEM, Actor, Grant
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, DomainError, Forbidden, Invalid, Unauthenticated
from domains.kernel.ids import uuid7
from tests.factories.kernel import NotePosted, audit_rows, resident, staff

pytestmark = pytest.mark.usefixtures("instance")

COMPOUND, OTHER = uuid4(), uuid4()
MANAGE = "company.manage"


@dataclass(frozen=True, slots=True)
class Receipt:
    """An answer with values that JSON does not know."""

    id: UUID
    at: datetime
    on: date
    area: Decimal
    names: tuple[str, ...]
    note: str | None = None


@command("company.open", caller="account")
async def open_company(actor: Actor, *, name: str, idempotency_key: UUID | None = None) -> Receipt:
    company = await Company.create(name=name)
    concerns("Company", company.id, None, by=actor.kind)
    now = datetime.now(UTC)
    return Receipt(company.id, now, now.date(), Decimal("89.50"), (name,))


@command("company.rename", caller="account")
async def rename_company(actor: Actor, *, name: str, idempotency_key: UUID | None = None) -> UUID:
    concerns("Company", actor.id, None)
    return (await Company.create(name=name)).id


@command("company.manage", caller="staff", permission=MANAGE)
async def manage_company(actor: Actor, *, name: str, compound_id: UUID) -> None:
    company = await Company.create(name=name)
    concerns("Company", company.id, compound_id, length=len(name))
    actor.require(MANAGE, compound_id)


@command("company.break", caller="account")
async def break_company(actor: Actor, *, name: str, idempotency_key: UUID | None = None) -> None:
    company = await Company.create(name=name)
    concerns("Company", company.id, None)
    await outbox.record(NotePosted(name))
    raise Invalid("BROKEN", "不行")


@command("company.forget", caller="account")
async def forget_to_say(actor: Actor, *, name: str) -> None:
    await Company.create(name=name)


@command("company.merge", caller="account")
async def merge_companies(actor: Actor, *, name: str, broken: str = "") -> bool:
    """Calls other commands, and goes on when one of them refuses."""
    concerns("Merger", None, COMPOUND, name=name)
    await open_company(actor, name=f"{name}-inner")
    if broken:
        try:
            await break_company(actor, name=broken)
        except Invalid:
            return False
    return True


@command("company.confined", caller="staff", while_confined=True, audited=False)
async def change_own(actor: Actor) -> bool:
    return actor.confined


@command("company.anyone", caller="anyone", audited=False)
async def ask_anyone(actor: Actor) -> str:
    return actor.kind


def unique(name: str) -> str:
    return f"{name}-{uuid4().hex[:8]}"


async def test_who_may_not_call_is_refused_before_anything_happens() -> None:
    grant = Grant(MANAGE, COMPOUND)
    for actor, error in (
        (ANONYMOUS, Unauthenticated),
        (resident(), Forbidden),
        (staff(), Forbidden),
        (staff(Grant("company.read", COMPOUND)), Forbidden),
        (staff(Grant(MANAGE, OTHER)), Forbidden),
        (staff(grant, confined=True), Forbidden),
    ):
        name = unique("拒绝")
        with pytest.raises(error):
            await manage_company(actor, name=name, compound_id=COMPOUND)
        assert not await Company.exists(name=name)
    name = unique("允许")
    await manage_company(staff(grant), name=name, compound_id=COMPOUND)
    assert await Company.exists(name=name)


async def test_a_confined_session_may_do_what_is_opened_to_it_and_anyone_needs_nothing() -> None:
    assert await change_own(staff(confined=True)) is True
    assert await ask_anyone(ANONYMOUS) == "anonymous"
    with pytest.raises(Forbidden, match="PASSWORD_CHANGE_REQUIRED"):
        await manage_company(staff(confined=True), name="x", compound_id=COMPOUND)


async def test_staff_refused_at_the_door_are_in_the_audit() -> None:
    caller = staff()
    with pytest.raises(Forbidden):
        await manage_company(caller, name="x", compound_id=COMPOUND)
    row = next(each for each in await audit_rows("company.manage") if each["actor_id"] == caller.id)
    assert (row["outcome"], row["subject_type"], row["subject_id"]) == ("refused", "command", None)
    assert '"FORBIDDEN"' in row["details"]


async def test_staff_refused_inside_are_in_the_audit_with_what_it_concerned_and_leave_nothing_else() -> None:
    caller, name = staff(Grant(MANAGE, OTHER)), unique("里面")
    with pytest.raises(Forbidden):
        await manage_company(caller, name=name, compound_id=COMPOUND)
    (row,) = [each for each in await audit_rows("company.manage") if each["actor_id"] == caller.id]
    assert (row["outcome"], row["subject_type"], row["compound_id"]) == ("refused", "Company", COMPOUND)
    assert (row["ip"], row["request_id"], row["user_agent"]) == ("203.0.113.9", "req-1", "test")
    assert not await Company.exists(name=name)


async def test_a_resident_who_is_refused_leaves_no_audit_row() -> None:
    caller = resident()
    with pytest.raises(Forbidden):
        await manage_company(caller, name="x", compound_id=COMPOUND)
    assert not [each for each in await audit_rows("company.manage") if each["actor_id"] == caller.id]


async def test_the_audit_row_is_in_the_transaction_of_the_write() -> None:
    receipt = await open_company(resident(), name=unique("同一事务"))
    same = await database.fetchval(
        "SELECT c.xmin::text = (a.transaction_id::text::bigint % 4294967296)::text "
        "FROM company c JOIN audit_entry a ON a.subject_id = c.id WHERE c.id = $1",
        receipt.id,
    )
    assert same is True


async def test_what_fails_leaves_nothing() -> None:
    name, caller = unique("失败"), resident()
    with pytest.raises(Invalid):
        await break_company(caller, name=name, idempotency_key=uuid7())
    assert not await Company.exists(name=name)
    assert not await audit_rows("company.break")
    assert (
        await database.fetchval("SELECT count(*) FROM outbox_message WHERE subject = $1", f"note_id:{name}")
        == 0
    )
    assert (
        await database.fetchval("SELECT count(*) FROM idempotency_record WHERE actor_id = $1", caller.id) == 0
    )


async def test_a_command_that_does_not_say_what_it_concerns_is_a_fault() -> None:
    name = unique("忘记")
    with pytest.raises(RuntimeError, match="does not say"):
        await forget_to_say(resident(), name=name)
    assert not await Company.exists(name=name)
    with pytest.raises(RuntimeError, match="only a command"):
        concerns("Company", None, None)


async def test_the_same_key_and_body_give_the_same_answer_and_one_effect() -> None:
    caller, name, key = resident(), unique("重复"), uuid7()
    first = await open_company(caller, name=name, idempotency_key=key)
    again = await open_company(caller, name=name, idempotency_key=key)
    assert again == first
    assert (type(again), type(again.area)) == (Receipt, Decimal)
    assert len([row for row in await audit_rows("company.open") if row["actor_id"] == caller.id]) == 1


async def test_the_same_key_with_another_body_is_a_conflict() -> None:
    caller, key, other = resident(), uuid7(), unique("另一个")
    await open_company(caller, name=unique("一个"), idempotency_key=key)
    with pytest.raises(Conflict, match="IDEMPOTENCY_CONFLICT"):
        await open_company(caller, name=other, idempotency_key=key)
    assert not await Company.exists(name=other)


async def test_fifty_calls_at_once_have_one_effect_and_one_answer() -> None:
    caller, name, key = resident(), unique("五十"), uuid7()
    answers = await asyncio.gather(*(open_company(caller, name=name, idempotency_key=key) for _ in range(50)))
    assert len(set(answers)) == 1
    assert await Company.filter(name=name).count() == 1
    assert len([row for row in await audit_rows("company.open") if row["actor_id"] == caller.id]) == 1


async def test_a_key_belongs_to_a_caller_and_an_operation() -> None:
    one, two, key = resident(), resident(), uuid7()
    first = await open_company(one, name=unique("甲"), idempotency_key=key)
    second = await open_company(two, name=unique("乙"), idempotency_key=key)
    third = await rename_company(one, name=unique("丙"), idempotency_key=key)
    assert len({first.id, second.id, third}) == 3
    made = await open_company(SYSTEM, name=unique("系统"), idempotency_key=key)
    assert made.id not in {first.id, second.id}


async def test_a_command_that_fails_does_not_burn_its_key() -> None:
    caller, name, key = resident(), unique("再试"), uuid7()
    taken = await Company.create(name=name)
    with pytest.raises(Exception, match="duplicate key"):
        await open_company(caller, name=name, idempotency_key=key)
    await taken.delete()
    assert (await open_company(caller, name=name, idempotency_key=key)).names == (name,)


async def test_a_command_inside_a_command_has_a_row_of_its_own_and_does_not_lose_the_outer_one() -> None:
    caller, name = resident(), unique("合并")
    assert await merge_companies(caller, name=name) is True
    (outer,) = [row for row in await audit_rows("company.merge") if row["actor_id"] == caller.id]
    assert (outer["subject_type"], outer["compound_id"]) == ("Merger", COMPOUND)
    (inner,) = [row for row in await audit_rows("company.open") if row["actor_id"] == caller.id]
    assert inner["transaction_id"] == outer["transaction_id"]


async def test_a_refused_inner_command_leaves_nothing_when_the_outer_one_goes_on() -> None:
    caller, name, broken = resident(), unique("外层"), unique("内层")
    assert await merge_companies(caller, name=name, broken=broken) is False
    assert await Company.exists(name=f"{name}-inner")
    assert not await Company.exists(name=broken)
    assert (
        await database.fetchval("SELECT count(*) FROM outbox_message WHERE subject = $1", f"note_id:{broken}")
        == 0
    )


async def test_commands_beside_each_other_in_one_request_have_transactions_of_their_own() -> None:
    caller, good, bad = resident(), unique("左"), unique("右")
    results = await asyncio.gather(
        open_company(caller, name=good), break_company(caller, name=bad), return_exceptions=True
    )
    assert isinstance(results[0], Receipt)
    assert isinstance(results[1], DomainError)
    assert await Company.exists(name=good)
    assert not await Company.exists(name=bad)
