"""A hundred thousand houses: the indexes serve every page, count and search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest

from domains.estate import permissions, queries, sql
from domains.estate.models import Building
from domains.estate.queries import BY_PLACE, LATEST, HouseFilter, HouseOrder
from domains.kernel import database
from domains.kernel.actor import Actor
from tests.factories import crowds, residents
from tests.factories.identity import Places, places

COMPOUNDS, LARGEST = 50, 5_000
Plan = dict[str, Any]  # Any: EXPLAIN's own JSON

# A company with fifty compounds, one of them of five thousand houses, the largest there are.
FILL = (
    """
INSERT INTO compound (id, region_id, company_id, name, code, address, service_phone)
SELECT gen_random_uuid(), c.region_id, c.company_id, 'n' || n, 'PLAN' || n, '', ''
FROM generate_series(1, 50) AS n, compound c WHERE c.id = $1
""",
    """
INSERT INTO building (id, compound_id, name, key, sort, code, use, structure, standard_address, police_station,
    street_in_charge, source, recorded_at)
SELECT gen_random_uuid(), c.id, b || '号楼', b::text, lpad(b::text, 6, '0'), '', '', '', '', '', '', 'import', now()
FROM compound c, generate_series(11, CASE WHEN c.id = $1 THEN 60 ELSE 30 END) AS b
""",
    """
INSERT INTO unit (id, compound_id, building_id, name, key, sort, source, recorded_at)
SELECT gen_random_uuid(), compound_id, id, '1单元', '1', '000001', 'import', now() FROM building WHERE key::int > 10
""",
    """
INSERT INTO house (id, compound_id, building_id, unit_id, room, room_key, number, sort, built_area_m2, use, state,
    is_rented, title_document, source, recorded_at)
SELECT gen_random_uuid(), u.compound_id, b.id, u.id, room, room, b.name || u.name || room,
    b.sort || '/' || u.sort || '/' || lpad(room, 6, '0'), 80, 'residential', 'vacant', false, '', 'import', now()
FROM unit u JOIN building b ON b.id = u.building_id,
    generate_series(1, 25) AS floor, generate_series(1, 4) AS door, format('%s0%s', floor, door) AS room
""",
)


@pytest.fixture(scope="module")
async def at(instance: object) -> Places:
    made = await places()
    async with crowds.unchecked():
        for statement in FILL:
            await database.execute(statement, *([made.compound_id] if "$1" in statement else ()))
    assert await database.fetchval("SELECT count(*) FROM house") >= 100_000
    return made


@pytest.fixture(scope="module", autouse=True)
async def analysed(at: Places, addresses: Any) -> None:
    """As autovacuum leaves it, by the owner."""
    from tests.conftest import administer

    await administer(addresses.owner_url, "VACUUM ANALYZE")


@pytest.fixture
def staff(at: Places) -> Actor:
    return residents.staff(permissions.READ, compound_id=at.compound_id)


async def plan(statement: str, *values: object) -> Plan:
    text = await database.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *values)
    found: Plan = orjson.loads(text)[0]["Plan"]
    return found


def nodes(top: Plan) -> Iterator[Plan]:
    yield top
    for below in top.get("Plans", ()):
        yield from nodes(below)


def scans(top: Plan, table: str) -> list[Plan]:
    return [node for node in nodes(top) if node.get("Relation Name") == table]


def read_rows(node: Plan) -> int:
    return int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])


async def page(
    staff: Actor,
    at: Places,
    filter: HouseFilter,
    after: tuple[object, ...] | None = None,
    order: HouseOrder = BY_PLACE,
) -> Plan:
    text, values = queries.houses_statement(staff, at.compound_id, filter, after=after, limit=21, order=order)
    return await plan(text, *values)


async def middle(at: Places, column: str) -> tuple[object, ...]:
    row = await database.fetchrow(
        f"SELECT {column}, id FROM house WHERE compound_id = $1 ORDER BY 1, 2 OFFSET 2500 LIMIT 1",
        at.compound_id,
    )
    assert row
    return tuple(row)


@pytest.mark.parametrize("order", [BY_PLACE, LATEST])
@pytest.mark.parametrize("deep", [False, True])
async def test_a_page_reads_its_own_rows_wherever_it_begins(
    at: Places, staff: Actor, order: HouseOrder, deep: bool
) -> None:
    top = await page(staff, at, HouseFilter(), await middle(at, order.column) if deep else None, order)
    [scan] = scans(top, "house")
    assert scan["Index Name"] in ("house_compound_sort", "house_compound_recorded")
    assert read_rows(scan) <= 21


async def test_a_page_of_a_building_reads_that_building_at_most(at: Places, staff: Actor) -> None:
    building_id: UUID = (await Building.get(compound_id=at.compound_id, key="40")).id
    for actor in (
        staff,
        residents.staff(permissions.READ, compound_id=at.compound_id, building_id=building_id),
    ):
        top = await page(actor, at, HouseFilter(building_id=building_id))
        [scan] = scans(top, "house")
        assert "Seq Scan" not in scan["Node Type"]
        assert read_rows(scan) <= 100


@pytest.mark.parametrize("number", ["2504", "35号楼", "60-1-2504", "没有这样的"])
async def test_a_search_reads_the_compound_at_most(at: Places, staff: Actor, number: str) -> None:
    top = await page(staff, at, HouseFilter(number=number))
    assert all("Seq Scan" not in scan["Node Type"] for scan in scans(top, "house"))
    assert sum(read_rows(scan) for scan in scans(top, "house")) <= LARGEST


async def test_counts_read_the_compound_and_nothing_else(at: Places, staff: Actor) -> None:
    reach: tuple[list[UUID], ...] = ([at.compound_id], [], [])
    for statement, values in (
        (sql.houses_count("h.compound_id = $1"), (at.compound_id,)),
        (sql.COUNTS_OF_COMPOUNDS, (*reach, [at.compound_id])),
    ):
        found = scans(await plan(statement, *values), "house")
        assert found and all("Seq Scan" not in scan["Node Type"] for scan in found)
        assert sum(read_rows(scan) for scan in found) <= LARGEST


async def test_what_is_asked_for_by_id_is_found_by_it(at: Places, staff: Actor) -> None:
    ids = [row["id"] for row in await database.fetch("SELECT id FROM house LIMIT 100")]
    top = await plan(sql.HOUSES_BY_ID, [at.compound_id], [], [], ids)
    assert all("Seq Scan" not in scan["Node Type"] for scan in scans(top, "house"))
    buildings = [row["id"] for row in await database.fetch("SELECT id FROM building LIMIT 20")]
    for statement in (sql.UNITS_OF_BUILDINGS, sql.HOUSES_OF_BUILDINGS):
        top = await plan(statement, [at.compound_id], [], [], buildings)
        assert all("Seq Scan" not in scan["Node Type"] for scan in scans(top, "house"))
