"""A hundred thousand records in each of two compounds: a page reads what it shows, a search its compound at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domains.access import permissions
from domains.access.queries import guard, records, statistics
from domains.access.queries.records import RecordFilter
from domains.access.rules import TOLERANCE
from domains.access.service import retention
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from tests.factories import access, crowds, estate, residents
from tests.factories.identity import Places, places
from tests.unit.estate.test_plans import Plan, plan, read_rows, scans

pytestmark = pytest.mark.usefixtures("instance")

COMPOUND, DOORS, HOUSES, OF_A_PASS = 100_000, 20, 500, 70
# A third are visitors', a tenth by car; over the last 180 days.
FILL = (
    """
INSERT INTO house (id, compound_id, building_id, unit_id, room, room_key, number, sort, built_area_m2, use, state,
    is_rented, title_document, source, recorded_at)
SELECT gen_random_uuid(), u.compound_id, u.building_id, u.id, 'x' || n, 'x' || n, 'x' || n, 'x' || lpad(n::text, 6, '0'), 80,
    'residential', 'vacant', false, '', 'import', now()
FROM unit u, generate_series(1, 500) AS n
""",
    """
INSERT INTO account (id, kind, name, language, created_at) SELECT id, 'resident', '住户', 'zh', now() FROM house
""",
    """
INSERT INTO person (id, compound_id, account_id, name, nationality, ethnicity, native_place, registered_address, tags,
    work_unit, source, recorded_at)
SELECT id, compound_id, id, '住户', '', '', '', '', '{}', '', 'import', now() FROM house
""",
    """
INSERT INTO occupancy (id, compound_id, house_id, person_id, capacity, relation, verified_by, recorded_at)
SELECT id, compound_id, id, id, 'owner', '', 'register', now() - interval '1 year' FROM house
""",
    """
INSERT INTO visitor_pass (id, compound_id, house_id, origin, state, guest_name, plate, is_car_refused, companions, purpose,
    message, reason, starts_at, ends_at, uses_allowed, uses, link_hash, link_sealed, requested_at, decided_at, ended_at)
SELECT gen_random_uuid(), h.compound_id, h.id, 'host', CASE WHEN n = 1 THEN 'active' ELSE 'expired' END, '访客', '', false,
    0, 'visit', '', '', at, at + interval '2 hours', 1, 0, sha256((h.id::text || n)::bytea), '', at, at,
    CASE WHEN n > 1 THEN now() END
FROM house h, generate_series(1, 60) AS n, LATERAL (SELECT now() - n * interval '3 days' + interval '3 days' AS at) AS t
""",
    """
INSERT INTO access_record (id, compound_id, door_id, building_id, house_id, person_id, visitor_pass_id, who, plate,
    is_vehicle, at, received_at, direction, method, result, reason, note)
SELECT gen_random_uuid(), d.compound_id, d.id, d.building_id, h.id, CASE WHEN n % 3 > 0 THEN h.id END,
    CASE WHEN n % 3 = 0 THEN v.id END, substr(md5(n::text), 1, 6),
    CASE WHEN n % 10 = 0 THEN '浙A' || lpad((n % 90000)::text, 5, '0') ELSE '' END, n % 10 = 0,
    now() - n * interval '155 seconds', now(), 'in', CASE WHEN n % 3 > 0 THEN 'app' ELSE 'qr' END,
    CASE WHEN n % 50 = 0 THEN 'refused' ELSE 'opened' END, '', ''
FROM generate_series(1, 100000) AS n
JOIN (SELECT *, row_number() OVER (PARTITION BY compound_id ORDER BY number) AS place FROM door) AS d ON d.place = n % 20 + 1
JOIN (SELECT *, row_number() OVER (PARTITION BY compound_id ORDER BY id) AS place FROM house) AS h
    ON h.compound_id = d.compound_id AND h.place = n % 500 + 1
JOIN LATERAL (SELECT id FROM visitor_pass v WHERE v.house_id = h.id LIMIT 1) AS v ON true
""",
)


@dataclass(frozen=True, slots=True)
class Full:
    """A compound with its doors, one of its houses and a pass of that."""

    at: Places
    staff: Actor
    door_id: UUID
    house_id: UUID
    pass_id: UUID


@pytest.fixture(scope="module")
async def full(instance: object, addresses: Any) -> Full:  # Any: as the fixture gives it
    from tests.conftest import administer

    made = [await places() for _ in range(2)]
    for each in made:
        await estate.house(each.building_id)
        for n in range(DOORS):
            await access.door(each.compound_id, f"{n}", each.building_id if n < 4 else None)
    async with crowds.unchecked():
        for statement in FILL:
            await database.execute(statement)
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    at = made[0]
    assert (
        await database.fetchval("SELECT count(*) FROM access_record WHERE compound_id = $1", at.compound_id)
        == COMPOUND
    )
    row = await database.fetchrow(
        "SELECT door_id, house_id, visitor_pass_id FROM access_record WHERE compound_id = $1 "
        "AND visitor_pass_id IS NOT NULL LIMIT 1", at.compound_id,
    )  # fmt: skip
    assert row is not None
    staff = residents.staff(permissions.RECORDS_READ, compound_id=at.compound_id)
    return Full(at, staff, *row.values())


async def page(
    full: Full, after: records.After = None, actor: Actor | None = None, **narrowed: Any
) -> Plan:  # Any: a filter
    text, values = records.statement(
        actor or full.staff, full.at.compound_id, RecordFilter(**narrowed), after=after, limit=21
    )
    return await plan(text, *values)


def costs(top: Plan, table: str = "access_record") -> int:
    """Rows read of a table, which is not read whole."""
    found = scans(top, table)
    assert found
    assert all(scan["Node Type"] != "Seq Scan" for scan in found)
    return sum(map(read_rows, found))


async def test_a_page_reads_its_own_rows(full: Full) -> None:
    middle = clock.now() - timedelta(days=90), full.house_id
    for after in (None, middle):
        assert costs(await page(full, after)) <= 22
        ways: list[dict[str, Any]] = [  # Any: fields of the filter
            {"door_id": full.door_id}, {"house_id": full.house_id}, {"person_id": full.house_id},
        ]  # fmt: skip
        for narrowed in ways:
            assert costs(await page(full, after, **narrowed)) <= 25, narrowed
    assert costs(await page(full, pass_id=full.pass_id)) <= OF_A_PASS
    week: dict[str, Any] = {
        "since": clock.now() - timedelta(days=97),
        "until": clock.now() - timedelta(days=90),
    }
    assert costs(await page(full, **week)) <= 22


async def test_what_is_frequent_is_found_on_the_way(full: Full) -> None:
    for narrowed, most in (
        ({"method": "app"}, 50), ({"direction": "in"}, 25), ({"is_vehicle": True}, 250), ({"result": "refused"}, 1_100),
    ):  # fmt: skip
        assert costs(await page(full, **narrowed)) <= most, narrowed
    narrow = residents.staff(
        permissions.RECORDS_READ, compound_id=full.at.compound_id, building_id=full.at.building_id
    )
    assert costs(await page(full, actor=narrow)) <= 250


async def test_a_search_reads_the_compound_at_most(full: Full) -> None:
    # Of two compounds one is half of the table, which is then read from end to end, by two who round.
    [scan] = scans(await page(full, name="没有"), "access_record")
    assert read_rows(scan) <= 2 * COMPOUND + 2
    assert costs(await page(full, plate="没有")) <= COMPOUND // 10
    assert costs(await page(full, plate="浙A00010")) <= COMPOUND // 10


async def test_a_residents_page_reads_the_house_at_most(full: Full) -> None:
    for after in ((None, None), (clock.now() - timedelta(days=90), full.house_id)):
        top = await plan(records.OWN, full.house_id, clock.today(), *after, 21)
        assert costs(top) <= 21 + COMPOUND // HOUSES + 1


async def test_statistics_read_their_period(full: Full) -> None:
    until = clock.now()
    top = await plan(statistics.STATISTICS, full.at.compound_id, until - timedelta(days=7), until, None)
    assert costs(top) <= COMPOUND // 20


async def test_the_desk_reads_what_is_live(full: Full) -> None:
    midnight, tomorrow = clock.business_day_bounds(clock.today())
    within = full.at.compound_id, None, clock.now(), tomorrow, TOLERANCE, guard.SEEN_INSIDE
    assert costs(await plan(guard.SHOWN, full.house_id, *within), "visitor_pass") <= 4 * HOUSES
    counted = await plan(guard.COUNTS, midnight, *within)
    assert costs(counted, "visitor_pass") <= 4 * HOUSES
    assert costs(counted) <= 2_000


async def test_what_is_past_its_term_is_found_by_its_time(full: Full) -> None:
    before = clock.now() - timedelta(days=179)
    found = (
        retention.DELETE.removeprefix("\nDELETE FROM access_record WHERE id IN (").rstrip().removesuffix(")")
    )
    assert costs(await plan(found, full.at.compound_id, False, before, 5_000)) <= COMPOUND // 50
