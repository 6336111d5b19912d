"""Arrears as a file (导出欠费清单): made for the account that asks, and soon forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from domains.billing import permissions
from domains.billing.documents.amounts import figures
from domains.billing.models import BillingExport
from domains.billing.queries import arrears
from domains.billing.queries.arrears import ArrearsFilter, HouseArrears, Sort
from domains.identity.limits import limiter
from domains.kernel import clock
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Throttled
from domains.kernel.exports import KEPT, ExportedFile, Table, hand_out
from domains.kernel.files import storage
from domains.kernel.rates import RateLimit, WhenDown
from domains.kernel.sheets import Form, Row

MOST_ROWS, BATCH = 100_000, 1_000
PER_ACCOUNT = RateLimit("arrears-export", 20, 3600, 5, WhenDown.CLOSED)

HEADER = (
    "楼栋", "房号", "缴费人", "电话", "账单数", "欠费本金(元)", "滞纳金(元)", "合计(元)", "最早到期", "逾期天数",
    "0–30天(元)", "31–60天(元)", "61–90天(元)", "91–180天(元)", "181–365天(元)", "365天以上(元)", "承诺日期",
    "承诺状态", "最近催缴",
)  # fmt: skip
_STATES = {"open": "待兑现", "kept": "已兑现", "broken": "未兑现"}


async def export_arrears(
    actor: Actor, *, compound_id: UUID, narrowed: ArrearsFilter, sort: Sort, form: Form
) -> ExportedFile:
    """A compound's arrears as CSV or Excel. That they are read is on record before the first row is.

    Raises EXPORT_TOO_LARGE (over 100,000 houses), Throttled EXPORT_TOO_OFTEN, FILE_STORE_UNAVAILABLE.
    """
    rows = await _begin(actor, compound_id=compound_id, narrowed=narrowed, form=form)

    async def book(key: str, at: datetime) -> None:
        await BillingExport.create(compound_id=compound_id, account_id=actor.id, file_key=key, made_at=at)

    table = Table("欠费清单", "arrears", HEADER, rows)
    return await hand_out(actor, table, form, _batches(actor, compound_id, narrowed, sort), book)


async def forget_exports() -> int:
    """Delete the exported files that nobody can open any more; how many."""
    old = await BillingExport.filter(made_at__lt=clock.now() - KEPT)
    for each in old:
        await storage().delete(each.file_key)
        await each.delete()
    return len(old)


@command("arrears.export", caller="staff", permission=permissions.BILLS_READ)
async def _begin(actor: Actor, *, compound_id: UUID, narrowed: ArrearsFilter, form: Form) -> int:
    concerns("House", None, compound_id, filters=narrowed.used, form=form)
    rows = await arrears.count(actor, compound_id, narrowed)
    concerns("House", None, compound_id, rows=rows)
    if rows > MOST_ROWS:
        raise Conflict("EXPORT_TOO_LARGE", f"一次最多导出 {MOST_ROWS} 条,请缩短时间或增加条件")
    verdict = await limiter().take(PER_ACCOUNT, str(actor.id))
    if not verdict.allowed:
        raise Throttled("EXPORT_TOO_OFTEN", "导出太频繁,请稍后再试", verdict.retry_after_s)
    return rows


async def _batches(
    actor: Actor, compound_id: UUID, narrowed: ArrearsFilter, sort: Sort
) -> AsyncIterator[list[Row]]:
    after: tuple[object, ...] | None = None
    while found := await arrears.page(actor, compound_id, narrowed, sort=sort, after=after, limit=BATCH):
        yield [_cells(each) for each in found]
        last = found[-1]
        after = (last.oldest_due_on if sort == "age" else last.principal_fen), last.house_id


def _cells(row: HouseArrears) -> Row:
    promise = row.promise
    return (
        row.building_name, row.house_number, "、".join(each.name for each in row.people),
        "、".join(each.phone for each in row.people if each.phone), str(len(row.bill_ids)),
        _yuan(row.principal_fen), _yuan(row.late_fee_fen), _yuan(row.total_fen), str(row.oldest_due_on),
        str(row.age_days), *(_yuan(each.principal_fen) for each in row.ages),
        str(promise.promised_on) if promise else "", _STATES[promise.state] if promise else "",
        str(row.reminded_on or ""),
    )  # fmt: skip


def _yuan(fen: int) -> str:
    """As a spreadsheet adds it up."""
    return figures(fen).replace(",", "")
