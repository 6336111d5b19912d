"""Writes a register into the tables in one transaction, or says what it would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from domains.estate.sql import TAKE_TURN
from domains.kernel import clock, database
from domains.residents.importing import rows, statements
from domains.residents.importing.drafts import gather_people
from domains.residents.register.problems import RowError
from domains.residents.register.reading import Register


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows on their way, as JSON; made outside of the transaction, for sealing takes time."""

    buildings: str
    units: str
    houses: str
    people: str
    occupancies: str
    vehicles: str


def stage(register: Register) -> Staged:
    """Put the rows together; the same humans named in several places become one."""
    people = gather_people(register)
    return Staged(
        *map(
            _json,
            (
                rows.building_rows(register),
                rows.unit_rows(register),
                rows.house_rows(register),
                rows.person_rows(people),
                rows.occupancy_rows(people),
                rows.vehicle_rows(register),
            ),
        )
    )


def _json(staged: Sequence[rows.Row]) -> str:
    return orjson.dumps(staged, default=str).decode()


class HousesMissing(Exception):
    """People or vehicles of houses that neither the file nor the compound has."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__(len(errors))
        self.errors = tuple(errors)


class Rehearsed(Exception):
    """Carries the counts of a write that is taken back."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        super().__init__()
        self.counts = counts


async def rehearse(compound_id: UUID, staged: Staged) -> Mapping[str, int]:
    """What writing would do: the same statements, taken back at the end."""
    try:
        async with database.transaction():
            raise Rehearsed(await write(compound_id, staged))
    except Rehearsed as done:
        return done.counts


async def write(compound_id: UUID, staged: Staged) -> Mapping[str, int]:
    """Write everything in the open transaction; how many rows of each kind were created, updated or ended.

    Raises HousesMissing. Imports of one compound wait for each other.
    """
    now = clock.now()
    await database.execute(TAKE_TURN, str(compound_id))
    counts = await _write_places(compound_id, staged, now)
    await database.execute(statements.STAGE_PEOPLE, staged.people)
    await database.execute(statements.STAGE_OCCUPANCIES, compound_id, staged.occupancies)
    await database.execute(statements.STAGE_VEHICLES, compound_id, staged.vehicles)
    await database.execute("ANALYZE staged_person; ANALYZE staged_occupancy; ANALYZE staged_vehicle")
    await _refuse_unknown_houses()
    for match in statements.MATCH_PEOPLE:
        await database.execute(match, *((compound_id,) if "$1" in match else ()))
    return counts | await _write_people(compound_id, now)


async def _write_places(compound_id: UUID, staged: Staged, now: object) -> dict[str, int]:
    await database.execute(statements.STAGE_BUILDINGS, staged.buildings)
    updated_buildings = await database.execute(statements.UPDATE_BUILDINGS, compound_id)
    created_buildings = await database.execute(statements.WRITE_BUILDINGS, compound_id, now)
    created_units = await database.execute(statements.WRITE_UNITS, compound_id, staged.units, now)
    await database.execute(statements.STAGE_HOUSES, compound_id, staged.houses)
    await database.execute("ANALYZE staged_house")
    updated_houses = await database.execute(statements.UPDATE_HOUSES)
    created_houses = await database.execute(statements.WRITE_HOUSES, compound_id, now)
    return {
        "buildings_created": created_buildings, "buildings_updated": updated_buildings,
        "units_created": created_units,
        "houses_created": created_houses, "houses_updated": updated_houses,
    }  # fmt: skip


async def _write_people(compound_id: UUID, now: object) -> dict[str, int]:
    return {
        "people_updated": await database.execute(statements.UPDATE_PEOPLE),
        "people_created": await database.execute(statements.WRITE_PEOPLE, compound_id, now),
        "occupancies_updated": await database.execute(statements.UPDATE_OCCUPANCIES),
        "occupancies_created": await database.execute(statements.WRITE_OCCUPANCIES, compound_id, now),
        "occupancies_ended": await database.execute(statements.END_FORMER_OWNERS, now),
        "vehicles_updated": await database.execute(statements.UPDATE_VEHICLES, compound_id),
        "vehicles_created": await database.execute(statements.WRITE_VEHICLES, compound_id, now),
    }


async def _refuse_unknown_houses() -> None:
    unknown = await database.fetch(statements.UNKNOWN_HOUSES)
    if unknown:
        raise HousesMissing([_unknown(row["sheet"], row["line"], row["room_key"]) for row in unknown])


def _unknown(sheet: str, line: int, room: str) -> RowError:
    message = f"第 {line} 行的房号「{room}」既不在本文件中,也不在小区已有的房屋中,请核对楼栋、单元和房号"
    return RowError(sheet, line, "房号", "HOUSE_UNKNOWN", message, room)
