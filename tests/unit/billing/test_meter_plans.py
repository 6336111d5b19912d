"""A hundred thousand meters: lists, the review queue and reports look at what they show, or at one compound."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import orjson
import pytest

from domains.billing import meter_sql
from domains.billing.queries import consumption, meters, readings
from domains.billing.queries.meters import MeterFilter
from domains.kernel import database
from domains.kernel.actor import Actor
from tests.factories import crowds, residents
from tests.factories.residents import Scene

Plan = dict[str, Any]  # Any: EXPLAIN's own JSON
METERS = 100_000

# All in one compound, three months of readings each; one in a hundred was not read in the last month, and one in a
# hundred has a reading that waits.
FILL = (
    """
INSERT INTO meter (id, compound_id, house_id, building_id, kind, number, multiplier, digits, installed_on,
    recorded_at)
SELECT gen_random_uuid(), '{compound}', '{house}', '{building}', (ARRAY['water', 'electricity', 'gas'])[1 + n % 3],
    'N' || lpad(n::text, 6, '0'), 1, 5,
    '2026-01-01', now()
FROM generate_series(1, 100000) AS n
""",
    """
INSERT INTO meter_reading (id, compound_id, meter_id, read_at, read_on, value, total, source, state, problem, note,
    received_at)
SELECT gen_random_uuid(), m.compound_id, m.id, d::timestamp AT TIME ZONE 'UTC', d, 10 * k, 10 * k, 'staff', 'accepted', '',
    '', now()
FROM meter m, generate_series(0, 2) AS k,
    LATERAL (SELECT ('2026-01-01'::date + make_interval(months => k))::date AS d) AS on_day
WHERE k < 2 OR m.number NOT LIKE '%77'
""",
    """
INSERT INTO meter_reading (id, compound_id, meter_id, read_at, read_on, value, source, state, problem, note, received_at)
SELECT gen_random_uuid(), m.compound_id, m.id, '2026-03-20', '2026-03-20', 1, 'staff', 'held', 'BACKWARDS', '', now()
FROM meter m WHERE m.number LIKE '%33'
""",
)


@pytest.fixture(scope="module")
async def at(instance: object, addresses: Any) -> Scene:  # Any: as the fixture has it
    from tests.conftest import administer

    made = await residents.scene()
    place = {"compound": made.compound_id, "house": made.house_id, "building": made.building_id}
    async with crowds.unchecked():
        for statement in (FILL[0].format(**place), *FILL[1:]):
            await database.execute(statement)
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    return made


@pytest.fixture
def staff(at: Scene) -> Actor:
    return at.staff("meters.read", "meters.write")


async def plan(statement: str, *values: object) -> Plan:
    text = await database.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *values)
    found: Plan = orjson.loads(text)[0]["Plan"]
    return found


def nodes(top: Plan) -> Iterator[Plan]:
    yield top
    for below in top.get("Plans", ()):
        yield from nodes(below)


def read_rows(top: Plan, table: str) -> int:
    """Rows of a table that were looked at; -1 where it was read from end to end."""
    scans = [node for node in nodes(top) if node.get("Relation Name") == table]
    if any("Seq Scan" in node["Node Type"] for node in scans):
        return -1
    return sum(
        int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in scans
    )


async def page(actor: Actor, at: Scene, after: Any = None, **narrowed: Any) -> Plan:  # Any: filters
    text, values = meters.page_statement(
        actor, at.compound_id, MeterFilter(**narrowed), after=after, limit=21
    )
    return await plan(text, *values)


@pytest.mark.parametrize("after", [None, ("gas", "N050000", UUID(int=0))])
async def test_a_page_reads_its_own_rows_wherever_it_begins(
    at: Scene, staff: Actor, after: tuple[object, ...] | None
) -> None:
    top = await page(staff, at, after)
    assert 0 < read_rows(top, "meter") <= 25
    assert 0 < read_rows(top, "meter_reading") <= 50


async def test_meters_without_a_reading_are_found_by_looking_once_for_each(at: Scene, staff: Actor) -> None:
    top = await page(staff, at, unread_since=date(2026, 3, 1))
    assert 0 < read_rows(top, "meter") <= 8_000 and top["Actual Total Time"] < 500
    assert 0 < read_rows(top, "meter_reading") <= 8_000
    none = await page(staff, at, unread_since=date(2026, 1, 1))
    assert 0 < read_rows(none, "meter_reading") <= METERS and none["Actual Total Time"] < 3_000
    assert (
        await meters.count_meters(staff, at.compound_id, MeterFilter(unread_since=date(2026, 3, 1))) == 1000
    )


async def test_the_queue_reads_what_waits(at: Scene) -> None:
    for after in ((None, None), (await database.fetchval("SELECT now()"), UUID(int=0))):
        top = await plan(readings.TO_REVIEW, at.compound_id, None, None, *after, 21)
        print(top["Actual Total Time"])
        assert 0 <= read_rows(top, "meter_reading") <= 60
        assert 0 <= read_rows(top, "meter") <= 25
    top = await plan(readings.COUNT_TO_REVIEW, at.compound_id, None, None)
    assert read_rows(top, "meter_reading") <= 1000


async def test_a_reading_is_judged_by_a_few_looks(at: Scene) -> None:
    ids = [row["id"] for row in await database.fetch("SELECT id FROM meter ORDER BY number LIMIT 100")]
    instant = await database.fetchval("SELECT '2026-03-25'::timestamptz")
    top = await plan(meter_sql.AROUND, ids, [instant] * 100, [date(2026, 3, 25)] * 100)
    assert 0 < read_rows(top, "meter_reading") <= 100 * 10


async def test_a_report_of_a_month_looks_twice_at_each_meter(at: Scene) -> None:
    month = date(2026, 2, 1)
    top = await plan(consumption.REPORT, at.compound_id, None, None, None, month, month)
    assert 0 < read_rows(top, "meter_reading") <= 2 * METERS
    assert top["Actual Total Time"] < 5_000


async def test_what_a_meter_used_is_a_look_for_each_month(at: Scene) -> None:
    ids = [row["id"] for row in await database.fetch("SELECT id FROM meter LIMIT 20")]
    months = date(2025, 4, 1), date(2026, 4, 1)
    top = await plan(consumption.OF_METERS, ids, [at.compound_id], [], [], None, *months)
    assert 0 < read_rows(top, "meter_reading") <= 20 * 14
    top = await plan(readings.OF_METER, ids[0], [at.compound_id], [], [], None, None, None, 21)
    assert 0 < read_rows(top, "meter_reading") <= 30
