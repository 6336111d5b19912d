"""What a gate asks for reads its own rows, among a hundred thousand of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from api.instance import Addresses
from domains.access.community import rules_of
from domains.access.service import digits, lists, scanning, texts, uploads
from domains.devices.rules import SKEW
from domains.kernel import clock, database
from tests.conftest import administer
from tests.factories import crowds, gates, residents

pytestmark = pytest.mark.usefixtures("instance")
Plan = dict[str, Any]  # Any: EXPLAIN's own JSON

# One compound with a hundred thousand rows of everything; $1 is the compound, $2 its house or its door.
PASSES = """
INSERT INTO visitor_pass (id, compound_id, house_id, origin, state, guest_name, plate, is_car_refused, companions,
    purpose, message, starts_at, ends_at, uses_allowed, uses, link_hash, link_sealed, requested_at, decided_at, reason)
SELECT md5('pass' || n)::uuid, $1, $2, 'host', 'active', '访客', '', false, 0, 'visit', '', now(),
    now() + interval '2 hours', 1, 0, sha256(n::text::bytea), '', now(), now(), ''
FROM generate_series(1, 100000) AS n
"""
RECORDS = """
INSERT INTO access_record (id, compound_id, door_id, visitor_pass_id, who, plate, is_vehicle, at, received_at,
    direction, method, result, reason, note, event_key)
SELECT gen_random_uuid(), $1, $2, md5('pass' || n)::uuid, '', '', false, now() - n * interval '10 seconds',
    now() - n * interval '10 seconds', 'in', 'qr', CASE WHEN n % 50 = 0 THEN 'refused' ELSE 'opened' END,
    CASE WHEN n % 50 = 0 THEN 'CODE_WRONG' ELSE '' END, '', 'event:' || md5(n::text)
FROM generate_series(1, 100000) AS n
"""
REVOKED = """
INSERT INTO revocation (id, compound_id, sequence, pass_id, expires_at, revoked_at)
SELECT gen_random_uuid(), $1, n, md5('pass' || n)::uuid, now() + (n - 99000) * interval '1 minute', now()
FROM generate_series(1, 100000) AS n
"""
CODES = """
INSERT INTO keypad_code (id, compound_id, visitor_pass_id, on_day, digits_index, digits_sealed)
SELECT gen_random_uuid(), $1, md5('pass' || n)::uuid, '2026-03-02', sha256(n::text::bytea), ''
FROM generate_series(1, 1000) AS n
"""


@pytest.fixture(scope="module")
async def at(instance: object, addresses: Addresses) -> tuple[UUID, UUID]:
    scene = await residents.scene()
    post = await gates.post(scene.compound_id)
    await rules_of(scene.compound_id)
    await database.execute("UPDATE access_rules SET revocation_sequence = 100000")
    async with crowds.unchecked():
        await database.execute(PASSES, scene.compound_id, scene.house_id)
        await database.execute(RECORDS, scene.compound_id, post.door_id)
        await database.execute(REVOKED, scene.compound_id)
        await database.execute(CODES, scene.compound_id)
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    return scene.compound_id, post.door_id


async def read_rows(table: str, statement: str, *values: object) -> int:
    """Rows of a table that the statement's plan touches; reading it whole is a failure."""
    text = await database.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values)
    scans = [node for node in nodes(orjson.loads(text)[0]["Plan"]) if node.get("Relation Name") == table]
    assert scans
    assert all("Index" in scan["Node Type"] or "Bitmap" in scan["Node Type"] for scan in scans), scans
    return sum(
        int((scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)) * scan["Actual Loops"])
        for scan in scans
    )


def nodes(top: Plan) -> Iterator[Plan]:
    """The plan's nodes."""
    yield top
    for below in top.get("Plans", ()):
        yield from nodes(below)


async def test_a_scan(at: tuple[UUID, UUID]) -> None:
    pass_id = await database.fetchval("SELECT md5('pass7')::uuid")
    for table in ("visitor_pass", "access_record"):
        assert await read_rows(table, scanning.VISIT, pass_id, at[1]) <= 1
    assert await read_rows("access_record", scanning.EARLIER, at[1], f"scan:{uuid4().hex}") == 0
    assert await read_rows("visitor_pass", texts.PASS, pass_id) == 1


async def test_digits(at: tuple[UUID, UUID]) -> None:
    now = clock.now()
    assert await read_rows("access_record", digits.GUESSES, at[0], now - timedelta(hours=1)) <= 8
    assert await read_rows("keypad_code", digits.MEANT, at[0], clock.today(), b"x") == 0


async def test_a_part_of_the_list(at: tuple[UUID, UUID]) -> None:
    now = clock.now()
    assert await read_rows("revocation", lists.PART, at[0], 99_990, now, 2001) == 10
    assert await read_rows("revocation", lists.PART, at[0], 99_000, now, 2001) == 1000


async def test_an_upload(at: tuple[UUID, UUID]) -> None:
    ids = [uuid4() for _ in range(500)]
    keys = [f"event:{id.hex}" for id in ids]
    assert await read_rows("access_record", uploads.KNOWN, at[1], keys) == 0
    assert await read_rows("visitor_pass", uploads.HOLD, ids, at[0]) == 0
    values = ids, at[0], False, at[1], uploads.WALK, True, SKEW
    assert await read_rows("visitor_pass", uploads.PASSES, *values) == 0
    known = [await database.fetchval("SELECT md5('pass7')::uuid")]
    assert await read_rows("access_record", uploads.PASSES, known, *values[1:]) <= 4
