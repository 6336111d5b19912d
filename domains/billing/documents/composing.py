"""Papers put together from what the ledger and the bills say: no reads, no clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from domains.billing.documents.amounts import figures
from domains.billing.documents.papers import Column, Paper
from domains.billing.rules import CATEGORIES
from domains.kernel.money import split
from payments.rules import KINDS

Rows = Sequence[asyncpg.Record]
_AMOUNT = Column("金额（元）", 20, is_figure=True)
_LATE_FEE = "滞纳金"
_NO_INVOICE = "本收据不是税务发票。如需发票，请凭本收据向物业服务中心申请。"
_AHEAD = "预存款记入上述房屋的预存账户，余额可随时查询。"
_DEPOSIT = "押金在退还条件满足后退还，请妥善保管本收据。"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose paper it is, and whom to call about it."""

    compound: str
    company: str
    service_phone: str

    @property
    def ask(self) -> str:
        """Where to ask, in a sentence."""
        return (
            f"如有疑问，请致电物业服务中心 {self.service_phone}。"
            if self.service_phone
            else "如有疑问，请联系物业服务中心。"
        )


def allotted(weights: Sequence[int], before_fen: int, paid_fen: int) -> list[int]:
    """A payment's parts by what a bill's lines are of it: all payments together end with the lines themselves."""
    known = [max(weight, 0) for weight in weights]
    if not any(known):
        return [0] * len(known)
    after, before = split(before_fen + paid_fen, known), split(before_fen, known)
    return [late - early for late, early in zip(after, before, strict=True)]


def receipt(place: Place, payer: str, paid: Rows, lines: Rows, ahead: Rows = ()) -> Paper:
    """收据: what one payment settled, line by line, and what of it was paid ahead."""
    every, by_bill = [*paid, *ahead], _by_bill(lines)
    first, houses = every[0], "、".join(dict.fromkeys(row["house"] for row in every))
    facts = (
        ("房号", houses), ("交款人", payer), ("收款方式", KINDS[first["kind"]][0]), ("收款日期", f"{first['settled_on']}"),
    )  # fmt: skip
    columns = (Column("收费项目", 34), Column("账单号", 14), Column("计费期间", 32), _AMOUNT)
    rows = [row for each in paid for row in _receipt_rows(each, by_bill[each["bill_id"]])]
    rows += [(_pot(each["purpose"]), "", "", figures(each["amount_fen"])) for each in ahead]
    return Paper(
        "receipt", place.compound, place.company, facts, columns, tuple(rows), sum(row["amount_fen"] for row in every),
        "合计", notes=(*_receipt_notes(lines, ahead), _NO_INVOICE, place.ask),
    )  # fmt: skip


def _pot(purpose: str) -> str:
    return f"预存款（{CATEGORIES[purpose]}）" if purpose else "预存款"


def _receipt_notes(lines: Rows, ahead: Rows) -> Iterator[str]:
    if ahead:
        yield _AHEAD
    if any(line["category"] == "deposit" for line in lines):
        yield _DEPOSIT


def _receipt_rows(paid: asyncpg.Record, lines: Rows) -> Iterator[tuple[str, ...]]:
    number = str(paid["number"])
    if paid["subject_type"] == "late_fee":
        yield _LATE_FEE, number, "", figures(paid["amount_fen"])
        return
    parts = allotted([line["fen"] for line in lines], paid["before_fen"], paid["amount_fen"])
    for line, fen in zip(lines, parts, strict=True):
        if fen:
            yield line["name"], number, period(line["period_from"], line["period_until"]), figures(fen)


@dataclass(frozen=True, slots=True)
class BillSums:
    """How a bill stands beside its lines, in fen: what corrections took off (below zero), what was paid of it, and the
    late fee up to a day."""

    corrected_fen: int
    paid_fen: int
    late_fee_fen: int
    as_of: date


def bill(place: Place, payer: str, head: asyncpg.Record, lines: Rows, sums: BillSums) -> Paper:
    """缴费通知单: a bill with what is left to pay of it on a day."""
    facts = (
        ("房号", head["house"]), ("缴费人", payer), ("账单号", str(head["number"])), ("账期", f"{head['month']:%Y-%m}"),
        ("出账日期", f"{head['issued_on']}"), ("缴费截止", f"{head['due_on']}"),
    )  # fmt: skip
    columns = (Column("收费项目", 40), Column("计费期间", 40), _AMOUNT)
    extra = (
        ("减免", sums.corrected_fen), (f"{_LATE_FEE}（计至 {sums.as_of}）", sums.late_fee_fen), ("已缴", -sums.paid_fen),
    )  # fmt: skip
    charged = [
        (each["name"], period(each["period_from"], each["period_until"]), each["fen"]) for each in lines
    ]
    rows = [*charged, *((label, "", fen) for label, fen in extra if fen)]
    total = sum(fen for _, _, fen in rows)
    return Paper(
        "bill", place.compound, place.company, facts, columns,
        tuple((label, days, figures(fen)) for label, days, fen in rows), total, "应缴合计", notes=(place.ask,),
    )  # fmt: skip


def statement(place: Place, house: str, span: tuple[date, date], moves: Rows) -> Paper:
    """对账单: what was billed and paid from one day to another, both included, and what is open."""
    since, until = span
    balance = sum(row["due_fen"] - row["paid_fen"] for row in moves if row["posted_on"] < since)
    rows: list[tuple[str, ...]] = [(f"{since}", "期初欠费", "", "", "", figures(balance))]
    for row in moves:
        if row["posted_on"] >= since:
            balance += row["due_fen"] - row["paid_fen"]
            rows.append(_statement_row(row, balance))
    columns = (
        Column("日期", 17), Column("摘要", 24), Column("账单号", 12), Column("应收（元）", 16, is_figure=True),
        Column("实收（元）", 16, is_figure=True), Column("欠费（元）", 16, is_figure=True),
    )  # fmt: skip
    facts = (("房号", house), ("对账期间", f"{since} 至 {until}"))
    return Paper(
        "statement", place.compound, place.company, facts, columns, tuple(rows), balance, "期末欠费",
        notes=("欠费含已入账的滞纳金；预存款余额另见账户。", place.ask),
    )  # fmt: skip


def _statement_row(row: asyncpg.Record, balance: int) -> tuple[str, ...]:
    label = KINDS["reversal" if row["is_reversal"] else row["kind"]][0]
    late = f"（{_LATE_FEE}）" if row["subject_type"] == "late_fee" and row["kind"] != "late_fee" else ""
    due, paid = (figures(row[side]) if row[side] else "" for side in ("due_fen", "paid_fen"))
    return f"{row['posted_on']}", f"{label}{late}", str(row["number"]), due, paid, figures(balance)


def letter(place: Place, payer: str, head: asyncpg.Record, bills: Rows) -> Paper:
    """催缴函: what was owed on the day it was made."""
    facts = (
        ("房号", head["house"]),
        ("缴费人", payer),
        ("函件编号", head["number"]),
        ("统计日期", f"{head['made_on']}"),
    )
    columns = (Column("账单号", 20), Column("账期", 25), Column("缴费截止", 30), _AMOUNT)
    rows = [
        (str(row["number"]), f"{row['month']:%Y-%m}", f"{row['due_on']}", figures(row["fen"]))
        for row in bills
    ]
    late = head["owed_fen"] - sum(row["fen"] for row in bills)
    if late:
        rows.append((_LATE_FEE, "", "", figures(late)))
    words = (
        f"尊敬的{payer or '业主'}：",
        f"　　截至 {head['made_on']}，您在 {place.compound} {head['house']} 尚有下列费用未缴清。请尽快通过小程序或到物业服务"
        "中心缴纳；逾期期间滞纳金按约定继续计算。如您在此日期之后已经缴纳，请忽略本函。",
    )  # fmt: skip
    return Paper(
        "letter", place.compound, place.company, facts, columns, tuple(rows), head["owed_fen"], "欠费合计", words,
        (place.ask,),
    )  # fmt: skip


def period(since: date, until: date) -> str:
    """Days as residents read them, the last one included: 2026-01-01 至 2026-01-31, or one day alone."""
    last = until - timedelta(days=1)
    return f"{since}" if last == since else f"{since} 至 {last}"


def _by_bill(lines: Rows) -> Mapping[UUID, list[asyncpg.Record]]:
    found: dict[UUID, list[asyncpg.Record]] = defaultdict(list)
    for line in lines:
        found[line["bill_id"]].append(line)
    return found
