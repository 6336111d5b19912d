"""Many people, registrations and audit rows: a page reads what it shows, a search its compound at most."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domains.estate.models import Building
from domains.identity import audit_queries
from domains.kernel import clock, database
from domains.residents import sql
from domains.residents.queries import invitations, occupancies, people, registrations, vehicles
from tests.factories import crowds
from tests.factories.identity import Places, places
from tests.unit.estate.test_plans import Plan, plan, read_rows, scans

pytestmark = pytest.mark.usefixtures("instance")

COMPOUNDS, BUILDING, COMPOUND = 6, 200, 4_000
# A person has a house of their own, a registration, an invitation, a vehicle, an account and an audit row.
FILL = (
    """
INSERT INTO compound (id, region_id, company_id, name, code, address, service_phone)
SELECT gen_random_uuid(), c.region_id, c.company_id, 'n' || n, 'PEOPLE' || n, '', ''
FROM generate_series(1, 4) AS n, compound c WHERE c.id = $1
""",
    """
INSERT INTO building (id, compound_id, name, key, sort, code, use, structure, standard_address, police_station,
    street_in_charge, source, recorded_at)
SELECT gen_random_uuid(), c.id, b || '号楼', b::text, lpad(b::text, 6, '0'), '', '', '', '', '', '', 'import', now()
FROM compound c, generate_series(11, 30) AS b
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
    generate_series(1, 20) AS floor, generate_series(1, 10) AS door, format('%s%s', floor, lpad(door::text, 2, '0')) AS room
""",
    """
INSERT INTO account (id, kind, name, phone_sealed, phone_index, language, created_at)
SELECT id, 'resident', '住户', sha256(id::text::bytea), sha256(id::text::bytea), 'zh', now() FROM house
""",
    """
INSERT INTO person (id, compound_id, account_id, name, phone_sealed, phone_index, phone_tail_index, document_kind,
    document_sealed, document_index, nationality, ethnicity, native_place, registered_address, tags, work_unit, source,
    recorded_at)
SELECT id, compound_id, id, substr(md5(id::text), 1, 6), sha256(id::text::bytea), sha256(id::text::bytea),
    sha256(substr(id::text, 1, 3)::bytea), 'passport', sha256(id::text::bytea), sha256(id::text::bytea), '', '', '', '',
    '{}', '', 'import', now()
FROM house
""",
    """
INSERT INTO occupancy (id, compound_id, house_id, person_id, capacity, relation, verified_by, recorded_at)
SELECT id, compound_id, id, id, 'owner', '', 'register', now() FROM house
""",
    """
INSERT INTO registration (id, compound_id, house_id, account_id, place, name, capacity, phone_sealed, phone_index, note,
    state, submitted_at, reviewed_at, reviewed_by)
SELECT id, compound_id, id, id, number, '李新民', 'owner', sha256(id::text::bytea), sha256(id::text::bytea), '',
    CASE WHEN random() < 0.99 THEN 'approved' ELSE 'pending' END, now() - random() * interval '700 days', now(), id
FROM house
""",
    """
INSERT INTO invitation (id, compound_id, house_id, inviter_id, capacity, name, phone_sealed, phone_index, code_hash,
    state, created_at, expires_at)
SELECT id, compound_id, id, id, 'family', '李', sha256(id::text::bytea), sha256(id::text::bytea), sha256(id::text::bytea),
    'open', now(), now() + interval '7 days'
FROM house
""",
    """
INSERT INTO vehicle (id, compound_id, house_id, person_id, kind, plate, plate_colour, brand, model, colour, source,
    recorded_at)
SELECT id, compound_id, id, id, 'ebike', upper(substr(md5(id::text), 1, 12)), '', '', '', '', 'import', now() FROM house
""",
)

# A trigger puts in which transaction it was.
AUDIT = """
INSERT INTO audit_entry (id, at, actor_id, actor_kind, actor_name, compound_id, action, outcome, subject_type, subject_id,
    details, ip, user_agent, request_id)
SELECT gen_random_uuid(), now() - random() * interval '180 days', id, 'resident', '', CASE WHEN random() < 0.5 THEN
    compound_id END, 'session.sign_in', 'done', 'Account', id, '{}', '', '', '' FROM house
"""


@pytest.fixture(scope="module")
async def at(instance: object, addresses: Any) -> Places:  # Any: as the fixture gives it
    from tests.conftest import administer

    made = await places()
    async with crowds.unchecked():
        for statement in FILL:
            await database.execute(statement, *([made.compound_id] if "$1" in statement else ()))
    await database.execute(AUDIT)
    assert await database.fetchval("SELECT count(*) FROM person") == COMPOUNDS * COMPOUND
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    return made


@pytest.fixture
async def building_id(at: Places) -> UUID:
    return (await Building.get(compound_id=at.compound_id, key="30")).id


@pytest.fixture
async def one(at: Places) -> UUID:
    id: UUID = await database.fetchval("SELECT id FROM person WHERE compound_id = $1 LIMIT 1", at.compound_id)
    return id


def costs(top: Plan, *tables: str) -> int:
    """Rows read of these tables; none of them is read whole."""
    found = [scan for table in tables for scan in scans(top, table)]
    assert found
    assert all(scan["Node Type"] != "Seq Scan" for scan in found), [scan["Relation Name"] for scan in found]
    return sum(map(read_rows, found))


def people_by(at: Places, place: int | None = None, value: object = None) -> list[object]:
    """A page of people, narrowed by one parameter ($2 on)."""
    narrowed: list[object] = [None] * 9
    if place is not None:
        narrowed[place - 2] = value
    return [at.compound_id, *narrowed, None, None, 21]


async def test_a_page_of_people_reads_its_own_rows(at: Places, one: UUID) -> None:
    assert costs(await plan(people.RESIDENTS, *people_by(at)), "person") <= 21
    deep = [*people_by(at)[:10], "8", one, 21]
    assert costs(await plan(people.RESIDENTS, *deep), "person") <= 21


@pytest.mark.parametrize("place", [6, 7, 8])
async def test_phone_last_digits_and_document_are_found_by_their_index(at: Places, place: int) -> None:
    row = await database.fetchrow(
        "SELECT phone_index, phone_tail_index, document_index FROM person WHERE compound_id = $1 LIMIT 1",
        at.compound_id,
    )
    assert row is not None
    top = await plan(people.RESIDENTS, *people_by(at, place, row[place - 6]))
    assert costs(top, "person") <= 21


@pytest.mark.parametrize(
    ("place", "value"), [(4, "%没有%"), (4, "%2号楼%"), (5, "%没有%"), (9, "floating"), (10, "没有")]
)
async def test_a_search_of_people_reads_the_compound_at_most(at: Places, place: int, value: str) -> None:
    top = await plan(people.RESIDENTS, *people_by(at, place, value))
    for table in ("person", *(("house",) if place == 4 else ())):
        assert costs(top, table) <= COMPOUND


async def test_a_page_of_registrations_reads_its_own_rows(at: Places, one: UUID) -> None:
    for state in (None, "pending", "approved"):
        for after in ((None, None), (clock.now().replace(year=2000), one)):
            top = await plan(registrations.TO_REVIEW, at.compound_id, None, state, None, *after, 21)
            # Where few wait, all of them are read and sorted.
            assert costs(top, "registration", "occupancy", "person") <= BUILDING


@pytest.mark.parametrize("state", [None, "pending", "approved"])
async def test_registrations_of_a_building_are_the_buildings(
    at: Places, building_id: UUID, state: str | None
) -> None:
    top = await plan(registrations.TO_REVIEW, at.compound_id, [building_id], state, None, None, None, 21)
    assert costs(top, "registration") <= COMPOUND


async def test_a_page_of_vehicles_reads_its_own_rows(at: Places) -> None:
    top = await plan(vehicles.VEHICLES, at.compound_id, None, None, None, None, None, 21)
    # Sorted by plate already; the next plate tells that a group is whole.
    assert costs(top, "vehicle") <= 22
    top = await plan(vehicles.VEHICLES, at.compound_id, None, "%没有%", None, None, None, 21)
    assert costs(top, "vehicle") <= COMPOUND


async def test_a_page_of_the_audit_reads_its_own_rows(at: Places, one: UUID) -> None:
    anything = [None] * 5
    for after in ((None, None), (clock.now(), one)):
        top = await plan(audit_queries.OF_COMPOUND, at.compound_id, *anything, *after, 21)
        assert costs(top, "audit_entry") <= 21
    for place in (0, 2):
        asked: list[object] = [None] * 5
        asked[place] = one
        top = await plan(audit_queries.OF_COMPOUND, at.compound_id, *asked, None, None, 21)
        assert costs(top, "audit_entry") <= 21


async def test_the_companys_audit_does_not_read_what_residents_did(at: Places) -> None:
    top = await plan(audit_queries.OF_COMPANY, at.company_id, *[None] * 5, None, None, 21)
    assert costs(top, "audit_entry") <= 21


async def test_what_a_resident_opens_is_found_by_its_keys(at: Places, one: UUID) -> None:
    today, now = clock.today(), clock.now()
    for statement, *values in (
        (occupancies.TIES, one, today), (occupancies.OWN_HOUSES, one, today), (occupancies.MEMBERS, one, [one], today),
        (people.OWN_PROFILES, one), (registrations.OPEN, one, now), (invitations.RECEIVED, one, now),
        (invitations.SENT, one, now), (vehicles.OF_HOUSES, [one], [], [], [one]),
    ):  # fmt: skip
        top = await plan(statement, *values)
        tables = ("person", "occupancy", "registration", "invitation", "vehicle", "house")
        assert costs(top, *(table for table in tables if scans(top, table))) <= 10, statement


async def test_who_somebody_is_is_found_by_indexes(at: Places, one: UUID) -> None:
    person = await database.fetchrow("SELECT * FROM person WHERE id = $1", one)
    assert person is not None
    top = await plan(
        sql.CANDIDATES, at.compound_id, one, one, person["document_index"], "passport", person["phone_index"],
        person["name"], "owner", True,
    )  # fmt: skip
    assert costs(top, "person") <= 21
