"""A hundred thousand passes in one compound: a page reads what it shows, a day's list its day at most."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domains.access import pass_sql, visits
from domains.access.queries import guard, passes, visitor_page
from domains.access.rules import REQUEST_LIFE, TOLERANCE
from domains.kernel import clock, database
from tests.conftest import administer
from tests.factories import crowds, residents
from tests.factories.residents import Scene
from tests.unit.estate.test_plans import Plan, nodes, plan

pytestmark = pytest.mark.usefixtures("instance")

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)

# A year of 270 passes a day for two hundred houses; only the last ones are not over.
FILL = """
INSERT INTO visitor_pass (id, compound_id, house_id, host_id, origin, state, guest_name, phone_sealed, phone_index,
    phone_tail_index, plate, is_car_refused, companions, purpose, message, starts_at, ends_at, uses_allowed, uses, link_hash,
    link_sealed, requested_at, decided_at, reason, ended_at, inside_since, last_used_at)
SELECT gen_random_uuid(), $1, h.id, $2, 'host', CASE WHEN n < 200 THEN 'active' ELSE 'expired' END, md5(n::text),
    sha256(n::text::bytea), sha256(n::text::bytea), sha256((n % 10000)::text::bytea),
    CASE WHEN n % 3 = 0 THEN '浙A' || lpad((n % 99999)::text, 5, '0') ELSE '' END, false, 0, 'visit', '',
    $3::timestamptz - n * interval '5 minutes', $3::timestamptz - n * interval '5 minutes' + interval '3 hours', 1, 0,
    sha256(('link' || n)::bytea), '', $3::timestamptz - n * interval '5 minutes', $3, '',
    CASE WHEN n >= 200 THEN $3::timestamptz END, came.at, came.at
FROM generate_series(1, 100000) AS n
CROSS JOIN LATERAL (SELECT $3::timestamptz - n * interval '5 minutes' AS at) AS came
JOIN (SELECT id, row_number() OVER () AS place FROM house WHERE compound_id = $1) h
    ON h.place = n % 200 + 1
"""
HOUSES = """
INSERT INTO house (id, compound_id, building_id, unit_id, room, room_key, number, sort, built_area_m2, use, state,
    is_rented, title_document, source, recorded_at)
SELECT gen_random_uuid(), compound_id, building_id, unit_id, 'p' || n, 'p' || n, 'p' || n, 'p' || n, 80, 'residential',
    'vacant', false, '', 'import', now()
FROM house, generate_series(1, 200) AS n WHERE id = $1
"""


@pytest.fixture(scope="module")
async def scene(instance: object, addresses: Any) -> Scene:
    made = await residents.scene()
    async with crowds.unchecked():
        await database.execute(HOUSES, made.house_id)
        await database.execute(FILL, made.compound_id, made.owner.account_id, NOW)
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    return made


def touched(top: Plan, table: str = "visitor_pass") -> int:
    """Rows of a table that the plan has looked at, those it threw away included."""
    return sum(
        int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in nodes(top)
        if node.get("Relation Name") == table
    )


def is_scanned(top: Plan) -> bool:
    return any(
        node["Node Type"] == "Seq Scan" and node["Relation Name"] == "visitor_pass" for node in nodes(top)
    )


def narrowed(
    scene: Scene, since: datetime, until: datetime | None, words: str | None = None
) -> tuple[object, ...]:
    like = None if words is None else f"%{words}%"
    return None, scene.compound_id, None, None, since, until, like, like, None, None


async def test_a_houses_page_reads_what_it_shows(scene: Scene) -> None:
    house: UUID = await database.fetchval("SELECT house_id FROM visitor_pass LIMIT 1")
    occupancy = await residents.occupancy(house, scene.owner.person_id)
    await database.execute(
        "UPDATE occupancy SET recorded_at = $2 WHERE id = $1", occupancy, NOW - timedelta(days=999)
    )
    top = await plan(passes.OF_HOUSES, scene.owner.account_id, [house], None, None, None, 21)
    assert touched(top) <= 21
    after = NOW - timedelta(days=100)
    top = await plan(passes.OF_HOUSES, scene.owner.account_id, [house], None, after, house, 21)
    assert touched(top) <= 21


async def test_the_home_screen_reads_what_is_open(scene: Scene) -> None:
    house = await database.fetchval("SELECT house_id FROM visitor_pass WHERE state = 'active' LIMIT 1")
    top = await plan(passes.EXPECTED, scene.owner.account_id, [house], NOW, NOW + timedelta(hours=12), 20)
    assert touched(top) <= 10
    assert not is_scanned(top)


@pytest.mark.parametrize("ago", [0, 3, 200])
async def test_a_days_list_reads_about_a_day(scene: Scene, ago: int) -> None:
    since = NOW.replace(hour=16) - timedelta(days=1 + ago)
    top = await plan(passes.ON_DAY, *narrowed(scene, since, since + timedelta(days=1)), None, None, 21)
    assert touched(top) <= 2_500
    assert not is_scanned(top)
    counted = await plan(passes.COUNT_ON_DAY, *narrowed(scene, since, since + timedelta(days=1)))
    assert touched(counted) <= 2_500


async def test_a_guards_screen_reads_a_day_of_those_whom_nobody_saw_leave(scene: Scene) -> None:
    midnight, tomorrow = clock.business_day_bounds(NOW.date())
    within = scene.compound_id, None, NOW, tomorrow, TOLERANCE, guard.SEEN_INSIDE
    top = await plan(guard.SHOWN, scene.owner.account_id, *within)
    assert not is_scanned(top)
    assert touched(top) <= 1_000
    counted = await plan(guard.COUNTS, midnight, *within)
    assert not is_scanned(counted)
    assert touched(counted) <= 1_500


async def test_a_search_reads_a_month(scene: Scene) -> None:
    since = NOW - passes.LOOKED_BACK
    top = await plan(passes.LATEST, *narrowed(scene, since, None, "nobody"), None, None, 21)
    assert touched(top) <= 31 * 288 + 100
    assert not is_scanned(top)
    top = await plan(passes.LATEST, *narrowed(scene, since, None), None, None, 21)
    assert touched(top) <= 21


async def test_a_link_and_the_limits_are_found_by_index(scene: Scene) -> None:
    house = await database.fetchval("SELECT house_id FROM visitor_pass LIMIT 1")
    digest = await database.fetchval("SELECT link_hash FROM visitor_pass LIMIT 1")
    midnight, _ = clock.business_day_bounds(NOW.date())
    for statement, values in (
        (visitor_page.PAGE, (digest, NOW)),
        (pass_sql.MADE_TODAY, (house, midnight, REQUEST_LIFE)),
        (pass_sql.OTHER_CARS, (scene.compound_id, "浙A12345", NOW, NOW + timedelta(hours=2))),
        (passes.FREQUENT, ([house], scene.owner.account_id, NOW - timedelta(days=180), 20)),
        (pass_sql.OPEN_OF_HOST, (house, scene.owner.account_id, NOW)),
    ):
        top = await plan(statement, *values)
        assert not is_scanned(top), statement
        assert touched(top) <= 520, statement


async def test_jobs_read_what_is_due(scene: Scene) -> None:
    top = await plan(pass_sql.EXPIRE, NOW, TOLERANCE, REQUEST_LIFE, 1000)
    assert not is_scanned(top)
    assert touched(top) <= 1_000
    top = await plan(pass_sql.FORGET_PASSES, NOW - visits.KEPT, 1000)
    assert not is_scanned(top)
