"""Houses that stand empty (空置): asked for by an owner and decided by staff, or recorded by staff."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import asyncpg

from domains.billing import permissions
from domains.billing.events import VacancyDecided, VacancyRequested
from domains.billing.models import Vacancy
from domains.billing.rules import VACANCY
from domains.billing.service.houses import house_to_change
from domains.billing.spans import check_span
from domains.billing.turns import take_turn
from domains.kernel import clock, database, outbox, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.ids import uuid7

LONGEST = timedelta(days=1096)
MOST_WAITING = 5

# Requests for a house take turns, so that two of the same days are not both kept.
HOUSE_TURN = "SELECT 1 FROM house WHERE id = $1 FOR NO KEY UPDATE"

OTHERS = """
SELECT count(*) FILTER (WHERE state = 'requested') AS waiting, bool_or(from_on < $3 AND until_on > $2) AS overlaps
FROM vacancy WHERE house_id = $1 AND state <> 'rejected'
"""

TO_CHANGE = """
SELECT v.id, v.compound_id, v.house_id, h.building_id, v.state, v.from_on, v.until_on FROM vacancy v
JOIN house h ON h.id = v.house_id WHERE v.id = $1
"""


@command("vacancy.request", caller="resident")
async def request_vacancy(
    actor: Actor, *, house_id: UUID, from_on: date, until_on: date, note: str = ""
) -> UUID:
    """Say of one's own house that it stands empty until the day before `until_on`; staff decide.

    Raises VACANCY_OVERLAPS, VACANCIES_TOO_MANY, SPAN_INVALID or a TEXT_ code; who does not own it is refused.
    """
    tie = next((each for each in actor.houses if each.house_id == house_id), None)
    if tie is None or tie.capacity != "owner":
        actor.refuse()
    id = await _create(
        actor, tie.compound_id, house_id, from_on=from_on, until_on=until_on, note=note, state="requested"
    )
    concerns("Vacancy", id, tie.compound_id, house=house_id)
    await outbox.record(VacancyRequested(id, tie.compound_id, house_id))
    return id


@command("vacancy.record", caller="staff", permission=permissions.FEES_WRITE)
async def record_vacancy(
    actor: Actor, *, house_id: UUID, from_on: date, until_on: date, note: str = ""
) -> UUID:
    """Record that a house stands empty until the day before `until_on`; it counts at once.

    Raises HOUSE_NOT_FOUND, VACANCY_OVERLAPS, SPAN_INVALID or a TEXT_ code.
    """
    house = await house_to_change(actor, house_id, "Vacancy")
    id = await _create(
        actor, house["compound_id"], house_id, from_on=from_on, until_on=until_on, note=note, state="approved"
    )
    concerns("Vacancy", id, house["compound_id"], house=house_id)
    return id


async def _create(
    actor: Actor, compound_id: UUID, house_id: UUID, *, from_on: date, until_on: date, note: str, state: str
) -> UUID:
    check_span(from_on, until_on)
    if until_on - from_on > LONGEST:
        raise Invalid("SPAN_INVALID", "一次最多登记三年,请缩短", "until_on")
    note = text.clean(note, max_length=200, min_length=0, multiline=True, field="note")
    await database.execute(HOUSE_TURN, house_id)
    await _check_others(house_id, from_on, until_on, state)
    now, staff = clock.now(), state == "approved"
    made = await Vacancy.create(
        id=uuid7(), compound_id=compound_id, house_id=house_id, from_on=from_on, until_on=until_on, state=state,
        note=note, requested_by=actor.account_id, requested_at=now, decided_by=actor.account_id if staff else None,
        decided_at=now if staff else None,
    )  # fmt: skip
    return made.id


async def _check_others(house_id: UUID, from_on: date, until_on: date, state: str) -> None:
    others = await database.fetchrow(OTHERS, house_id, from_on, until_on)
    assert others is not None
    if others["overlaps"]:
        raise Conflict("VACANCY_OVERLAPS", "这段时间已经有空置登记,请修改日期", "from_on")
    if state == "requested" and others["waiting"] >= MOST_WAITING:
        raise Conflict("VACANCIES_TOO_MANY", "待审核的空置申请太多,请等待物业处理")


@command("vacancy.decide", caller="staff", permission=permissions.FEES_WRITE)
async def decide_vacancy(actor: Actor, *, vacancy_id: UUID, approve: bool, reason: str = "") -> UUID:
    """Confirm what an owner said, or not, with a reason that the owner reads; of two who decide one wins.

    Raises VACANCY_NOT_FOUND, STATE_CONFLICT, REASON_REQUIRED or a TEXT_ code.
    """
    row = await _to_change(actor, vacancy_id)
    concerns("Vacancy", vacancy_id, row["compound_id"], approve=approve)
    reason = text.clean(reason, max_length=200, min_length=0, multiline=True, field="reason")
    if not approve and not reason:
        raise Invalid("REASON_REQUIRED", "请填写驳回原因,业主会看到", "reason")
    decided = {"decided_at": clock.now(), "decided_by": actor.account_id, "reason": reason}
    await VACANCY.move(Vacancy, vacancy_id, "requested", "approved" if approve else "rejected", **decided)
    await outbox.record(VacancyDecided(vacancy_id, row["compound_id"], row["house_id"], approve))
    return vacancy_id


@command("vacancy.end", caller="staff", permission=permissions.FEES_WRITE)
async def end_vacancy(actor: Actor, *, vacancy_id: UUID, until_on: date) -> UUID:
    """Let a vacancy end earlier: the house is lived in again; what is billed stays as it is.

    Raises VACANCY_NOT_FOUND, STATE_CONFLICT where it is not approved, SPAN_INVALID.
    """
    row = await _to_change(actor, vacancy_id)
    concerns("Vacancy", vacancy_id, row["compound_id"], until_on=until_on)
    if row["state"] != "approved":
        raise Conflict("STATE_CONFLICT", "状态已经改变,请刷新后再试")
    if not row["from_on"] < until_on <= row["until_on"]:
        raise Invalid("SPAN_INVALID", "结束日期须晚于开始日期,并且不晚于原来的结束日期", "until_on")
    await Vacancy.filter(pk=vacancy_id).update(until_on=until_on)
    return vacancy_id


async def _to_change(actor: Actor, vacancy_id: UUID) -> asyncpg.Record:
    row = await database.fetchrow(TO_CHANGE, vacancy_id)
    if row is None:
        raise NotFound("VACANCY_NOT_FOUND", "没有找到这条空置登记,请刷新后重试", "vacancy")
    concerns("Vacancy", vacancy_id, row["compound_id"])
    actor.require(permissions.FEES_WRITE, row["compound_id"], row["building_id"])
    await take_turn(row["compound_id"])
    fresh = await database.fetchrow(TO_CHANGE, vacancy_id)
    assert fresh is not None, "vacancies are kept"
    return fresh
