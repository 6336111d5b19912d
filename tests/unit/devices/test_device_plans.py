"""A hundred thousand devices: the indexes serve every page, search and statistic, and what hangs on a device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import orjson
import pytest

from domains.devices import jobs, permissions
from domains.devices.queries import devices, keys, ledger, readings
from domains.devices.queries.devices import DeviceFilter
from domains.devices.service import presence, telemetry
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.ids import uuid7
from tests.factories import crowds, residents
from tests.factories.identity import Places, places

LARGEST = 5_000
Plan = dict[str, Any]  # Any: EXPLAIN's own JSON

# Twenty compounds of five thousand devices, each with lines of the ledger; one device in fifty measures something.
FILL = (
    """
INSERT INTO compound (id, region_id, company_id, name, code, address, service_phone)
SELECT gen_random_uuid(), c.region_id, c.company_id, 'n' || n, 'DEV' || n, '', ''
FROM generate_series(1, 19) AS n, compound c WHERE c.id = $1
""",
    """
INSERT INTO device (id, compound_id, building_id, code, name, kind, maker, model, serial, place, owner, maintainer,
    maintainer_phone, state, installed_on, recorded_at)
SELECT gen_random_uuid(), c.id, CASE WHEN c.id = $1 AND n % 50 = 0 THEN $2::uuid END, 'D' || lpad(n::text, 5, '0'),
    '设备' || n, (ARRAY['door', 'gate', 'lift', 'smoke_detector'])[1 + n % 4], '', '', 'SN' || n, n || '号位', '', '', '',
    CASE n % 10 WHEN 0 THEN 'in_store' ELSE 'in_service' END, current_date - n, now()
FROM compound c, generate_series(1, 5000) AS n
WHERE c.region_id = (SELECT region_id FROM compound WHERE id = $1) AND (c.id = $1 OR c.code LIKE 'DEV%')
""",
    """
INSERT INTO asset_entry (id, device_id, kind, on_day, note, vendor, cost_fen, recorded_at)
SELECT gen_random_uuid(), d.id, 'registered', current_date, '', '', 100, now() FROM device d
""",
    """
INSERT INTO reading (id, device_id, metric, value, measured_at, received_at)
SELECT gen_random_uuid(), d.id, 'level_m', 1, now() - n * interval '1 minute', now() - n * interval '1 minute'
FROM (SELECT id FROM device WHERE code LIKE '%50') AS d, generate_series(1, 100) AS n
""",
    """
INSERT INTO latest_reading (id, device_id, metric, value, measured_at, received_at)
SELECT gen_random_uuid(), d.id, metric, 1, now(), now() FROM device d, unnest(ARRAY['a', 'b']) AS metric
""",
    """
INSERT INTO device_refusal (id, device_id, on_day, way, code, count, last_at)
SELECT gen_random_uuid(), id, current_date, 'mqtt', 'X', 1, now() FROM device
""",
)


@pytest.fixture(scope="module")
async def at(instance: object, addresses: Any) -> Places:  # Any: as the fixture has it
    from tests.conftest import administer

    made = await places()
    async with crowds.unchecked():
        for statement in FILL:
            values = (made.compound_id, made.building_id)
            await database.execute(statement, *values[: 2 if "$2" in statement else "$1" in statement])
    assert await database.fetchval("SELECT count(*) FROM device") >= 100_000
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    return made


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


def read_rows(top: Plan, table: str) -> int:
    """Rows of a table that were looked at; -1 where it was read from end to end."""
    scans = [node for node in nodes(top) if node.get("Relation Name") == table]
    if any("Seq Scan" in node["Node Type"] for node in scans):
        return -1
    return sum(
        int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in scans
    )


async def page(
    actor: Actor, at: Places, after: tuple[object, ...] | None = None, **narrowed: Any
) -> Plan:  # Any: filters
    text, values = devices.page_statement(
        actor, at.compound_id, DeviceFilter(**narrowed), after=after, limit=21
    )
    return await plan(text, *values)


async def some(count: int) -> Sequence[UUID]:
    return [
        row["id"]
        for row in await database.fetch("SELECT id FROM device WHERE code LIKE '%50' LIMIT $1", count)
    ]


@pytest.mark.parametrize("after", [None, ("D02500", UUID(int=0))])
async def test_a_page_reads_its_own_rows_wherever_it_begins(
    at: Places, staff: Actor, after: tuple[object, ...] | None
) -> None:
    assert 0 < read_rows(await page(staff, at, after), "device") <= 25


async def test_a_filter_reads_the_compound_at_most(at: Places, staff: Actor) -> None:
    for narrowed in (
        {"kind": "lift"},
        {"state": "in_store"},
        {"is_online": True},
        {"search": "4321"},
        {"search": "没有"},
    ):
        assert 0 <= read_rows(await page(staff, at, **narrowed), "device") <= LARGEST


async def test_staff_of_a_building_read_that_building(at: Places) -> None:
    local = residents.staff(permissions.READ, compound_id=at.compound_id, building_id=at.building_id)
    assert 0 < read_rows(await page(local, at), "device") <= 100


async def test_the_statistics_read_the_compound_and_nothing_else(at: Places) -> None:
    top = await plan(ledger.STATISTICS, at.compound_id, None, clock.today())
    assert 0 < read_rows(top, "device") <= LARGEST
    assert 0 < read_rows(top, "asset_entry") <= LARGEST
    assert top["Actual Total Time"] < 1000


async def test_what_hangs_on_devices_is_found_by_them(at: Places) -> None:
    ids, none = await some(20), (None, None)
    reach = (ids, [at.compound_id], [at.building_id])
    everywhere = [row["id"] for row in await database.fetch("SELECT id FROM compound")]
    for statement, table, values in (
        (ledger.OF_DEVICES, "asset_entry", (*reach, 21, *none)),
        (readings.LATEST, "latest_reading", (*reach, 100)),
        (readings.HISTORY, "reading", (ids, everywhere, [], 21, "level_m", *none)),
        (readings.REFUSALS, "device_refusal", (*reach, 100, clock.today())),
        (keys.OF_DEVICES, "device_key", (*reach, 20)),
    ):
        top = await plan(statement, *values)
        assert 0 <= read_rows(top, "device") <= 20
        assert table == "device_key" or 0 <= read_rows(top, table) <= 20 * 22, table


async def test_what_devices_say_is_written_by_their_ids(at: Places) -> None:
    ids, now = await some(100), clock.now()
    many = len(ids)
    columns = ([uuid7() for _ in ids], ids, ["x"] * many, [now] * many, [1] * many, [now] * many, ids, 64)
    top = await plan(telemetry.TAKE, *columns)
    assert 0 < read_rows(top, "device") <= many
    top = await plan(presence.SEEN, ids, [True] * many, [now] * many, presence.WRITTEN_EVERY_S)
    assert 0 < read_rows(top, "device") <= 2 * many
    assert read_rows(await plan(keys.FIND, "0" * 16), "device") <= 1


async def test_what_is_young_is_not_read_to_forget_what_is_old(at: Places) -> None:
    top = await plan(jobs.PURGE_READINGS, clock.now() - telemetry.KEPT, 20_000)
    assert read_rows(top, "reading") == 0
