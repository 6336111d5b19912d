"""A hundred thousand payments, and one channel that has not answered for long: the other's questions are found at once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from domains.kernel import clock, database
from payments import order_sql, refund_sql
from tests.conftest import administer
from tests.factories import crowds
from tests.unit.estate.test_plans import plan, read_rows, scans

pytestmark = pytest.mark.usefixtures("instance")

ORDERS = """
INSERT INTO payment_order (id, compound_id, holder_id, title, amount_fen, state, created_at, expires_at)
SELECT md5(n::text)::uuid, $1, md5('h' || n)::uuid, '', 100, 'open', now(), now() FROM generate_series(1, 100000) AS n
"""

# Of one channel twenty thousand have been due for hours; of the other ten, since a moment ago.
ATTEMPTS = """
INSERT INTO payment_attempt (id, order_id, compound_id, channel, product, out_trade_no, app_id, payee, reference, buyer,
    amount_fen, state, channel_no, paid_fen, given_back_fen, problem, created_at, next_query_at, queries, succeeded_at,
    ended_at)
SELECT o.id, o.id, $1, c.channel, 'h5', replace(o.id::text, '-', ''), '', '', '', '', 100, c.state, c.number, c.fen, 0, '',
    now(), c.due_at, 0, c.paid_at, c.paid_at
FROM generate_series(1, 100000) AS n JOIN payment_order o ON o.id = md5(n::text)::uuid, LATERAL (
    SELECT CASE WHEN n % 5 = 0 OR n % 2 = 0 THEN 'alipay' ELSE 'wechat' END AS channel,
        CASE WHEN n % 5 = 0 OR n % 10000 = 1 THEN 'unknown' ELSE 'succeeded' END AS state,
        CASE WHEN n % 5 = 0 THEN now() - interval '3 hours' WHEN n % 10000 = 1 THEN now() END AS due_at,
        CASE WHEN n % 5 > 0 AND n % 10000 <> 1 THEN n::text END AS number,
        CASE WHEN n % 5 > 0 AND n % 10000 <> 1 THEN 100 END AS fen,
        CASE WHEN n % 5 > 0 AND n % 10000 <> 1 THEN now() END AS paid_at) c
"""
REFUNDS = """
INSERT INTO refund (id, compound_id, order_id, attempt_id, out_refund_no, amount_fen, origin, cause, reason, state,
    requested_at, decision_note, problem, next_query_at, queries)
SELECT id, $1, order_id, id, out_trade_no, 1, 'automatic', 'excess', '', c.state, now(), '', '', c.due_at, 0
FROM payment_attempt a, LATERAL (
    SELECT CASE WHEN a.channel_no::int % 100 = 1 THEN 'approved' ELSE 'succeeded' END AS state,
        CASE WHEN a.channel_no::int % 100 = 1 THEN now() END AS due_at) c
WHERE a.state = 'succeeded'
"""
DUE = "SELECT channel, count(*) AS number FROM payment_attempt WHERE next_query_at <= now() GROUP BY 1"


@pytest.fixture(scope="module")
async def many(instance: object, addresses: Any) -> None:
    compound_id = uuid4()
    async with crowds.unchecked():
        for statement in (ORDERS, ATTEMPTS, REFUNDS):
            await database.execute(statement, compound_id)
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    assert {row["channel"]: row["number"] for row in await database.fetch(DUE)} == {
        "alipay": 20_000,
        "wechat": 10,
    }


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(("channel", "found"), [("alipay", 20), ("wechat", 10)])
async def test_what_is_due_is_found_by_channel(channel: str, found: int) -> None:
    async with database.transaction():
        top = await plan(order_sql.CLAIM_DUE, clock.now(), 30, 20, channel)
    assert top["Actual Rows"] == found
    assert sum(read_rows(node) for node in scans(top, "payment_attempt")) <= 3 * found


@pytest.mark.usefixtures("many")
async def test_refunds_that_are_due_are_found_by_their_own_index() -> None:
    due = await database.fetchval("SELECT count(*) FROM refund WHERE next_query_at IS NOT NULL")
    async with database.transaction():
        top = await plan(refund_sql.CLAIM_DUE, clock.now(), 30, 20, "wechat")
    assert top["Actual Rows"] == 20
    assert sum(read_rows(node) for node in scans(top, "refund")) <= due + 2 * 20
