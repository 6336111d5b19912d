"""The register of devices, by staff (设备台账维护)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal
from uuid import UUID

from asyncpg import PostgresError
from tortoise.exceptions import IntegrityError

from domains.devices import facts as checks
from domains.devices import permissions, rules
from domains.devices.events import DeviceRetired
from domains.devices.facts import DeviceFacts
from domains.devices.kinds import DEVICE_KINDS
from domains.devices.models import Device, DeviceKey
from domains.devices.service import ledger
from domains.devices.service.alarm_ending import clear_of_retired
from domains.devices.service.ledger import Line
from domains.devices.service.reaching import open_device, require
from domains.estate.facts import Columns
from domains.estate.models import Building
from domains.kernel import clock, outbox, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.ids import uuid7

FirstState = Literal["in_store", "in_service"]
State = Literal["in_store", "in_service", "out_of_order", "retired"]

_ENTRIES = {"out_of_order": "out_of_order", "in_store": "moved", "retired": "retired"}
_SILENT: Columns = {"is_online": None, "offline_since": None}
"""Of a device that is not where it could be heard."""


@command("device.register", caller="staff", permission=permissions.WRITE)
async def register_device(
    actor: Actor,
    *,
    compound_id: UUID,
    facts: DeviceFacts,
    state: FirstState = "in_service",
    vendor: str = "",
    cost_fen: int | None = None,
) -> UUID:
    """Enter a device into the register, with whom it was bought from and for how much, in fen.

    Raises BUILDING_NOT_FOUND, DEVICE_CODE_TAKEN and what `facts.device_columns` and `ledger.write` raise.
    """
    id, columns = uuid7(), checks.device_columns(facts)
    concerns("Device", id, compound_id, kind=columns["kind"])
    require(actor, compound_id, columns.get("building_id"), id)
    await _check_building(compound_id, columns.get("building_id"))
    try:
        await Device.create(id=id, compound_id=compound_id, state=state, recorded_at=clock.now(), **columns)
    except IntegrityError:
        raise _code_taken() from None
    lines = [Line("registered", vendor=vendor, cost_fen=cost_fen)]
    if state == "in_service":
        lines.append(Line("installed", on_day=columns.get("installed_on")))
    await ledger.write(actor, id, *lines)
    return id


@command("device.update", caller="staff", permission=permissions.WRITE)
async def update_device(actor: Actor, *, device_id: UUID, facts: DeviceFacts) -> UUID:
    """Change what is given; the ledger says of each what it was and what it is.

    Raises DEVICE_NOT_FOUND, DEVICE_RETIRED, BUILDING_NOT_FOUND, DEVICE_CODE_TAKEN, DEVICE_OPENS_DOOR and what
    `facts.device_columns` raises.
    """
    device, columns = await open_device(actor, device_id), checks.device_columns(facts)
    changed = {column: value for column, value in columns.items() if device.columns[column] != value}
    compound_id = device.compound_id
    if "building_id" in changed:
        require(actor, compound_id, changed["building_id"], device_id)
        await _check_building(compound_id, changed["building_id"])
    before = {column: device.columns[column] for column in changed}
    concerns("Device", device_id, compound_id, changed=sorted(changed))
    if changed:
        try:
            await Device.filter(pk=device_id).update(**changed)
        except IntegrityError as error:
            raise (_opens_door() if _is_of_controller(error) else _code_taken()) from None
        await ledger.write(actor, device_id, *_corrections(before, changed, await _names(before, changed)))
    return device_id


@command("device.change_state", caller="staff", permission=permissions.WRITE)
async def change_device_state(
    actor: Actor, *, device_id: UUID, state: State, reason: str = "", on_day: date | None = None
) -> UUID:
    """Put a device into service, out of order, into store, or retire it (报废): then its keys count no more
    and its alarms end. `on_day` is when that was, today unless told.

    Raises DEVICE_NOT_FOUND, STATE_CONFLICT, RETIREMENT_REASON_REQUIRED and what `ledger.write` raises.
    """
    device = await open_device(actor, device_id, allow_retired=True)
    note = text.clean(reason, max_length=200, min_length=0, field="reason")
    if state == "retired" and not note:
        raise Invalid("RETIREMENT_REASON_REQUIRED", "请写明报废的原因,它会记入资产台账", "reason")
    concerns("Device", device_id, device.compound_id, before=device.state, after=state)
    gone = _SILENT if state in ("in_store", "retired") else {}
    await rules.DEVICE.move(Device, device_id, device.state, state, **gone)
    kind = _ENTRIES.get(state) or ("installed" if device.state == "in_store" else "back")
    await ledger.write(actor, device_id, Line(kind, note, on_day))
    if kind == "installed":
        await Device.filter(pk=device_id, installed_on=None).update(installed_on=on_day or clock.today())
    if state == "retired":
        await clear_of_retired(device_id)
        await _end_keys(actor, device_id)
        await outbox.record(DeviceRetired(device_id, device.compound_id))
    return device_id


async def _end_keys(actor: Actor, device_id: UUID) -> None:
    keys = DeviceKey.filter(device_id=device_id, revoked_at=None)
    await keys.update(revoked_at=clock.now(), revoked_by=actor.account_id)


async def _check_building(compound_id: UUID, building_id: UUID | None) -> None:
    if building_id and not await Building.filter(pk=building_id, compound_id=compound_id).exists():
        raise NotFound("BUILDING_NOT_FOUND", "没有找到这栋楼,请刷新后重试", "building")


def _corrections(before: Columns, after: Columns, names: dict[UUID, str]) -> Iterator[Line]:
    """A line for each column that changed, in words."""
    for column, value in after.items():
        old, new = (_shown(column, each, names) for each in (before[column], value))
        kind = "moved" if column in checks.PLACED else "corrected"
        yield Line(kind, f"{checks.LABELS[column]}:{old} → {new}")


def _shown(column: str, value: object, names: dict[UUID, str]) -> str:
    if value is None or value == "":
        return "无"
    if isinstance(value, UUID):
        return names[value]
    return DEVICE_KINDS[str(value)].zh if column == "kind" else str(value)


async def _names(before: Columns, after: Columns) -> dict[UUID, str]:
    """Names of the buildings between which it moved."""
    ids = [id for id in (before.get("building_id"), after.get("building_id")) if id]
    rows = await Building.filter(pk__in=ids).values("id", "name") if ids else []
    return {row["id"]: row["name"] for row in rows}


def _is_of_controller(error: IntegrityError) -> bool:
    cause = error.__cause__
    return isinstance(cause, PostgresError) and cause.constraint_name == "device_kind_of_controller"


def _opens_door() -> Conflict:
    message = "这台设备是一扇门的控制器,不能改类型;请先移除那扇门,或另外登记一台设备"
    return Conflict("DEVICE_OPENS_DOOR", message, "kind")


def _code_taken() -> Conflict:
    return Conflict("DEVICE_CODE_TAKEN", "这个编号在本小区已经用过,请核对设备上的标签", "code")
