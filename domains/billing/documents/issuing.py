"""Papers are issued once (开具单据): a number of the compound's, a code to check it by, and a file that stays the same."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg
import orjson

from domains.billing import permissions
from domains.billing.book_models import DocumentIssue
from domains.billing.documents import composing, sql
from domains.billing.documents.composing import BillSums, Place
from domains.billing.documents.papers import TITLES, Kind, Paper, Seal, numbered, restored
from domains.billing.queries import bills, house_payments
from domains.identity.limits import limiter
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound, Throttled
from domains.kernel.files import audience_of, links, storage
from domains.kernel.ids import uuid7
from domains.kernel.rates import RateLimit, WhenDown
from domains.kernel.slots import Slot
from domains.kernel.storage import new_key
from domains.kernel.storage.content import PDF

site: Slot[str] = Slot("address of the site")
"""Under which people reach this installation; papers lead there."""

PER_ACCOUNT = RateLimit("documents", 60, 3600, 20, WhenDown.OPEN)
LIFETIME = timedelta(minutes=10)
LONGEST = timedelta(days=3 * 366)
MOST_ROWS = 1_000
_LIMIT_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """A paper under an address that opens for the caller alone, until `expires_at`; `path` is where anybody checks it."""

    id: UUID
    kind: str
    number: str
    amount_fen: int
    issued_on: date
    path: str
    address: str
    expires_at: datetime


async def issue_receipt(actor: Actor, *, journal_id: UUID) -> Document:
    """The receipt (收据) of a payment, by its journal: what it paid of bills, deposits (押金) too, and what it paid ahead
    (预存). It ends once all of that was taken back or refunded.

    Raises PAYMENT_NOT_FOUND, RECEIPT_TAKEN_BACK, Throttled DOCUMENT_TOO_OFTEN, FILE_STORE_UNAVAILABLE.
    """
    return await _handed_out(actor, await _receipt(actor, journal_id=journal_id))


async def issue_bill(actor: Actor, *, bill_id: UUID) -> Document:
    """A bill as it stands today (缴费通知单). Raises BILL_NOT_FOUND, BILL_VOID, and as `issue_receipt`."""
    return await _handed_out(actor, await _bill(actor, bill_id=bill_id))


async def issue_statement(actor: Actor, *, house_id: UUID, from_on: date, until_on: date) -> Document:
    """What a house was billed and paid from one day to another, both included (对账单), of the bills the caller may see.

    Raises HOUSE_NOT_FOUND, PERIOD_REVERSED, STATEMENT_TOO_LONG (over three years, or 1,000 rows), and as `issue_receipt`.
    """
    return await _handed_out(
        actor, await _statement(actor, house_id=house_id, from_on=from_on, until_on=until_on)
    )


async def issue_letter(actor: Actor, *, letter_id: UUID) -> Document:
    """A dunning letter to be printed (催缴函), for who prints them or may see its bills.

    Raises LETTER_NOT_FOUND, and as `issue_receipt`.
    """
    return await _handed_out(actor, await _letter(actor, letter_id=letter_id))


@command("document.issue_receipt", caller="account")
async def _receipt(actor: Actor, *, journal_id: UUID) -> UUID:
    await _take_turn(actor, journal_id)
    paid, ahead = await database.fetch(sql.PAID, journal_id), await database.fetch(sql.PUT_IN, journal_id)
    bill_ids, every = [row["bill_id"] for row in paid], [*paid, *ahead]
    if (
        not every
        or any(row["amount_fen"] < 0 for row in every)
        or not await _may_have(actor, bill_ids, ahead)
    ):
        raise NotFound("PAYMENT_NOT_FOUND", "没有找到这笔缴费,请刷新后重试", "payment")
    concerns("Journal", journal_id, every[0]["compound_id"])
    if every[0]["is_taken_back"]:
        raise Conflict("RECEIPT_TAKEN_BACK", "这笔缴费已经退回,不能再开收据", "payment")
    place, lines = await _place(every[0]["compound_id"]), await database.fetch(sql.LINES, bill_ids)
    payer = await _payer(bill_ids) if paid else await _ahead_by(ahead[0]["payment_id"])
    paper = composing.receipt(place, payer, paid, lines, ahead)
    return await _issued(actor, every[0]["compound_id"], journal_id, paper)


@command("document.issue_bill", caller="account")
async def _bill(actor: Actor, *, bill_id: UUID) -> UUID:
    await _take_turn(actor, bill_id)
    stands = (await bills.by_id(actor, [bill_id])).get(bill_id)
    head = await database.fetchrow(sql.BILL, bill_id)
    if stands is None or head is None:
        raise NotFound("BILL_NOT_FOUND", "没有找到这张账单,请刷新后重试", "bill")
    concerns("Bill", bill_id, head["compound_id"])
    if stands.state == "void":
        raise Conflict("BILL_VOID", "这张账单已作废,不能打印", "bill")
    place, lines = await _place(head["compound_id"]), await database.fetch(sql.LINES, [bill_id])
    sums = BillSums(
        corrected_fen=stands.principal_due_fen - sum(line["fen"] for line in lines),
        paid_fen=stands.principal_settled_fen + stands.late_fee_settled_fen,
        late_fee_fen=stands.late_fee_fen, as_of=clock.today(),
    )  # fmt: skip
    paper = composing.bill(place, await _payer([bill_id]), head, lines, sums)
    return await _issued(actor, head["compound_id"], bill_id, paper)


@command("document.issue_statement", caller="account")
async def _statement(actor: Actor, *, house_id: UUID, from_on: date, until_on: date) -> UUID:
    await _take_turn(actor, house_id)
    house = await database.fetchrow(sql.HOUSE, house_id)
    if house is None or not _may_read_house(actor, house_id, house):
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请刷新后重试", "house")
    concerns("House", house_id, house["compound_id"], since=from_on, until=until_on)
    if until_on < from_on:
        raise Invalid("PERIOD_REVERSED", "结束日期须不早于开始日期,请重新选择", "until")
    known = [row["id"] for row in await database.fetch(sql.BILLS_OF_HOUSE, house_id)]
    moves = await database.fetch(sql.MOVES, list(await bills.by_id(actor, known)), until_on)
    if until_on - from_on > LONGEST or sum(row["posted_on"] >= from_on for row in moves) > MOST_ROWS:
        raise Invalid("STATEMENT_TOO_LONG", "对账期间太长,请缩短到三年以内", "until")
    place = await _place(house["compound_id"])
    paper = composing.statement(place, house["number"], (from_on, until_on), moves)
    return await _issued(actor, house["compound_id"], house_id, paper)


@command("document.issue_letter", caller="account")
async def _letter(actor: Actor, *, letter_id: UUID) -> UUID:
    await _take_turn(actor, letter_id)
    head = await database.fetchrow(sql.LETTER, letter_id)
    owed = await database.fetch(sql.OF_LETTER, letter_id)
    bill_ids = [row["bill_id"] for row in owed]
    if head is None or not (_may_dun(actor, head) or await _may_read(actor, bill_ids)):
        raise NotFound("LETTER_NOT_FOUND", "没有找到这封催缴函,请刷新后重试", "letter")
    concerns("DunningLetter", letter_id, head["compound_id"])
    paper = composing.letter(await _place(head["compound_id"]), await _payer(bill_ids), head, owed)
    return await _issued(actor, head["compound_id"], letter_id, paper, head["number"])


async def _take_turn(actor: Actor, subject_id: UUID) -> None:
    verdict = await limiter().take(PER_ACCOUNT, str(actor.id))
    if not verdict.allowed:
        raise Throttled("DOCUMENT_TOO_OFTEN", "打印太频繁,请稍后再试", verdict.retry_after_s)
    await database.execute(sql.TURN, subject_id)


def _may_dun(actor: Actor, letter: asyncpg.Record) -> bool:
    return actor.may(permissions.DUNNING_WRITE, letter["compound_id"], letter["building_id"])


async def _may_have(actor: Actor, bill_ids: Sequence[UUID], ahead: Sequence[asyncpg.Record]) -> bool:
    """Who may see all of the bills and, where something was paid ahead, that payment or the house's money."""
    if bill_ids and not await _may_read(actor, bill_ids):
        return False
    if not ahead or actor.may(permissions.BILLS_READ, ahead[0]["compound_id"], ahead[0]["building_id"]):
        return True
    return bool(await house_payments.by_id(actor, [ahead[0]["payment_id"]]))


async def _may_read(actor: Actor, bill_ids: Sequence[UUID]) -> bool:
    return bool(bill_ids) and set(bill_ids) <= set(await bills.by_id(actor, bill_ids))


def _may_read_house(actor: Actor, house_id: UUID, house: asyncpg.Record) -> bool:
    lives_there = any(tie.house_id == house_id for tie in actor.houses)
    return lives_there or actor.may(permissions.BILLS_READ, house["compound_id"], house["building_id"])


async def _place(compound_id: UUID) -> Place:
    row = await database.fetchrow(sql.PLACE, compound_id)
    assert row is not None, "compounds are kept"
    return Place(**row)


async def _payer(bill_ids: Sequence[UUID]) -> str:
    return "、".join(row["name"] for row in await database.fetch(sql.PAYERS, bill_ids, clock.today()))


async def _ahead_by(payment_id: UUID) -> str:
    return "、".join(row["name"] for row in await database.fetch(sql.AHEAD_BY, payment_id))


async def _issued(
    actor: Actor, compound_id: UUID, subject_id: UUID, paper: Paper, number: str | None = None
) -> UUID:
    """The issue of this paper; the same one that was made before, where it says the same."""
    found = await database.fetchrow(sql.FIND, subject_id, paper.kind, paper.sha256)
    if found is not None:
        return UUID(str(found["id"]))
    made = await DocumentIssue.create(
        id=uuid7(), compound_id=compound_id, kind=paper.kind, subject_id=subject_id, amount_fen=paper.amount_fen,
        number=number or await _next_number(compound_id, paper.kind), content=paper.content(), sha256=paper.sha256,
        code=base64.b32encode(secrets.token_bytes(16)).decode().rstrip("="), issued_on=clock.today(),
        # Before there is a file: what a crash leaves out is drawn again under the same key.
        file_key=new_key("documents", PDF, clock.now()), issued_by=actor.id, issued_at=clock.now(),
    )  # fmt: skip
    return made.id


async def _next_number(compound_id: UUID, kind: Kind) -> str:
    year = clock.today().year
    return numbered(kind, year, await database.fetchval(sql.COUNT, compound_id, kind, year))


async def _handed_out(actor: Actor, id: UUID) -> Document:
    row = await database.fetchrow(sql.ISSUE, id)
    assert row is not None, "papers are kept"
    await _ensure_file(row)
    # An address knows whole seconds only.
    expires_at = (clock.now() + LIFETIME).replace(microsecond=0)
    name = f"{TITLES[row['kind']]}-{row['number']}.pdf"
    address = links().address(
        row["file_key"], expires_at=expires_at, download_name=name, audience=audience_of(actor)
    )
    return Document(
        id, row["kind"], row["number"], row["amount_fen"], row["issued_on"], f"/documents/{row['code']}", address,
        expires_at,
    )  # fmt: skip


async def _ensure_file(row: asyncpg.Record) -> None:
    try:
        await storage().stat(row["file_key"])
    except NotFound:
        from domains.billing.documents.drawing import draw

        seal = Seal(row["number"], f"{row['issued_on']:%Y年%m月%d日}", f"{site()}/documents/{row['code']}")
        drawn = await asyncio.to_thread(draw, restored(orjson.loads(row["content"])), seal)
        await storage().save(
            "documents", _once(drawn), content_type=PDF, limit_bytes=_LIMIT_BYTES, key=row["file_key"]
        )


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
