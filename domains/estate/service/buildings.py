"""Buildings, by staff (楼栋维护)."""

from __future__ import annotations

from uuid import UUID

from domains.estate import facts as checks
from domains.estate import permissions, places, rules, sql
from domains.estate.events import BuildingCreated, BuildingUpdated
from domains.estate.facts import BuildingFacts, Columns
from domains.estate.models import Building
from domains.kernel import clock, database, outbox, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, NotFound
from domains.kernel.ids import uuid7

STAFF = "staff"
NAME_MAX = 50


@command("building.create", caller="staff", permission=permissions.WRITE)
async def create_building(actor: Actor, *, compound_id: UUID, name: str, facts: BuildingFacts) -> UUID:
    """Record a building; for who may write in the whole compound.

    Raises Conflict BUILDING_EXISTS, Invalid NUMBER_RANGE or a TEXT_ code.
    """
    id = uuid7()
    concerns("Building", id, compound_id)
    # A building that is not there yet is in nobody's share of the compound.
    actor.require(permissions.WRITE, compound_id, id)
    await take_turn(compound_id)
    columns = await _naming(compound_id, name) | checks.building_columns(facts)
    await Building.create(id=id, compound_id=compound_id, source=STAFF, recorded_at=clock.now(), **columns)
    await outbox.record(BuildingCreated(id, compound_id))
    return id


@command("building.update", caller="staff", permission=permissions.WRITE)
async def update_building(
    actor: Actor, *, building_id: UUID, name: str | None = None, facts: BuildingFacts
) -> UUID:
    """Change what is given; with another name its houses are numbered anew.

    Raises NotFound BUILDING_NOT_FOUND, Conflict BUILDING_EXISTS, Invalid NUMBER_RANGE or a TEXT_ code.
    """
    building, compound_id = await open_building(actor, building_id)
    columns = checks.building_columns(facts)
    if name is not None:
        columns |= await _naming(compound_id, name, building_id)
    changed = {column: value for column, value in columns.items() if getattr(building, column) != value}
    concerns("Building", building_id, compound_id, changed=rules.changes(building, changed))
    if changed:
        await Building.filter(pk=building_id).update(**changed)
        await outbox.record(BuildingUpdated(building_id, compound_id, tuple(changed)))
    if "name" in changed or "sort" in changed:
        await database.execute(sql.RENUMBER, building_id, columns["name"], columns["sort"], building.sort)
    return building_id


async def open_building(actor: Actor, building_id: UUID) -> tuple[Building, UUID]:
    """A building the caller may write to, and its compound, until the end of the transaction nobody
    else's. Raises NotFound BUILDING_NOT_FOUND."""
    found = await Building.get_or_none(pk=building_id).values("compound_id")
    if found is None:
        raise NotFound("BUILDING_NOT_FOUND", "没有找到这栋楼,请刷新后重试", "building")
    compound_id: UUID = found["compound_id"]
    concerns("Building", building_id, compound_id)
    actor.require(permissions.WRITE, compound_id, building_id)
    await take_turn(compound_id)
    return await Building.get(pk=building_id), compound_id


async def take_turn(compound_id: UUID) -> None:
    """Who writes to the places of a compound does so alone, until the end of the transaction."""
    await database.execute(sql.TAKE_TURN, str(compound_id))


async def _naming(compound_id: UUID, written: str, but: UUID | None = None) -> Columns:
    """The columns of a building's name. Raises Conflict BUILDING_EXISTS where another is meant by it."""
    name = places.building_shown(text.clean(written, max_length=NAME_MAX, fold=True, field="name"))
    key = places.building_key(name)
    if await Building.filter(compound_id=compound_id, key=key).exclude(pk=but).exists():
        raise Conflict("BUILDING_EXISTS", f"{name}已经存在(写法可能不同),请核对", "name")
    return {"name": name, "key": key, "sort": rules.sort_key(key)}
