"""Reminders (催缴): by rule once for each bill and step, by hand once a day for a house."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

import asyncpg

from domains.billing import dunning_sql as sql
from domains.billing import permissions
from domains.billing.dunning import Step, Turn, letter_number, turn
from domains.billing.events import DunningDue
from domains.billing.payers import accounts_of, debtors
from domains.billing.standing import Standing, standing
from domains.kernel import clock, database, outbox
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, NotFound
from domains.kernel.ids import uuid7

HOUSES_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Owing:
    """A bill with something to pay that nobody is paying at this moment."""

    row: asyncpg.Record
    stands: Standing
    debtors: tuple[UUID, ...]

    @property
    def payer(self) -> tuple[object, ...]:
        """Whose bill it is: one reminder, and one letter, goes to each. Who sold a house is another than who bought it."""
        return self.row["house_id"], self.row["payer"], str(self.row["person_id"] or ""), self.debtors


@dataclass(frozen=True, slots=True)
class Reminded:
    """A bill whose step was written down, to be told of."""

    owing: Owing
    step: Step


async def remind_due() -> dict[str, int]:
    """Every compound's bills that are due for a step; how many houses were looked at, and reminders made."""
    houses = reminders = 0
    for compound in await database.fetch(sql.COMPOUNDS):
        compound_id = compound["compound_id"]
        due = await database.fetch(sql.DUE, compound_id, clock.today())
        for start in range(0, len(due), HOUSES_AT_ONCE):
            part = due[start : start + HOUSES_AT_ONCE]
            bill_ids = [bill_id for row in part for bill_id in row["bill_ids"]]
            reminders += await _remind(SYSTEM, compound_id, bill_ids)
        houses += len(due)
    return {"houses": houses, "reminders": reminders}


@command("dunning.remind", caller="system", audited=False)
async def _remind(actor: Actor, compound_id: UUID, bill_ids: Sequence[UUID]) -> int:
    steps = [Step(**row) for row in await database.fetch(sql.STEPS, compound_id)]
    rows = await database.fetch(sql.CANDIDATES, bill_ids, clock.today())
    turns = [(each, _turn(steps, each.row)) for each in await _owing(rows)]
    written = await _write(turns)
    taken = [
        Reminded(each, step)
        for each, its in turns
        if (step := its.take) is not None and (each.row["id"], step.id) in written
    ]
    groups = _grouped(taken)
    letters = await _make_letters(compound_id, groups)
    for group, letter_id in zip(groups, letters, strict=True):
        await _tell(compound_id, [each.owing for each in group], letter_id)
    return len(groups)


async def _owing(rows: Sequence[asyncpg.Record]) -> list[Owing]:
    stands = [(row, standing(row, clock.today())) for row in rows]
    owed = [(row, each) for row, each in stands if each.outstanding_fen > 0 and not each.is_held]
    who = await debtors([row["id"] for row, _ in owed])
    return [
        Owing(row, each, tuple(sorted(person["person_id"] for person in who.get(row["id"], ()))))
        for row, each in owed
    ]


def _turn(steps: Sequence[Step], row: asyncpg.Record) -> Turn:
    return turn(
        steps,
        row["due_on"],
        clock.today(),
        payer=row["payer"],
        had=row["had"] or (),
        had_days=row["had_days"],
    )


async def _write(turns: Sequence[tuple[Owing, Turn]]) -> set[tuple[UUID, UUID]]:
    """Write down all steps; those that nobody had written before."""
    sent = [
        (each.row["id"], step.id, step is not its.take)
        for each, its in turns
        for step in (*its.passed, *([its.take] if its.take else []))
    ]
    if not sent:
        return set()
    columns = [list(column) for column in zip(*sent, strict=True)]
    rows = await database.fetch(sql.SEND, *columns, clock.today())
    return {(row["bill_id"], row["step_id"]) for row in rows}


def _grouped(taken: Sequence[Reminded]) -> list[list[Reminded]]:
    def payer(each: Reminded) -> tuple[object, ...]:
        return each.owing.payer

    return [list(group) for _, group in groupby(sorted(taken, key=payer), payer)]


async def _make_letters(compound_id: UUID, groups: Sequence[Sequence[Reminded]]) -> list[UUID | None]:
    """A letter for each group with a bill whose step is one, with those bills on it."""
    on_letters = [[each for each in group if each.step.form == "letter"] for group in groups]
    ids = [uuid7() if each else None for each in on_letters]
    made = [(id, each) for id, each in zip(ids, on_letters, strict=True) if id is not None]
    if made:
        await _number(compound_id, made)
        put = [
            (each.owing.row["id"], each.step.id, id, each.owing.stands.principal_outstanding_fen)
            for id, part in made
            for each in part
        ]
        await database.execute(sql.PUT_ON_LETTERS, *(list(column) for column in zip(*put, strict=True)))
    return ids


async def _number(compound_id: UUID, made: Sequence[tuple[UUID, list[Reminded]]]) -> None:
    today = clock.today()
    last: int = await database.fetchval(sql.NUMBER_LETTERS, compound_id, today.year, len(made))
    numbers = [letter_number(today.year, last - len(made) + count) for count in range(1, len(made) + 1)]
    houses = [part[0].owing.row["house_id"] for _, part in made]
    owed = [sum(each.owing.stands.outstanding_fen for each in part) for _, part in made]
    await database.execute(
        sql.MAKE_LETTERS, compound_id, today, [id for id, _ in made], houses, numbers, owed
    )


async def _tell(compound_id: UUID, group: Sequence[Owing], letter_id: UUID | None) -> None:
    bill_ids = tuple(each.row["id"] for each in group)
    days = (clock.today() - min(each.row["due_on"] for each in group)).days
    await outbox.record(DunningDue(group[0].row["house_id"], compound_id, bill_ids, days, letter_id))


@command("dunning.remind_now", caller="staff", permission=permissions.DUNNING_WRITE)
async def remind_now(actor: Actor, *, house_id: UUID) -> UUID:
    """Remind who pays for a house of all it has to pay (人工催缴); the house's id.

    Raises HOUSE_NOT_FOUND, NOTHING_OWED, REMINDED_TODAY, PROMISE_OPEN, and NOBODY_TO_REMIND where nobody who pays
    signs in.
    """
    house = await house_of(actor, house_id, "HouseReminder")
    groups = await _to_remind(house_id)
    await _require_silence(house_id)
    await database.execute(sql.BY_HAND, house["compound_id"], house_id, clock.today(), actor.id)
    for group in groups:
        await _tell(house["compound_id"], group, None)
    return house_id


async def house_of(actor: Actor, house_id: UUID, subject_type: str) -> asyncpg.Record:
    """The house, locked until the caller's transaction ends; for staff with dunning.write over its building.
    Raises HOUSE_NOT_FOUND."""
    house = await database.fetchrow(sql.HOUSE, house_id)
    if house is None:
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请刷新后重试", "house")
    concerns(subject_type, None, house["compound_id"], house=house_id)
    actor.require(permissions.DUNNING_WRITE, house["compound_id"], house["building_id"])
    return house


async def _to_remind(house_id: UUID) -> list[list[Owing]]:
    owing = await _owing(await database.fetch(sql.OPEN_OF_HOUSE, house_id))
    if not owing:
        raise Conflict("NOTHING_OWED", "这套房屋没有待缴的账单,或正在支付中,无需催缴")

    def payer(each: Owing) -> tuple[object, ...]:
        return each.payer

    groups = [list(group) for _, group in groupby(sorted(owing, key=payer), payer)]
    readers = await accounts_of([each.row["id"] for each in owing])
    told = [group for group in groups if any(readers[each.row["id"]] for each in group)]
    if not told:
        raise Conflict("NOBODY_TO_REMIND", "这户的缴费人都没有登录小程序,请打电话或上门联系")
    return told


async def _require_silence(house_id: UUID) -> None:
    today = clock.today()
    if (until := await database.fetchval(sql.PROMISED_UNTIL, house_id, today)) is not None:
        raise Conflict("PROMISE_OPEN", f"这户已承诺在 {until} 前缴费,请到期后再催缴,或先撤回承诺")
    if await database.fetchval(sql.REMINDED_ON, house_id, today):
        raise Conflict("REMINDED_TODAY", "今天已经提醒过这户,请明天再试")
