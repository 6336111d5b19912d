"""Records as a file (导出通行记录): made for the account that asks, and soon forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from domains.access import permissions
from domains.access.models import RecordExport
from domains.access.queries import records
from domains.access.queries.records import AccessRecord, RecordFilter
from domains.access.rules import METHODS
from domains.identity.limits import limiter
from domains.kernel import clock
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Throttled
from domains.kernel.exports import ExportedFile, Table, hand_out
from domains.kernel.rates import RateLimit, WhenDown
from domains.kernel.sheets import Form, Row

MOST_ROWS, BATCH = 100_000, 2_000
PER_ACCOUNT = RateLimit("record-export", 20, 3600, 5, WhenDown.CLOSED)

HEADER = (
    "时间", "设备时间", "门", "方向", "方式", "结果", "原因", "姓名", "房屋", "车牌", "车辆", "放行人", "备注",
)  # fmt: skip
_DIRECTIONS = {"in": "进", "out": "出", "unknown": "未知"}
_RESULTS = {"opened": "已通行", "refused": "未通行", "unknown": "结果不明"}


async def export_access_records(
    actor: Actor, *, compound_id: UUID, narrowed: RecordFilter, form: Form
) -> ExportedFile:
    """A compound's records as CSV or Excel, the last one first. That they are read is on record before the first row is.

    Raises PERIOD_REVERSED, EXPORT_TOO_LARGE (over 100,000 rows), Throttled EXPORT_TOO_OFTEN, FILE_STORE_UNAVAILABLE.
    """
    rows = await _begin(actor, compound_id=compound_id, narrowed=narrowed, form=form)

    async def book(key: str, at: datetime) -> None:
        await RecordExport.create(compound_id=compound_id, account_id=actor.id, file_key=key, made_at=at)

    table = Table("通行记录", "access-records", HEADER, rows)
    return await hand_out(actor, table, form, _batches(actor, compound_id, narrowed), book)


@command("access_record.export", caller="staff", permission=permissions.RECORDS_READ)
async def _begin(actor: Actor, *, compound_id: UUID, narrowed: RecordFilter, form: Form) -> int:
    rows = await records.count(actor, compound_id, narrowed, MOST_ROWS + 1)
    concerns("AccessRecord", None, compound_id, rows=rows, filters=narrowed.used, form=form)
    if rows > MOST_ROWS:
        raise Conflict("EXPORT_TOO_LARGE", f"一次最多导出 {MOST_ROWS} 条,请缩短时间或增加条件")
    verdict = await limiter().take(PER_ACCOUNT, str(actor.id))
    if not verdict.allowed:
        raise Throttled("EXPORT_TOO_OFTEN", "导出太频繁,请稍后再试", verdict.retry_after_s)
    return rows


async def _batches(actor: Actor, compound_id: UUID, narrowed: RecordFilter) -> AsyncIterator[list[Row]]:
    after: records.After = None
    for _ in range(0, MOST_ROWS, BATCH):
        found = await records.page(actor, compound_id, narrowed, after=after, limit=BATCH)
        yield [_cells(each) for each in found]
        if len(found) < BATCH:
            return
        after = found[-1].at, found[-1].id


def _cells(row: AccessRecord) -> Row:
    method = next((zh for name, zh in METHODS.items() if name == row.method), row.method)
    return (
        _local(row.at), _local(row.device_at), row.door_name, _DIRECTIONS[row.direction], method, _RESULTS[row.result],
        row.reason, row.who, row.house_number or "", row.plate, "是" if row.is_vehicle else "", row.guard_name or "",
        row.note,
    )  # fmt: skip


def _local(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"
