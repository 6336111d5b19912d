"""A hundred thousand people, registrations and audit rows: a page reads what it shows, not the table."""

from __future__ import annotations

from typing import Any

import pytest

from domains.identity import audit_queries
from domains.kernel import clock, database
from domains.residents import sql
from domains.residents.queries import invitations, occupancies, people, registrations, vehicles
from tests.factories.identity import Places, places
from tests.unit.estate.test_plans import Plan, nodes, plan, read_rows, scans

pytestmark = pytest.mark.usefixtures("instance")

# Five compounds; each person has a house of their own, a registration, a vehicle and an account.
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
FROM compound c, generate_series(11, 50) AS b
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
    generate_series(1, 50) AS floor, generate_series(1, 10) AS door, format('%s%s', floor, lpad(door::text, 2, '0')) AS room
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
    """
INSERT INTO audit_entry (id, at, actor_id, actor_kind, actor_name, compound_id, action, outcome, subject_type, subject_id,
    details, ip, user_agent, request_id)
SELECT gen_random_uuid(), now() - random() * interval '180 days', id, 'resident', '', CASE WHEN random() < 0.5 THEN
    compound_id END, 'session.sign_in', 'done', 'Account', id, '{}', '', '', '' FROM house
""",
)


@pytest.fixture(scope="module")
async def at(instance: object, addresses: Any) -> Places:  # Any: as the fixture gives it
    from tests.conftest import administer

    made = await places()
    for statement in FILL:
        await database.execute(statement, *([made.compound_id] if "$1" in statement else ()))
    assert await database.fetchval("SELECT count(*) FROM person") >= 100_000
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    return made


async def test_probe(at: Places) -> None:
    c = at.compound_id
    one = (await database.fetchval("SELECT id FROM person WHERE compound_id = $1 OFFSET 5000 LIMIT 1", c))
    h = lambda x: x
    now = clock.now()
    import hashlib
    idx = hashlib.sha256(str(one).encode()).digest()
    blist = [await database.fetchval("SELECT id FROM building WHERE compound_id = $1 AND key='40'", c)]
    base = (c, None, None, None, None, None, None, None, None, None)
    def per(i, v): 
        x = list(base); x[i] = v; return tuple(x)
    cases = {
        "residents": (people.RESIDENTS, *base, None, None, 21),
        "residents deep": (people.RESIDENTS, *base, "8", one, 21),
        "residents name": (people.RESIDENTS, *per(4, "%abc%"), None, None, 21),
        "residents name none": (people.RESIDENTS, *per(4, "%zz%"), None, None, 21),
        "residents phone": (people.RESIDENTS, *per(5, idx), None, None, 21),
        "residents tail": (people.RESIDENTS, *per(6, idx), None, None, 21),
        "residents doc": (people.RESIDENTS, *per(7, idx), None, None, 21),
        "residents scope": (people.RESIDENTS, *per(1, blist), None, None, 21),
        "residents building": (people.RESIDENTS, *per(2, blist[0]), None, None, 21),
        "residents house": (people.RESIDENTS, *per(3, "%2504%"), None, None, 21),
        "residents tag": (people.RESIDENTS, *per(9, "x"), None, None, 21),
        "count residents": (people.COUNT_RESIDENTS, *base),
        "people by id": (people.BY_ID, [one], [c], []),
        "people by id b": (people.BY_ID, [one], [], blist),
        "details": (people.DETAILS, [one], [c], []),
        "profiles": (people.OWN_PROFILES, one),
        "to review": (registrations.TO_REVIEW, c, None, None, None, None, None, 21),
        "to review pending": (registrations.TO_REVIEW, c, None, "pending", None, None, None, 21),
        "to review approved": (registrations.TO_REVIEW, c, None, "approved", None, None, None, 21),
        "to review approved b": (registrations.TO_REVIEW, c, blist, "approved", None, None, None, 21),
        "to review pending b": (registrations.TO_REVIEW, c, blist, "pending", None, None, None, 21),
        "to review by id": (registrations.BY_ID_TO_REVIEW, [one], [c], []),
        "own regs": (registrations.OWN, one),
        "open regs": (registrations.OPEN, one, now),
        "code": (registrations.COMPOUND_TO_TYPE, "PEOPLE1"),
        "vehicles": (vehicles.VEHICLES, c, None, None, None, None, None, 21),
        "vehicles plate": (vehicles.VEHICLES, c, None, "%ABC%", None, None, None, 21),
        "vehicles flag": (vehicles.VEHICLES, c, None, None, "stolen", None, None, 21),
        "vehicles b": (vehicles.VEHICLES, c, blist, None, None, None, None, 21),
        "vehicles of houses": (vehicles.OF_HOUSES, [one], [c], [], []),
        "ties": (occupancies.TIES, one, clock.today()),
        "own houses": (occupancies.OWN_HOUSES, one, clock.today()),
        "members": (occupancies.MEMBERS, one, [one], clock.today()),
        "history": (occupancies.HISTORY, one, [one], [c], []),
        "of people": (occupancies.OF_PEOPLE, one, [one], [c], [], clock.today()),
        "occ by id": (occupancies.BY_ID, one, [one], [c], [], [], clock.today()),
        "received": (invitations.RECEIVED, one, now),
        "sent": (invitations.SENT, one, now),
        "inv by id": (invitations.BY_ID, one, now, [one]),
        "candidates": (sql.CANDIDATES, c, one, one, idx, "passport", idx, "abc", "owner", False),
        "candidates nodoc": (sql.CANDIDATES, c, one, one, None, "passport", idx, "abc", "owner", True),
        "find houses": (sql.FIND_HOUSES, c, "40", "1", "101"),
        "audit compound": (audit_queries.ENTRIES, c, None, None, None, None, None, None, None, None, 21),
        "audit compound deep": (audit_queries.ENTRIES, c, None, None, None, None, None, None, now, one, 21),
        "audit compound action": (audit_queries.ENTRIES, c, None, None, "no.such", None, None, None, None, None, 21),
        "audit compound actor": (audit_queries.ENTRIES, c, None, one, None, None, None, None, None, None, 21),
        "audit compound subject": (audit_queries.ENTRIES, c, None, None, None, one, None, None, None, None, 21),
        "audit company": (audit_queries.ENTRIES, None, at.company_id, None, None, None, None, None, None, None, 21),
    }
    for name, (text, *values) in cases.items():
        try:
            p = await plan(text, *values)
        except Exception as e:
            print(name, "ERR", e); continue
        print(f"{name:26} {p['Actual Total Time']:8.2f}ms buf={p.get('Shared Hit Blocks',0)+p.get('Shared Read Blocks',0):6}", [(n.get('Relation Name'), n['Node Type'], n.get('Index Name'), read_rows(n)) for n in nodes(p) if n.get('Relation Name') and read_rows(n) > 60])


async def test_generic(at: Places) -> None:
    import time, hashlib
    c = at.compound_id
    one = (await database.fetchval("SELECT id FROM person WHERE compound_id = $1 OFFSET 5000 LIMIT 1", c))
    idx = hashlib.sha256(str(one).encode()).digest()
    async def t(label, text, *values):
        b = time.perf_counter(); await database.fetch(text, *values); print(label, round((time.perf_counter()-b)*1000, 1))
    async with database.transaction():
        for i in range(8):
            await t("name", people.RESIDENTS, c, None, None, None, f"%zz{i}%", None, None, None, None, None, None, None, 21)
        for i in range(3):
            await t("phone", people.RESIDENTS, c, None, None, None, None, idx, None, None, None, None, None, None, 21)
        for i in range(3):
            await t("page", people.RESIDENTS, c, None, None, None, None, None, None, None, None, None, None, None, 21)
    async with database.transaction():
        for i in range(8):
            await t("action", audit_queries.ENTRIES, c, None, None, f"no.such{i}", None, None, None, None, None, 21)
        for i in range(3):
            await t("audit page", audit_queries.ENTRIES, c, None, None, None, None, None, None, None, None, 21)
        for i in range(3):
            await t("audit subj", audit_queries.ENTRIES, c, None, None, None, one, None, None, None, None, 21)
        for i in range(3):
            await t("audit deep", audit_queries.ENTRIES, c, None, None, None, None, None, None, clock.now(), one, 21)
    async with database.transaction():
        for i in range(8):
            await t("plate", vehicles.VEHICLES, c, None, f"%zz{i}%", None, None, None, 21)
        for i in range(3):
            await t("vehicles page", vehicles.VEHICLES, c, None, None, None, None, None, 21)
    async with database.transaction():
        for i in range(8):
            await t("regs", registrations.TO_REVIEW, c, None, "approved", None, None, None, 21)
