"""A hundred thousand lines in one compound: what a fee item is used for is one look at an index; so are promises."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from api.addresses import Addresses
from domains.billing.queries import fee_items as item_reads
from domains.billing.queries import pooled_costs as cost_reads
from domains.billing.queries import promises
from domains.billing.service import fee_items
from domains.billing.service.pooled_costs import record_pooled_cost
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM
from tests.conftest import administer
from tests.factories import billing, crowds, residents
from tests.factories import bills as made
from tests.factories.residents import Scene
from tests.unit.billing.test_bill_plans import BILLS, HOUSES, touched
from tests.unit.estate.test_plans import plan

pytestmark = pytest.mark.usefixtures("instance")

LINES = """
INSERT INTO bill_line (id, bill_id, house_id, fee_item_id, kind, period_from, period_until, part, amount_fen, basis)
SELECT make_uuid7(), b.id, b.house_id, $2, 'charge', b.month, (b.month + interval '1 month')::date, 0, 10000, '{}'
FROM bill b WHERE b.compound_id = $1
"""
PROMISES = """
INSERT INTO payment_promise (id, compound_id, house_id, promised_on, amount_fen, note, recorded_by, recorded_at,
    withdrawn_at)
SELECT make_uuid7(), h.compound_id, h.id, $2::date - n, 1, '', h.id, now(), CASE WHEN n = 6 AND h.room = 'p7' THEN now() END
FROM house h, generate_series(1, 6) AS n WHERE h.compound_id = $1
"""
OPEN = """
INSERT INTO payment_promise (id, compound_id, house_id, promised_on, amount_fen, note, recorded_by, recorded_at)
SELECT make_uuid7(), compound_id, id, $2, 1, '', id, now() FROM house WHERE id = $1
"""


@pytest.fixture(scope="module")
async def scene(instance: object, addresses: Addresses) -> Scene:
    there = await residents.scene()
    run_id, item = await made.run(there.compound_id), await made.item(there.compound_id)
    async with crowds.unchecked():
        await database.execute(HOUSES, there.house_id)
        await database.execute(BILLS, there.compound_id, run_id)
        assert await database.execute(LINES, there.compound_id, item) >= 100_000
        await database.execute(PROMISES, there.compound_id, clock.today())
    await database.execute(OPEN, there.house_id, clock.today() + timedelta(days=3))
    await administer(addresses.owner_url, "VACUUM ANALYZE")
    return there


async def _items(scene: Scene) -> list[UUID]:
    """One that every line is of, and one that none is."""
    used = await database.fetchval(
        "SELECT fee_item_id FROM bill_line l JOIN bill b ON b.id = l.bill_id WHERE b.compound_id = $1 LIMIT 1",
        scene.compound_id,
    )
    return [used, await billing.fee_item(scene.compound_id)]


async def test_what_a_fee_item_was_used_for(scene: Scene) -> None:
    for id in await _items(scene):
        for statement in (fee_items.USED, fee_items.BILLED_UNTIL):
            assert touched(await plan(statement, id), "bill_line", "house") <= 2
        assert touched(await plan(item_reads.PRICES, [id]), "bill_line") <= 2


async def test_a_page_of_shares_reads_a_page(scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, "pooled")
    cost = await record_pooled_cost(SYSTEM, fee_item_id=item, period_from=date(2026, 1, 1), total_fen=10**6)
    top = await plan(cost_reads.SHARES, [cost], None, None, 21)
    assert touched(top, "pool_share") <= 2_000


async def test_promises_that_are_open_are_found_without_the_others(scene: Scene) -> None:
    within = (clock.today(), scene.compound_id, None)
    for state, most in (("open", 2), ("withdrawn", 200), (None, 60)):
        top = await plan(promises.PAGE[state], *within, None, None, 21)
        assert touched(top, "payment_promise") <= most, state
    assert touched(await plan(promises.COUNT["open"], *within), "payment_promise") <= 2
