"""What an approved correction does to the books (减免、调整、作废入账).

All of it is inside the command's transaction, with the bill's payables locked before anything of it is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

import asyncpg

from domains.billing import bill_sql as sql
from domains.billing.bill_models import Bill
from domains.billing.rules import BILL
from domains.billing.service.assessing import assess, being_paid, follow
from domains.kernel import clock, database, money
from domains.kernel.errors import Conflict
from domains.kernel.ids import uuid7
from payments.service import ledger, payables
from payments.service.ledger import Account, Line, Posting
from payments.service.payables import NewPayable, PayableState

WAIVER, LATE_FEE_INCOME = Account("waiver"), Account("late_fee_income")

ASKING, DECIDING = "请重新填写", "请驳回后重新申请"
"""What is to be done about an amount that does not fit."""


async def correct(correction: asyncpg.Record, actor_id: UUID) -> int:
    """Let it take effect; how much more, or less where it is below zero, is owed now, in fen."""
    bill_id = correction["bill_id"]
    await database.execute(sql.LOCK_PAYABLES, [bill_id])
    place = await database.fetchrow(sql.BILL_PLACE, bill_id)
    assert place is not None, "bills are kept"
    if place["state"] == "void":
        raise is_void()
    if correction["concerns"] == "late_fee":
        await assess([bill_id], clock.today())
    principal = (await payables.of_subjects("bill", [bill_id])).get(bill_id)
    late_fee = (await payables.of_subjects("late_fee", [bill_id])).get(bill_id)
    if any(each is not None and each.is_held for each in (principal, late_fee)):
        raise being_paid()
    if correction["kind"] == "waiver":
        return await _waive(
            correction, late_fee if correction["concerns"] == "late_fee" else principal, actor_id
        )
    if correction["kind"] == "adjustment":
        return await _adjust(correction, principal, actor_id)
    return await _void(correction, principal, late_fee, actor_id)


def check_waiver(amount_fen: int | None, outstanding_fen: int, then: str) -> None:
    """At most what is to be paid is waived; None is all of it. `then` says what to do about more.

    Raises NOTHING_TO_WAIVE, WAIVER_TOO_MUCH."""
    if outstanding_fen == 0:
        raise Conflict("NOTHING_TO_WAIVE", "没有可减免的未缴金额,请刷新后查看账单")
    if amount_fen is not None and amount_fen > outstanding_fen:
        message = f"未缴金额为 {money.display(outstanding_fen)},最多只能减免这么多,{then}"
        raise Conflict("WAIVER_TOO_MUCH", message, "amountFen")


def check_adjustment(amount_fen: int, line_fen: int, due_fen: int, then: str) -> None:
    """No line, and no bill, below nothing, nor beyond all numbers. Raises ADJUSTMENT_TOO_MUCH."""
    if line_fen + amount_fen < 0 or due_fen + amount_fen < 0:
        message = f"这条明细最多只能减 {money.display(min(line_fen, due_fen))},{then}"
        raise Conflict("ADJUSTMENT_TOO_MUCH", message, "amountFen")
    if due_fen + amount_fen > money.MAX_FEN:
        raise Conflict("ADJUSTMENT_TOO_MUCH", f"调整后的金额超出范围,{then}", "amountFen")


async def require_house_money(bill_id: UUID, back_fen: int) -> None:
    """What was paid of a bill goes back to the house's prepayment, which is its owners': what a tenant, the developer
    or who sold the house paid may not. Raises PAID_BY_ANOTHER."""
    if not await database.fetchval(sql.GOES_BACK_TO_HOUSE, bill_id):
        paid = money.display(back_fen)
        message = f"已缴的 {paid} 不是现业主的钱,不能转入房屋的预存款;请先与缴费人处理这笔已缴款"
        raise Conflict("PAID_BY_ANOTHER", message)


async def settle_down(correction: asyncpg.Record) -> None:
    """The late fee of the corrected principal, and the state that follows; called once the correction's own row is
    written, which the late fee asks for what was waived."""
    await assess([correction["bill_id"]], clock.today())
    await follow(correction["bill_id"])


def is_void() -> Conflict:
    """The bill was taken back."""
    return Conflict("BILL_VOID", "这张账单已作废,不能再更正")


async def _waive(correction: asyncpg.Record, owed: PayableState | None, actor_id: UUID) -> int:
    outstanding = 0 if owed is None else owed.outstanding_fen
    check_waiver(correction["amount_fen"], outstanding, DECIDING)
    assert owed is not None, "something is to be paid"
    amount = outstanding if correction["amount_fen"] is None else correction["amount_fen"]
    await payables.change(_posting(correction, actor_id), owed.id, -amount, WAIVER)
    return -int(amount)


async def _adjust(correction: asyncpg.Record, principal: PayableState | None, actor_id: UUID) -> int:
    line = await database.fetchrow(sql.LINE, correction["line_id"])
    assert line is not None, "lines are kept"
    amount: int = correction["amount_fen"]
    outstanding, due = (0, 0) if principal is None else (principal.outstanding_fen, principal.due_fen)
    check_adjustment(amount, line["amount_fen"], due, DECIDING)
    income = _income(line, correction["bill_id"])
    if principal is None:
        opened = NewPayable(correction["bill_id"], correction["house_id"], amount, correction["due_on"])
        await payables.open_many(_posting(correction, actor_id), "bill", [opened], {income: amount})
    else:
        unpaid = max(amount, -outstanding)
        await _reverse(correction, principal, {income: -unpaid}, {income: unpaid - amount}, actor_id)
    await _add_line(correction, line)
    return amount


async def _add_line(correction: asyncpg.Record, line: asyncpg.Record) -> None:
    await database.execute(
        sql.ADJUST, uuid7(), correction["bill_id"], line["house_id"], line["fee_item_id"], line["period_from"],
        line["period_until"], line["part"], correction["amount_fen"], correction["reason"], correction["id"],
    )  # fmt: skip


async def _void(
    correction: asyncpg.Record, principal: PayableState | None, late_fee: PayableState | None, actor_id: UUID
) -> int:
    bill_id = correction["bill_id"]
    waived = {row["concerns"]: row["fen"] for row in await database.fetch(sql.WAIVED, bill_id)}
    earned = defaultdict[Account, int](int)
    for row in await database.fetch(sql.BY_ITEM, bill_id):
        earned[_income(row, bill_id)] += row["fen"]
    if principal is not None:
        await _take_all(correction, principal, earned, waived.get("principal", 0), actor_id)
    if late_fee is not None:
        waived_fen = waived.get("late_fee", 0)
        borne = {LATE_FEE_INCOME: late_fee.due_fen + waived_fen}
        await _take_all(correction, late_fee, borne, waived_fen, actor_id)
    state = await database.fetchval("SELECT state FROM bill WHERE id = $1 FOR UPDATE", bill_id)
    await BILL.move(Bill, bill_id, state, "void")
    return -sum(each.due_fen for each in (principal, late_fee) if each is not None)


async def _take_all(
    correction: asyncpg.Record,
    owed: PayableState,
    earned: Mapping[Account, int],
    waived_fen: int,
    actor_id: UUID,
) -> None:
    """Take back all that was earned by a payable, and with it what was waived of it: the waiver ends with the part
    that is unpaid, or with the other where there is none."""
    fens = [fen for fen in earned.values() if fen]
    accounts = [account for account, fen in earned.items() if fen]
    with_unpaid = waived_fen if owed.outstanding_fen else 0
    parts = money.split(owed.outstanding_fen + with_unpaid, fens) if fens else []
    unpaid = dict(zip(accounts, parts, strict=True))
    paid = {account: earned[account] - fen for account, fen in unpaid.items()}
    (unpaid if with_unpaid else paid)[WAIVER] = -waived_fen
    await _reverse(correction, owed, unpaid, paid, actor_id)


async def _reverse(
    correction: asyncpg.Record,
    owed: PayableState,
    unpaid: Mapping[Account, int],
    paid: Mapping[Account, int],
    actor_id: UUID,
) -> None:
    """Take these shares of income back: those of what is unpaid from the debt, those of what was paid into the house's
    prepayment. Where the sum of the former is below zero, more is owed."""
    less, back = sum(unpaid.values()), sum(paid.values())
    name = owed.subject_type
    if back:
        await require_house_money(correction["bill_id"], back)
    if less:
        against = {account: -fen for account, fen in unpaid.items()}
        await payables.change(_posting(correction, actor_id, name), owed.id, -less, against)
    against, posting = (
        {account: -fen for account, fen in paid.items()},
        _posting(correction, actor_id, f"{name}:back"),
    )
    if back:
        to = Account("prepayment", correction["house_id"])
        await payables.give_back(posting, owed.id, back, to, against)
    elif any(against.values()):  # all of it was waived: nothing is owed, and income and waiver end together
        await ledger.post(posting, [Line(account, -fen) for account, fen in against.items() if fen])


def _income(item: asyncpg.Record, bill_id: UUID) -> Account:
    if item["category"] == "deposit":
        return Account("deposit_due", bill_id)
    return Account("income", item["fee_item_id"])


def _posting(correction: asyncpg.Record, actor_id: UUID, part: str = "") -> Posting:
    key = f"correction:{correction['id']}:{part}"
    return Posting(
        correction["compound_id"], correction["kind"], key, clock.today(), correction["reason"], actor_id
    )
