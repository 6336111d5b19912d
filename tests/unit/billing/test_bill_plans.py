"""A hundred thousand bills in one compound, five years of them: lists read what they show."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domains.billing import bill_sql, payer_sql
from domains.billing.queries import accounts, bills, house_payments
from domains.kernel import clock, database
from tests.conftest import administer
from tests.factories import bills as made
from tests.factories import crowds, residents
from tests.factories.residents import Scene
from tests.unit.estate.test_plans import Plan, nodes, plan

pytestmark = pytest.mark.usefixtures("instance")

HOUSES = """
INSERT INTO house (id, compound_id, building_id, unit_id, room, room_key, number, sort, built_area_m2, use, state,
    is_rented, title_document, source, recorded_at)
SELECT gen_random_uuid(), compound_id, building_id, unit_id, 'p' || n, 'p' || n, 'p' || n, 'p' || n, 80, 'residential',
    'self_occupied', false, '', 'import', now()
FROM house, generate_series(1, 1666) AS n WHERE id = $1
"""

# An owner of each, some with family, some after somebody who sold.
PEOPLE = """
WITH who AS (
    INSERT INTO person (id, compound_id, name, nationality, ethnicity, native_place, registered_address, tags, work_unit,
        source, recorded_at)
    SELECT gen_random_uuid(), compound_id, left(h.id::text, 50) || k.n, '', '', '', '', '{}', '', 'import', now()
    FROM house h CROSS JOIN generate_series(1, 3) AS k (n) WHERE compound_id = $1 AND room LIKE 'p%' RETURNING id, name)
INSERT INTO occupancy (id, compound_id, house_id, person_id, capacity, relation, verified_by, recorded_at, ended_at,
    end_reason)
SELECT gen_random_uuid(), $1, h.id, w.id, CASE k.n WHEN 3 THEN 'family' ELSE 'owner' END, '', 'register',
    now() - interval '1 year' * (4 - k.n), CASE k.n WHEN 1 THEN now() - interval '2 years' END,
    CASE k.n WHEN 1 THEN 'register' END
FROM house h CROSS JOIN generate_series(1, 3) AS k (n) JOIN who w ON w.name = left(h.id::text, 50) || k.n
"""

# Sixty months of every house; only the last of them is open.
BILLS = """
INSERT INTO bill (id, compound_id, house_id, building_id, run_id, number, payer, month, covers_from, covers_until,
    issued_on, due_on, issued_fen, state, paid_at)
SELECT make_uuid7(), $1, h.id, h.building_id, $2, row_number() OVER () + 10, 'owner', m.month, m.month,
    m.month + interval '1 month', m.month, m.month + 14, 10000,
    CASE WHEN m.n = 59 THEN 'open' ELSE 'paid' END, CASE WHEN m.n < 59 THEN now() END
FROM generate_series(0, 59) AS n CROSS JOIN LATERAL (
    SELECT n, (date '2021-04-01' + make_interval(months => n))::date AS month) m
CROSS JOIN house h WHERE h.compound_id = $1
"""
ACCOUNTS = """
INSERT INTO ledger_account (id, compound_id, code, subject_id, purpose, balance_fen, opened_at)
SELECT make_uuid7(), $1, c.code, h.id, '', CASE WHEN c.code = 'prepayment' THEN 0 END, now()
FROM house h CROSS JOIN (VALUES ('receivable'), ('prepayment')) AS c (code) WHERE h.compound_id = $1
"""
PAYABLES = """
INSERT INTO payable (id, compound_id, subject_type, subject_id, holder_id, account_id, due_fen, settled_fen,
    due_on, opened_on)
SELECT make_uuid7(), $1, 'bill', b.id, b.house_id, a.id, 10000, CASE b.state WHEN 'open' THEN 0 ELSE 10000 END, b.due_on,
    b.issued_on
FROM bill b JOIN ledger_account a ON a.subject_id = b.house_id AND a.code = 'receivable' WHERE b.compound_id = $1
"""
# Each paid by the house's own money, or at the desk.
ORDERS = """
INSERT INTO payment_order (id, compound_id, holder_id, title, amount_fen, state, number, created_at, expires_at, paid_at,
    paid_by)
SELECT make_uuid7(), $1, p.holder_id, p.id, 10000, 'paid', row_number() OVER (), now(), now(), now(), p.id
FROM payable p WHERE p.compound_id = $1 ORDER BY p.due_on
"""
ATTEMPTS = """
INSERT INTO payment_attempt (id, order_id, compound_id, channel, product, out_trade_no, app_id, payee, reference, buyer,
    amount_fen, state, channel_no, paid_fen, given_back_fen, problem, created_at, queries, succeeded_at, ended_at)
SELECT o.paid_by, o.id, $1, c.name, 'desk', replace(o.id::text, '-', ''), '', '', '', '', 10000, 'succeeded', o.id, 10000, 0,
    '', now(), 0, now(), now()
FROM payment_order o, LATERAL (SELECT CASE WHEN o.number::int % 2 = 0 THEN 'cash' ELSE 'balance' END AS name) c
WHERE o.compound_id = $1
"""
ITEMS = """
INSERT INTO payment_item (id, order_id, position, payable_id, amount_fen, paid_fen, given_back_fen)
SELECT make_uuid7(), id, 1, paid_by, 10000, 10000, 0 FROM payment_order WHERE compound_id = $1
"""


@pytest.fixture(scope="module")
async def scene(instance: object, addresses: Any) -> Scene:
    there = await residents.scene()
    came = "UPDATE occupancy SET since_on = $2 WHERE house_id = $1"
    await database.execute(came, there.house_id, date(2000, 1, 1))
    await database.execute(came, there.next_door_id, date(2099, 1, 1))
    run_id = await made.run(there.compound_id)
    async with crowds.unchecked():
        await database.execute(HOUSES, there.house_id)
        await database.execute(PEOPLE, there.compound_id)
        await database.execute(BILLS, there.compound_id, run_id)
        for statement in (ACCOUNTS, PAYABLES, ORDERS, ATTEMPTS, ITEMS):
            await database.execute(statement, there.compound_id)
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    return there


def touched(top: Plan, *tables: str) -> int:
    """Rows of the tables that the plan has looked at, those it threw away included."""
    return sum(
        int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in nodes(top)
        if node.get("Relation Name") in tables
    )


async def test_a_residents_page_reads_a_page(scene: Scene) -> None:
    top = await plan(bills.OWN, scene.owner.account_id, clock.today(), None, None, None, None, 21)
    assert touched(top, "bill") <= 2 * 21
    assert touched(top, "payable") <= 2 * 21


async def test_a_page_of_a_houses_payments_reads_a_page(scene: Scene) -> None:
    assert await database.fetchval("SELECT count(*) FROM payment_order") >= 100_000
    page = [scene.owner.account_id, clock.today(), None, None, 21]
    top = await plan(house_payments.OWN, *page)
    assert top["Actual Rows"] == 21
    for table in ("payment_order", "payment_item", "payment_attempt", "payable", "bill"):
        assert touched(top, table) <= 3 * 21, table
    # Who came after all of them looks at what there is of the house, and at nothing else.
    top = await plan(house_payments.OWN, scene.neighbour.account_id, *page[1:])
    assert (top["Actual Rows"], touched(top, "payment_order")) == (0, 60)


async def test_the_home_screen_reads_what_is_open(scene: Scene) -> None:
    top = await plan(bills.DUE, scene.owner.account_id, clock.today())
    assert touched(top, "bill", "payable") <= 10


async def test_who_is_told_is_looked_up_by_house(scene: Scene) -> None:
    """The bills of a hundred houses, each with its own few people."""
    rows = await database.fetch(
        "SELECT id FROM bill WHERE compound_id = $1 AND state = 'open' LIMIT 100", scene.compound_id
    )
    for statement in (payer_sql.ACCOUNTS, payer_sql.DEBTORS, bill_sql.ISSUED):
        top = await plan(statement, [row["id"] for row in rows], clock.today())
        assert touched(top, "bill") <= 2 * 100
        assert touched(top, "occupancy", "person") <= 30 * 100


async def test_a_staff_page_reads_a_page(scene: Scene) -> None:
    narrowed = (scene.compound_id, None, None, None, None, clock.today())
    top = await plan(bills.FOR_STAFF[False, False], *narrowed, None, None, 21)
    assert touched(top, "bill") <= 3 * 21
    found = (scene.compound_id, None, None, None, "%p77%", clock.today())
    top = await plan(bills.FOR_STAFF[True, False], *found, None, None, 21)
    assert touched(top, "bill") <= 12 * 60 + 3 * 21


async def test_a_deduction_reads_what_is_open(scene: Scene) -> None:
    for statement in (bill_sql.LOCK_OPEN_OF_HOUSE, bill_sql.OPEN_OF_HOUSE):
        top = await plan(statement, scene.house_id)
        assert touched(top, "bill", "payable") <= 10


async def test_a_houses_movements_are_read_by_its_accounts(scene: Scene) -> None:
    top = await plan(accounts.MOVEMENTS, scene.house_id, None, None, None, 21)
    assert touched(top, "ledger_account") <= 3
