"""What follows from bills and their money: states, deductions, and who is told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from uuid import UUID

import asyncpg

from domains.billing import bill_notices as notices
from domains.billing import bill_sql as sql
from domains.billing import permissions
from domains.billing.events import (
    BillCorrected,
    BillPaid,
    BillsIssued,
    CorrectionDecided,
    CorrectionRequested,
    HouseCanPay,
    HousesBilled,
)
from domains.billing.payers import Readers, together
from domains.billing.service import deductions
from domains.billing.service.assessing import assess, follow
from domains.identity import queries as identity
from domains.kernel import clock, database, outbox
from domains.kernel.events import Event
from notifications.kinds import Kind, Value
from notifications.notifying import notify
from payments.events import BalanceChanged, PayableChanged, PayableSettled
from payments.rules import KINDS as POSTINGS

HOUSES_AT_ONCE = 100


async def follow_payables(event: Event, _: UUID) -> None:
    """A bill's state follows what is owed; with the last of its principal the late fee is complete."""
    assert isinstance(event, PayableSettled | PayableChanged)
    if event.subject_type not in ("bill", "late_fee"):
        return
    if event.subject_type == "bill" and event.outstanding_fen == 0:
        await assess([event.subject_id], clock.today())
    await follow(event.subject_id)


async def spread(event: Event, _: UUID) -> None:
    """Thousands of bills are told of, and paid, in parts that are small enough for one transaction."""
    assert isinstance(event, BillsIssued)
    rows = await database.fetch(sql.HOUSES_OF_BILLS, list(event.bill_ids))
    for part in _parts(rows):
        await outbox.record(HousesBilled(part[0], event.compound_id, event.run_id, tuple(part)))
    for row in await database.fetch(sql.WITH_MONEY_AMONG, list(event.bill_ids)):
        await outbox.record(HouseCanPay(row["house_id"], event.compound_id))


def _parts(rows: Sequence[asyncpg.Record]) -> list[list[UUID]]:
    """The bills of so many houses each: those of a house are told of together."""
    houses: dict[UUID, list[UUID]] = {}
    for row in rows:
        houses.setdefault(row["house_id"], []).append(row["id"])
    ids = list(houses.values())
    return [
        [id for house in ids[at : at + HOUSES_AT_ONCE] for id in house]
        for at in range(0, len(ids), HOUSES_AT_ONCE)
    ]


async def deduct_after_rise(event: Event, _: UUID) -> None:
    """A house that has more money pays what it owes."""
    assert isinstance(event, BalanceChanged)
    if event.changed_fen > 0:
        await deductions.deduct(event.holder_id)


async def deduct_house(event: Event, _: UUID) -> None:
    """A house that has money pays what it owes."""
    assert isinstance(event, HouseCanPay)
    await deductions.deduct(event.house_id)


async def tell_of_bills(event: Event, _: UUID) -> None:
    """Whoever may open them, once for a house and run."""
    assert isinstance(event, HousesBilled)
    rows = await database.fetch(sql.ISSUED, list(event.bill_ids), clock.today())
    for _, of_house in groupby(rows, itemgetter("house_id")):
        bills = {row["id"]: row for row in of_house}
        for readers in together({id: row["accounts"] for id, row in bills.items()}):
            await _tell_of_issue(event.run_id, [bills[id] for id in readers.bill_ids], readers)


async def _tell_of_issue(run_id: UUID, bills: Sequence[asyncpg.Record], readers: Readers) -> None:
    last = max(bills, key=itemgetter("month"))
    fen, due_on = sum(row["issued_fen"] for row in bills), min(row["due_on"] for row in bills)
    await notify(
        readers.accounts, notices.ISSUED, {**_place(last), "fen": fen, "due": due_on},
        dedupe_key=f"{run_id}:{last['house_id']}:{readers.key}", compound_id=last["compound_id"],
        subject=("Bill", readers.bill_ids[0]),
    )  # fmt: skip


async def tell_of_payment(event: Event, event_id: UUID) -> None:
    """Whoever may open the bill; what was waived to the end is told of as a correction."""
    assert isinstance(event, BillPaid)
    row, paid = await _told(event.bill_id), await database.fetchrow(sql.PAID_BY, event.bill_id)
    if paid is None or row["state"] != "paid":
        return
    means, means_en = POSTINGS[paid["kind"]]
    said: dict[str, Value] = {**_place(row), "fen": paid["fen"], "means": means, "means_en": means_en}
    await notify(
        row["accounts"], notices.PAID, said, dedupe_key=str(event_id), compound_id=event.compound_id,
        subject=("Bill", event.bill_id),
    )  # fmt: skip


async def tell_of_correction(event: Event, _: UUID) -> None:
    """Whoever may open the bill."""
    assert isinstance(event, BillCorrected)
    row, correction = await _told(event.bill_id), await _correction(event.correction_id)
    data: dict[str, Value] = {**_corrected(row, correction), "month": _month(row["month"])}
    await notify(
        row["accounts"], notices.CORRECTED, {**data, "fen": correction["effect_fen"]},
        dedupe_key=str(event.correction_id), compound_id=event.compound_id, subject=("Bill", event.bill_id),
    )  # fmt: skip


async def tell_deciders(event: Event, _: UUID) -> None:
    """The staff who may decide there, but for the one who asks."""
    assert isinstance(event, CorrectionRequested)
    row, correction = await _told(event.bill_id), await _correction(event.correction_id)
    holders = await identity.holders(permissions.CORRECTIONS_DECIDE, event.compound_id, row["building_id"])
    others = [each for each in holders if each != correction["requested_by"]]
    await _tell(event, others, notices.REQUESTED, _corrected(row, correction))


async def tell_requester(event: Event, _: UUID) -> None:
    """The one who asked."""
    assert isinstance(event, CorrectionDecided)
    row, correction = await _told(event.bill_id), await _correction(event.correction_id)
    data = {**_corrected(row, correction), "reason": _one_line(correction["decision_note"])}
    data["result"], data["result_en"] = ("已通过", "approved") if event.is_approved else ("被驳回", "refused")
    await _tell(event, [correction["requested_by"]], notices.DECIDED, data)


async def _tell(
    event: CorrectionRequested | CorrectionDecided,
    people: Collection[UUID],
    kind: Kind,
    data: dict[str, Value],
) -> None:
    await notify(
        people, kind, data, dedupe_key=str(event.correction_id), compound_id=event.compound_id,
        subject=("Correction", event.correction_id),
    )  # fmt: skip


def _place(row: asyncpg.Record) -> dict[str, Value]:
    return {"compound": row["compound"], "house": row["house"], "month": _month(row["month"])}


def _corrected(row: asyncpg.Record, correction: asyncpg.Record) -> dict[str, Value]:
    what, what_en = POSTINGS[correction["kind"]]
    return {
        "compound": row["compound"], "house": row["house"], "number": row["number"],
        "what": what, "what_en": what_en, "reason": _one_line(correction["reason"]),
    }  # fmt: skip


def _one_line(written: str) -> str:
    """A phone's notification, and a platform's keyword, is one line."""
    return " ".join(written.split())


def _month(month: date) -> str:
    return f"{month:%Y-%m}"


async def _told(bill_id: UUID) -> asyncpg.Record:
    row = await database.fetchrow(sql.BILL_TOLD, bill_id, clock.today())
    assert row is not None, "bills are kept"
    return row


async def _correction(correction_id: UUID) -> asyncpg.Record:
    row = await database.fetchrow(sql.CORRECTION_TOLD, correction_id)
    assert row is not None, "corrections are kept"
    return row
