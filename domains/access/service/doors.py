"""The register of doors (门禁点位登记): which controller opens what, where it leads and how it may be opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from domains.access import permissions
from domains.access.community import rules_of
from domains.access.models import Door
from domains.access.rules import METHODS
from domains.access.service import statements
from domains.devices.events import DeviceRetired
from domains.kernel import clock, database, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.events import Event
from domains.kernel.ids import uuid7

CONTROLLERS = {"door", "gate", "vehicle_gate"}
# Of a door without its controller, or with a new one: nothing is known, and nothing was ordered yet. Where the
# building burns, whoever sees to its doors by turns finds one that is not released.
_UNHEARD: Mapping[str, Any] = {  # Any: column values
    "mode": "normal", "position": "unknown", "position_at": None, "released_by_id": None,
}  # fmt: skip


@command("door.register", caller="staff", permission=permissions.DOORS_WRITE)
async def register_door(
    actor: Actor,
    *,
    compound_id: UUID,
    device_id: UUID,
    name: str,
    kind: str,
    direction: str = "both",
    building_id: UUID | None = None,
    unit_id: UUID | None = None,
    methods: Collection[str] = ("app", "qr"),
    is_for_visitors: bool = True,
    needs_screen: bool = False,
) -> UUID:
    """Enter a door into the register. Its number, by which passes name it, is the compound's next and is never
    used again. A door of a staircase names unit and building, one of a building the building.

    Raises DOOR_PLACE_INVALID, DOOR_KIND_INVALID, DEVICE_NOT_A_DOOR, DEVICE_TAKEN, DOOR_METHOD_UNKNOWN.
    """
    require_over(actor, permissions.DOORS_WRITE, compound_id, building_id)
    await _require_place(compound_id, building_id, unit_id, kind)
    # Of two who register at once the second waits here: for its number, and for the controller being taken.
    await database.execute(statements.DOOR_TURN, compound_id)
    await _require_controller(compound_id, device_id)
    await rules_of(compound_id)
    id, number = uuid7(), await database.fetchval(statements.NEXT_NUMBER, compound_id)
    concerns("Door", id, compound_id, number=number, device=device_id, kind=kind)
    await Door.create(
        id=id, compound_id=compound_id, building_id=building_id, unit_id=unit_id, device_id=device_id, number=number,
        name=text.clean(name, max_length=60, field="name"), kind=kind, direction=direction, methods=_known(methods),
        is_for_visitors=is_for_visitors, needs_screen=needs_screen, recorded_at=clock.now(),
    )  # fmt: skip
    return id


@command("door.update", caller="staff", permission=permissions.DOORS_WRITE)
async def update_door(
    actor: Actor,
    *,
    door_id: UUID,
    name: str | None = None,
    direction: str | None = None,
    methods: Collection[str] | None = None,
    is_for_visitors: bool | None = None,
    needs_screen: bool | None = None,
    device_id: UUID | None = None,
) -> UUID:
    """Change what is given, and nothing else; another `device_id` is a controller that was replaced. Where a
    door leads stays as it is: one that was moved is another door.

    Raises DOOR_NOT_FOUND, DEVICE_NOT_A_DOOR, DEVICE_TAKEN, DOOR_METHOD_UNKNOWN.
    """
    door = await reach(actor, door_id)
    changes: dict[str, Any] = {  # Any: column values
        "name": None if name is None else text.clean(name, max_length=60, field="name"),
        "direction": direction, "methods": None if methods is None else _known(methods),
        "is_for_visitors": is_for_visitors, "needs_screen": needs_screen,
    }  # fmt: skip
    if device_id is not None and device_id != door["device_id"]:
        await database.execute(statements.DOOR_TURN, door["compound_id"])
        await _require_controller(door["compound_id"], device_id)
        changes |= {"device_id": device_id}
    given = {column: value for column, value in changes.items() if value is not None}
    concerns("Door", door_id, door["compound_id"], changed=sorted(given))
    if "device_id" in given:
        given |= _UNHEARD
    if given:
        await Door.filter(pk=door_id).update(**given)
    return door_id


@command("door.remove", caller="staff", permission=permissions.DOORS_WRITE)
async def remove_door(actor: Actor, *, door_id: UUID) -> UUID:
    """Take a door out of the register; its controller is free for another, its records stay. Raises
    DOOR_NOT_FOUND."""
    await reach(actor, door_id)
    await Door.filter(pk=door_id).update(removed_at=clock.now(), **_UNHEARD)
    return door_id


async def remove_with_device(event: Event, _: UUID) -> None:
    """A controller whose life is over opens nothing: its door leaves the register."""
    assert isinstance(event, DeviceRetired)
    await Door.filter(device_id=event.device_id, removed_at=None).update(removed_at=clock.now(), **_UNHEARD)


def require_over(actor: Actor, permission: str, compound_id: UUID, building_id: UUID | None) -> None:
    """Refuse who does not hold the permission there; a door of the whole compound is not theirs who hold it
    over some buildings."""
    actor.require(permission, compound_id, building_id)
    if (
        building_id is None
        and actor.kind != "system"
        and actor.buildings(permission, compound_id) is not None
    ):
        actor.refuse(compound_id)


async def reach(actor: Actor, door_id: UUID, **facts: object) -> Mapping[str, Any]:  # Any: column values
    """What every command on a registered door begins with: the row, locked. Raises DOOR_NOT_FOUND."""
    found = await Door.filter(pk=door_id, removed_at=None).select_for_update().values()
    if not found:
        raise NotFound("DOOR_NOT_FOUND", "没有找到这扇门,请刷新后重试", "door")
    concerns("Door", door_id, found[0]["compound_id"], **facts)
    require_over(actor, permissions.DOORS_WRITE, found[0]["compound_id"], found[0]["building_id"])
    return found[0]


async def _require_place(
    compound_id: UUID, building_id: UUID | None, unit_id: UUID | None, kind: str
) -> None:
    if await database.fetchrow(statements.PLACE, compound_id, building_id, unit_id) is None:
        raise Invalid("DOOR_PLACE_INVALID", "楼栋或单元不属于这个小区,请重新选择", "building")
    if (kind == "unit_door") != (building_id is not None) and kind != "facility":
        raise Invalid("DOOR_KIND_INVALID", "单元门须选择楼栋,小区出入口不能选择楼栋,请检查", "kind")


async def _require_controller(compound_id: UUID, device_id: UUID) -> None:
    device = await database.fetchrow(statements.DEVICE, device_id, compound_id)
    if device is None or device["kind"] not in CONTROLLERS or device["state"] == "retired":
        raise Invalid("DEVICE_NOT_A_DOOR", "请选择本小区在用的门禁控制器、闸机或道闸", "device")
    if device["is_taken"]:
        raise Conflict("DEVICE_TAKEN", "这台设备已用于另一扇门,请先移除那扇门或换一台设备", "device")


def _known(methods: Collection[str]) -> list[str]:
    """Each once, in the order of the table."""
    if unknown := set(methods) - set(METHODS):
        raise Invalid("DOOR_METHOD_UNKNOWN", f"不支持这种开门方式:{'、'.join(sorted(unknown))}", "methods")
    return [each for each in METHODS if each in methods]
