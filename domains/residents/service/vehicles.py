"""Vehicles and e-bikes of a house (车辆、电动自行车登记)."""

from __future__ import annotations

from uuid import UUID

from domains.kernel import clock, database, outbox, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, NotFound
from domains.kernel.ids import uuid7
from domains.residents import permissions, plates, sql
from domains.residents.events import VehicleRegistered
from domains.residents.models import Vehicle


@command("vehicle.register", caller="account")
async def register_vehicle(
    actor: Actor,
    *,
    house_id: UUID,
    kind: plates.Kind,
    plate: str,
    plate_colour: str | None = None,
    brand: str = "",
    model: str = "",
    colour: str = "",
) -> UUID:
    """Register a vehicle to one's own house, or as staff to any. A plate is registered once per compound.

    Raises PLATE_INVALID, PLATE_COLOUR_CONFLICT, PLATE_TAKEN.
    """
    compound_id = await _authorised(actor, house_id)
    read = plates.read(kind, plate, plate_colour)
    id, source = uuid7(), "resident" if actor.kind == "resident" else "staff"
    described = (
        text.clean(words, max_length=most, min_length=0, field=field)
        for field, words, most in (("brand", brand, 40), ("model", model, 40), ("colour", colour, 20))
    )
    concerns("Vehicle", id, compound_id, house=house_id, kind=kind)
    if not await database.execute(
        sql.ADD_VEHICLE, id, compound_id, house_id, actor.account_id, kind, read.number, read.colour, *described, source,
        clock.now(),
    ):  # fmt: skip
        raise Conflict("PLATE_TAKEN", "这个车牌在本小区已经登记,如不是您登记的请联系物业", "plate")
    await outbox.record(VehicleRegistered(id, compound_id, house_id))
    return id


async def _authorised(actor: Actor, house_id: UUID) -> UUID:
    """The compound of a house to which the caller may add vehicles."""
    place = await database.fetchrow(sql.HOUSE_PLACE, house_id)
    if place is None:
        actor.refuse()
    _require(actor, house_id, place["compound_id"], place["building_id"])
    return UUID(str(place["compound_id"]))


def _require(actor: Actor, house_id: UUID, compound_id: UUID, building_id: UUID) -> None:
    if actor.kind != "resident":
        actor.require(permissions.WRITE, compound_id, building_id)
    elif all(tie.house_id != house_id for tie in actor.houses):
        actor.refuse()


@command("vehicle.remove", caller="account")
async def remove_vehicle(actor: Actor, *, vehicle_id: UUID) -> UUID:
    """Take a vehicle out of the register; its plate is free again. Raises VEHICLE_NOT_FOUND."""
    await reach(actor, vehicle_id)
    if not await Vehicle.filter(pk=vehicle_id, removed_at=None).update(removed_at=clock.now()):
        raise NotFound("VEHICLE_NOT_FOUND", "没有找到这辆车,请刷新后重试", "vehicle")
    return vehicle_id


@command("vehicle.flag", caller="staff", permission=permissions.WRITE)
async def flag_vehicle(actor: Actor, *, vehicle_id: UUID, flag: plates.Flag | None) -> UUID:
    """Mark a vehicle as stolen or its plate as cloned (被盗、套牌), or clear the mark. Raises VEHICLE_NOT_FOUND."""
    await reach(actor, vehicle_id, flag=flag)
    await Vehicle.filter(pk=vehicle_id).update(flag=flag)
    return vehicle_id


async def reach(actor: Actor, vehicle_id: UUID, **facts: object) -> None:
    """What every command on a registered vehicle begins with. Raises VEHICLE_NOT_FOUND."""
    place = await database.fetchrow(sql.VEHICLE_PLACE, vehicle_id)
    if place is None:
        raise NotFound("VEHICLE_NOT_FOUND", "没有找到这辆车,请刷新后重试", "vehicle")
    concerns("Vehicle", vehicle_id, place["compound_id"], **facts)
    _require(actor, place["house_id"], place["compound_id"], place["building_id"])
