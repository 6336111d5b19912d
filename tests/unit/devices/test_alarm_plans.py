"""A hundred thousand alarms of a thousand devices: each statement reads what it is about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.observability import doors as metrics
from domains.devices import alarm_sql as sql
from domains.devices.kinds import ALARM_KINDS
from domains.devices.queries import alarms as queries
from domains.kernel import clock, database
from tests.factories import crowds
from tests.factories.identity import Places, places
from tests.unit.estate.test_plans import plan
from tests.unit.residents.test_plans import costs

pytestmark = pytest.mark.usefixtures("instance")

PAGE, ANY = 21, (False, False, False)
# Half of the devices stand in the compound, a hundred of them in its building; each has a hundred alarms, of which
# one in a hundred is open, and of these a few are calm.
FILL = (
    """
INSERT INTO device (id, compound_id, building_id, code, name, kind, state, is_online, last_seen_at, silent_after_s, maker,
    model, serial, place, owner, maintainer, maintainer_phone, recorded_at)
SELECT gen_random_uuid(), CASE WHEN n % 2 = 0 THEN $1::uuid ELSE $2::uuid END, CASE WHEN n % 10 = 0 THEN $3::uuid END,
    'P' || n, '设备', 'door', 'in_service', true, now() - CASE WHEN n % 100 = 0 THEN interval '1 hour' ELSE
    interval '9 s' END, 300, '', '', '', '', '', '', '', now()
FROM generate_series(1, 1000) AS n
""",
    """
INSERT INTO alarm (id, compound_id, building_id, device_id, kind, level, state, detail, opened_at, reported_at, reports,
    flaps, calm_since, cleared_at, is_false, note)
SELECT gen_random_uuid(), d.compound_id, d.building_id, d.id, (ARRAY['tamper', 'door_held', 'fault'])[1 + n % 3],
    (ARRAY['major', 'minor', 'minor'])[1 + n % 3], CASE WHEN n = 100 THEN 'open' ELSE 'cleared' END, '',
    now() - (100 - n) * interval '1 day' - random() * interval '1 day', now(), 1, 0,
    CASE WHEN n = 100 AND random() < 0.1 THEN now() - interval '1 hour' END, CASE WHEN n < 100 THEN now() END, false, ''
FROM device d, generate_series(1, 100) AS n WHERE d.code LIKE 'P%'
""",
)


@pytest.fixture(scope="module")
async def at(instance: object, addresses: Any) -> Places:  # Any: as the fixture gives it
    from tests.conftest import administer

    made = await places()
    async with crowds.unchecked():
        await database.execute(FILL[0], made.compound_id, made.other_compound_id, made.building_id)
        await database.execute(FILL[1])
    assert await database.fetchval("SELECT count(*) FROM alarm") == 100_000
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    return made


@pytest.fixture
async def some(at: Places) -> list[UUID]:
    """Devices of the compound."""
    found = "SELECT id FROM device WHERE compound_id = $1 ORDER BY id LIMIT 250"
    return [row["id"] for row in await database.fetch(found, at.compound_id)]


def asked(at: Places, place: int | None = None, value: object = None) -> list[object]:
    """What `ALARMS` takes for a first page, narrowed by one parameter ($2 to $9)."""
    narrowed: list[object] = [None] * 8
    if place is not None:
        narrowed[place - 2] = value
    return [at.compound_id, *narrowed, None, None, PAGE]


@pytest.mark.parametrize("deep", [False, True])
async def test_a_page_reads_its_own_rows(at: Places, some: list[UUID], deep: bool) -> None:
    values = asked(at)
    if deep:
        values[9:11] = [clock.now() - timedelta(days=50), some[0]]
    assert costs(await plan(queries.ALARMS[ANY], *values), "alarm") <= PAGE


async def test_a_page_of_what_is_open_reads_what_is_open(at: Places) -> None:
    top = await plan(queries.ALARMS[True, False, False], *asked(at, 3, ["open", "acknowledged"]))
    assert costs(top, "alarm") <= 500


async def test_a_page_of_a_device_reads_the_devices(at: Places, some: list[UUID]) -> None:
    top = await plan(queries.ALARMS[False, False, True], *asked(at, 9, some[0]))
    assert costs(top, "alarm") <= 100


async def test_a_page_of_a_period_reads_the_period(at: Places) -> None:
    top = await plan(queries.ALARMS[ANY], *asked(at, 7, clock.now() - timedelta(days=2)))
    assert costs(top, "alarm") <= PAGE


@pytest.mark.parametrize("kinds", [["tamper"], ["lift"], ["fire", "gas", "lift_trapped"]])
async def test_a_page_of_a_kind_reads_the_kinds(at: Places, kinds: list[str]) -> None:
    top = await plan(queries.ALARMS[False, True, False], *asked(at, 4, kinds))
    assert costs(top, "alarm") <= 1_000


async def test_a_page_of_a_level_reads_the_compounds_at_most(at: Places) -> None:
    values = asked(at, 4, ["tamper", "lift"])
    values[4] = "major"
    top = await plan(queries.ALARMS[False, True, False], *values)
    assert costs(top, "alarm") <= 50_000


async def test_statistics_read_the_period(at: Places) -> None:
    now = clock.now()
    top = await plan(queries.STATISTICS, at.compound_id, None, None, now - timedelta(days=7), now)
    assert costs(top, "alarm") <= 500 * 8


async def test_open_ones_of_devices_are_found_by_their_index(at: Places, some: list[UUID]) -> None:
    everything: tuple[list[UUID], list[UUID], list[UUID]] = ([at.compound_id], [], [])
    top = await plan(queries.OPEN_OF_DEVICES, some[:50], *everything)
    assert costs(top, "alarm") <= 50
    assert costs(await plan(queries.BY_ID, some[:20], *everything), "alarm") <= 20


async def test_a_batch_of_reports_reads_no_history(at: Places, some: list[UUID]) -> None:
    values = (some * 2, ["tamper"] * 250 + ["door_held"] * 250, clock.now())
    assert costs(await plan(sql.ON_RECORD, *values), "alarm") <= 3 * 500


async def test_what_is_calm_is_found_by_its_index(at: Places) -> None:
    kinds, delays = list(ALARM_KINDS), [each.off_delay for each in ALARM_KINDS.values()]
    async with database.transaction():
        top = await plan(sql.CLEAR_CALM, kinds, delays, clock.now(), 500)
    # What is calm is read by kind; the rows that are written are found by their ids.
    calm = await database.fetchval(
        "SELECT count(*) FROM alarm WHERE calm_since IS NOT NULL AND state = 'cleared'"
    )
    assert 0 < calm <= 500
    assert costs(top, "alarm") <= (len(kinds) + 2) * calm


async def test_who_is_silent_is_found_among_the_devices(at: Places) -> None:
    now = clock.now()
    for statement, more in ((sql.FALLEN_SILENT, [None]), (sql.HEARD_AGAIN, [])):
        top = await plan(statement, now, now - timedelta(minutes=1), *more)
        assert costs(top, "alarm") <= 2_000


async def test_the_metrics_read_what_is_open(at: Places) -> None:
    assert costs(await plan(metrics.ALARMS), "alarm") <= 1_100
