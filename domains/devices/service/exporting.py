"""The asset ledger as a file (导出资产台账): every line of every device, made for the account that asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from domains.devices import permissions
from domains.devices.kinds import DEVICE_KINDS, ENTRY_KINDS
from domains.devices.models import AssetExport
from domains.devices.queries import devices, ledger
from domains.devices.queries.devices import Device, DeviceFilter
from domains.devices.queries.ledger import ExportedLine
from domains.identity.limits import limiter
from domains.kernel import clock
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Throttled
from domains.kernel.exports import KEPT, ExportedFile, Table, hand_out
from domains.kernel.files import storage
from domains.kernel.rates import RateLimit, WhenDown
from domains.kernel.sheets import Form, Row

MOST_ROWS, BATCH = 100_000, 500
PER_ACCOUNT = RateLimit("asset-export", 20, 3600, 5, WhenDown.CLOSED)

HEADER = (
    "设备编号", "名称", "类型", "状态", "楼栋", "位置", "厂家", "型号", "出厂编号", "产权单位", "维保单位", "维保电话",
    "安装日期", "事项", "日期", "说明", "供应商或施工单位", "金额(元)", "登记时间", "登记人",
)  # fmt: skip
_STATES = {"in_store": "在库", "in_service": "在用", "out_of_order": "停用", "retired": "报废"}


async def export_asset_ledger(
    actor: Actor, *, compound_id: UUID, narrowed: DeviceFilter, form: Form
) -> ExportedFile:
    """The ledger of a compound's devices as CSV or Excel: by code, each device's lines in their order, and one row
    for a device without any. That it is read is on record before the first row is.

    Raises EXPORT_TOO_LARGE (over 100,000 rows), Throttled EXPORT_TOO_OFTEN, FILE_STORE_UNAVAILABLE.
    """
    rows = await _begin(actor, compound_id=compound_id, narrowed=narrowed, form=form)

    async def book(key: str, at: datetime) -> None:
        await AssetExport.create(compound_id=compound_id, account_id=actor.id, file_key=key, made_at=at)

    table = Table("资产台账", "asset-ledger", HEADER, rows)
    return await hand_out(actor, table, form, _batches(actor, compound_id, narrowed), book)


async def forget_exports() -> int:
    """Delete the exported files that nobody can open any more; how many."""
    old = await AssetExport.filter(made_at__lt=clock.now() - KEPT)
    for each in old:
        await storage().delete(each.file_key)
        await each.delete()
    return len(old)


@command("asset_ledger.export", caller="staff", permission=permissions.READ)
async def _begin(actor: Actor, *, compound_id: UUID, narrowed: DeviceFilter, form: Form) -> int:
    rows = await devices.count_ledger_lines(actor, compound_id, narrowed)
    concerns("Device", None, compound_id, rows=rows, filters=narrowed.used, form=form)
    if rows > MOST_ROWS:
        raise Conflict("EXPORT_TOO_LARGE", f"一次最多导出 {MOST_ROWS} 条,请缩短时间或增加条件")
    verdict = await limiter().take(PER_ACCOUNT, str(actor.id))
    if not verdict.allowed:
        raise Throttled("EXPORT_TOO_OFTEN", "导出太频繁,请稍后再试", verdict.retry_after_s)
    return rows


async def _batches(actor: Actor, compound_id: UUID, narrowed: DeviceFilter) -> AsyncIterator[list[Row]]:
    after: tuple[object, ...] | None = None
    while found := await devices.devices(actor, compound_id, narrowed, after=after, limit=BATCH):
        known = {each.id: each for each in found}
        lines = await ledger.to_export(actor, list(known))
        yield [(*_facts(known[line.device_id], line), *_cells(line)) for line in lines]
        after = found[-1].code, found[-1].id


def _facts(device: Device, line: ExportedLine) -> Row:
    return (
        device.code, device.name, DEVICE_KINDS[device.kind].zh, _STATES[device.state], line.building or "", device.place,
        device.maker, device.model, device.serial, device.owner, device.maintainer, device.maintainer_phone,
        str(device.installed_on or ""),
    )  # fmt: skip


def _cells(line: ExportedLine) -> Row:
    cost = "" if line.cost_fen is None else f"{line.cost_fen // 100}.{line.cost_fen % 100:02}"
    recorded = line.recorded_at and f"{line.recorded_at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"
    return (
        ENTRY_KINDS[line.kind].zh if line.kind else "", str(line.on_day or ""), line.note or "", line.vendor or "", cost,
        recorded or "", line.recorded_by or "",
    )  # fmt: skip
