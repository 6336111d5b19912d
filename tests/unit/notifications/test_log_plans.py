"""A hundred thousand deliveries: pages, claims and metrics read what they need and no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from api.instance import Addresses
from domains.kernel import clock, database
from notifications.deliveries import jobs, queries, sql, traffic
from tests.conftest import administer
from tests.factories import crowds

pytestmark = pytest.mark.usefixtures("instance")
Plan = dict[str, Any]  # Any: EXPLAIN's own JSON

# A year of a hundred compounds, of which one has a twentieth; one in a hundred was given up, a few wait.
NOTICES = """
INSERT INTO notice (id, kind, dedupe_key, compound_id, urgency, data, subject_type, created_at, expires_at)
SELECT gen_random_uuid(), 'test.kind' || n % 20, n::text, CASE WHEN n % 20 = 0 THEN $1 ELSE md5((n % 100)::text)::uuid END,
    'normal', '{}', '', now() - n * interval '5 minutes', now() FROM generate_series(1, 100000) AS n
"""
INBOX = """
INSERT INTO notification (id, notice_id, account_id, kind, created_at)
SELECT gen_random_uuid(), id, md5((dedupe_key::int % 5000)::text)::uuid, kind, created_at FROM notice
"""
DELIVERIES = """
INSERT INTO delivery (id, notice_id, notification_id, account_id, compound_id, kind, channel, is_urgent, is_digest,
    is_climb, state, attempts, due_at, expires_at, created_at, settled_at)
SELECT gen_random_uuid(), o.id, n.id, n.account_id, o.compound_id, o.kind, 'sms', o.dedupe_key::int % 50 = 0, false,
    false, s.state, 1, o.created_at, now() + interval '1 day', o.created_at,
    CASE WHEN s.state = 'pending' THEN NULL ELSE o.created_at END
FROM notice o JOIN notification n ON n.notice_id = o.id, LATERAL (SELECT CASE WHEN o.dedupe_key::int % 100 = 0
    THEN 'dead' WHEN o.dedupe_key::int % 1000 = 1 THEN 'pending' ELSE 'sent' END AS state) AS s
"""
ATTEMPTS = """
INSERT INTO delivery_attempt (id, delivery_id, number, outcome, code, detail, began_at, ended_at)
SELECT gen_random_uuid(), id, 1, 'sent', '', '', settled_at, settled_at FROM delivery WHERE settled_at IS NOT NULL
ORDER BY settled_at
"""


@pytest.fixture(scope="module")
async def at(instance: object, addresses: Addresses) -> UUID:
    compound_id = uuid4()
    async with crowds.unchecked():
        for statement in (NOTICES, INBOX, DELIVERIES, ATTEMPTS):
            await database.execute(statement, *([compound_id] if "$1" in statement else ()))
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    assert await database.fetchval("SELECT count(*) FROM delivery") == 100_000
    return compound_id


async def plan(statement: str, *values: object) -> Plan:
    text = await database.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *values)
    found: Plan = orjson.loads(text)[0]["Plan"]
    return found


def scans(top: Plan, table: str) -> list[Plan]:
    def nodes(node: Plan) -> Iterator[Plan]:
        yield node
        for below in node.get("Plans", ()):
            yield from nodes(below)

    return [node for node in nodes(top) if node.get("Relation Name") == table]


def read_rows(node: Plan) -> int:
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])


@pytest.mark.parametrize(("columns", "values", "most"), [
    ([], [], 21), (["state"], ["dead"], 21), (["state"], ["uncertain"], 0),
    (["kind"], ["test.kind0"], 21), (["state", "channel"], ["dead", "sms"], 21),
])  # fmt: skip
@pytest.mark.parametrize("deep", [False, True])
async def test_a_page_reads_its_own_rows_wherever_it_begins(
    at: UUID, columns: Sequence[str], values: Sequence[object], most: int, deep: bool
) -> None:
    after = (clock.now() - timedelta(days=150), uuid4()) if deep else (None, None)
    top = await plan(queries.page_of(False, columns), at, *after, 21, *values)
    [scan] = scans(top, "delivery")
    assert "Index" in scan["Node Type"] and read_rows(scan) <= most


async def test_a_kind_that_is_not_there_reads_the_compound_at_most(at: UUID) -> None:
    top = await plan(queries.page_of(False, ["kind"]), at, None, None, 21, "no.such")
    assert sum(map(read_rows, scans(top, "delivery"))) <= 5_000


async def test_a_claim_reads_what_is_due(at: UUID) -> None:
    async with database.transaction():
        top = await plan(sql.CLAIM, uuid4(), 60.0, False, 32, clock.now(), [])
        due = [scan for scan in scans(top, "delivery") if scan.get("Index Name") == "delivery_due"]
        assert [read_rows(scan) for scan in due] == [32]
        assert all("Seq Scan" not in scan["Node Type"] for scan in scans(top, "delivery"))
        top = await plan(sql.RECOVER, uuid4(), 60.0, False, 32)
        assert all("Seq Scan" not in scan["Node Type"] for scan in scans(top, "delivery"))


async def test_metrics_read_what_is_on_its_way_and_what_just_ended(at: UUID) -> None:
    now = clock.now()
    for statement, value in ((traffic.BACKLOG, now), (traffic.SETTLED, now - timedelta(minutes=10))):
        top = await plan(statement, value)
        assert all("Seq Scan" not in scan["Node Type"] for scan in scans(top, "delivery"))
        assert sum(map(read_rows, scans(top, "delivery"))) <= 150
    top = await plan(traffic.TRIED, now - timedelta(minutes=10))
    assert "Bitmap" in scans(top, "delivery_attempt")[0]["Node Type"]
    assert (await traffic.backlog(now)).oldest_s > 3600


async def test_what_is_old_is_forgotten_by_batches(at: UUID) -> None:
    old = await database.fetchval(
        "SELECT count(*) FROM delivery WHERE settled_at < now() - interval '180 days'"
    )
    assert old > 10_000
    await database.execute(
        "UPDATE notification SET read_at = now() WHERE created_at < now() - interval '300 days'"
    )
    await database.execute(
        "UPDATE notice SET created_at = created_at - interval '450 days' WHERE created_at < now() - interval '300 days'"
    )
    unread = await database.fetchval("SELECT count(*) FROM notification WHERE read_at IS NULL")
    gone = await jobs.purge(clock.now(), batch=3000)
    assert gone is not None and gone["deliveries"] == old and gone["inbox"] == gone["notices"] > 1000
    assert await database.fetchval("SELECT count(*) FROM notification WHERE read_at IS NULL") == unread
    assert await database.fetchval("SELECT count(*) FROM delivery WHERE settled_at IS NULL") == 100
    assert await jobs.purge(clock.now()) == {
        "viewer_events": 0, "deliveries": 0, "consents": 0, "throttles": 0, "inbox": 0, "notices": 0,
    }  # fmt: skip
