"""A hundred thousand doors and orders: a phone reads its own, a page of the register its own rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domains.access.community import rules_of
from domains.access.models import DoorCommand
from domains.access.queries import doors as queries
from domains.access.service import retention, settling, statements
from domains.kernel import clock, database
from domains.kernel.ids import uuid7
from tests.factories import crowds
from tests.unit.access.door_scenes import Doors, doors
from tests.unit.estate.test_plans import plan, read_rows, scans

pytestmark = pytest.mark.usefixtures("instance")

MANY = 100_000
FILL = (
    """
INSERT INTO compound (id, region_id, company_id, name, code, address, service_phone)
SELECT gen_random_uuid(), c.region_id, c.company_id, 'd' || n, 'DOORS' || n, '', ''
FROM generate_series(1, 499) AS n, compound c WHERE c.id = $1
""",
    """
INSERT INTO device (id, compound_id, code, name, kind, maker, model, serial, place, owner, maintainer, maintainer_phone,
    state, recorded_at)
SELECT gen_random_uuid(), c.id, 'plan' || n, '门', 'door', '', '', '', '', '', '', '', 'in_service', now()
FROM compound c, generate_series(1, 200) AS n
""",
    """
INSERT INTO door (id, compound_id, device_id, number, name, kind, direction, methods, is_for_visitors, needs_screen, mode,
    position, recorded_at)
SELECT id, compound_id, id, 100 + substr(code, 5)::int, '门' || code, 'gate', 'both', '{app}', true, false, 'normal',
    'unknown', now()
FROM device WHERE code LIKE 'plan%'
""",
    """
INSERT INTO account (id, kind, name, language, created_at)
SELECT gen_random_uuid(), 'resident', '住户', 'zh', now() FROM generate_series(1, 1000)
""",
    """
INSERT INTO door_command (id, compound_id, door_id, account_id, action, state, reason, requested_at, expires_at, sent_at,
    settled_at)
SELECT gen_random_uuid(), d.compound_id, d.id, a.id, 'open', 'opened', '', at, at + interval '8 s', at, at
FROM (SELECT id, row_number() OVER () AS n FROM account WHERE kind = 'resident' LIMIT 1000) a
JOIN (SELECT id, compound_id, row_number() OVER () AS n FROM door) d ON d.n % 1000 = a.n % 1000,
    LATERAL (SELECT now() - random() * interval '180 days' AS at) t
""",
)


@pytest.fixture(scope="module")
async def at(instance: object, addresses: Any) -> Doors:  # Any: as the fixture gives it
    from tests.conftest import administer

    made = await doors()
    async with crowds.unchecked():
        for statement in FILL:
            await database.execute(statement, *([made.at.compound_id] if "$1" in statement else ()))
    assert await database.fetchval("SELECT count(*) FROM door") >= MANY
    assert await database.fetchval("SELECT count(*) FROM door_command") >= MANY * 0.9
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    return made


def cost(top: dict[str, Any], table: str) -> int:
    """Rows read of a table, which is not read whole."""
    found = scans(top, table)
    assert found and all(scan["Node Type"] != "Seq Scan" for scan in found), (
        table,
        [s["Node Type"] for s in found],
    )
    return sum(map(read_rows, found))


async def test_a_phone_reads_its_own_doors(at: Doors) -> None:
    now, account = clock.now(), at.at.owner.account_id
    top = await plan(
        queries.OPENABLE, account, clock.today(), None, now - queries.REMEMBERED, queries.MOST_OWN
    )
    assert cost(top, "door") <= 450


async def test_one_tap_reads_its_own_rows(at: Doors) -> None:
    await rules_of(at.at.compound_id)
    now, account = clock.now(), at.at.owner.account_id
    top = await plan(
        statements.ORDER, at.unit, account, clock.today(), None, [], [], False, now, now - timedelta(hours=9),
        now - timedelta(seconds=3), uuid7(), now + timedelta(seconds=8), "door.open", uuid7(),
    )  # fmt: skip
    assert cost(top, "door") <= 1
    assert cost(top, "device") <= 1
    assert sum(map(read_rows, scans(top, "door_command"))) <= 5


async def test_what_is_past_its_term_is_found_door_by_door(at: Doors) -> None:
    inner = retention.DELETE_COMMANDS.removeprefix("\nDELETE FROM door_command WHERE id IN (").rstrip()
    compound, before = at.at.other_compound_id, clock.now() - timedelta(days=1)
    top = await plan(inner.removesuffix(")"), compound, before, 5_000)
    old = await DoorCommand.filter(compound_id=compound, requested_at__lt=before).count()
    assert 0 < old == sum(map(read_rows, scans(top, "door_command"))) <= 202
    assert cost(top, "door") <= 202


async def test_a_page_of_the_register_reads_its_own_rows(at: Doors) -> None:
    top = await plan(queries.DOORS, at.at.compound_id, None, None, None, None, None, None, 21)
    # Sorted by number already; the next one tells that a group is whole.
    assert cost(top, "door") <= 22
    assert cost(top, "device") <= 22


async def test_what_is_due_is_found_by_its_index(at: Doors) -> None:
    due, rest = statements.OVERDUE.split("settled AS")
    assert rest
    select = due.rstrip(" ,\n") + " SELECT *, $3::int, $4::int FROM due"
    top = await plan(select, clock.now(), [uuid7()] * 500, 0, 0, settling.ANSWER_GRACE, None)
    assert cost(top, "door_command") <= 1


async def test_orders_to_send_again_are_few(at: Doors) -> None:
    top = await plan(statements.UNDELIVERED, clock.now() - timedelta(hours=1))
    assert sum(map(read_rows, scans(top, "door_command"))) <= 10
