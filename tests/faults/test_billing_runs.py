"""Whoever posts a run is killed, again and again: what is left is what an undisturbed run leaves."""

from __future__ import annotations

import asyncio
import random
from datetime import date
from uuid import UUID

import pytest

from api.instance import Addresses
from domains.billing.models import BillingRun
from domains.billing.service import posting
from domains.kernel import database
from domains.kernel.actor import SYSTEM
from tests.factories import bills, charges, estate, runs
from tests.factories.identity import places
from tests.factories.ledger import check_books
from tests.faults.conftest import Nursery, eventually

pytestmark = pytest.mark.usefixtures("instance")

NOV = date(2026, 11, 1)
HOUSES, CHUNK, KILLS = 240, 2, 10


async def town() -> tuple[UUID, UUID]:
    """A compound with lines of every kind, and a run over two months that may be posted."""
    at = await places()
    houses = [
        await estate.house(at.building_id, str(number + 101), area=f"{60 + number % 50}.5")
        for number in range(HOUSES)
    ]
    area = await charges.item(at.compound_id, name="1 物业费")
    await charges.item(at.compound_id, "3000", name="2 车位费", method="fixed", bears_late_fee=False)
    await charges.item(
        at.compound_id, "345", name="3 水费", method="metered", meter_kind="water", timing="arrears", category="water"
    )  # fmt: skip
    await charges.set_price(area, "290", date(2026, 10, 11))
    for number, house in enumerate(houses[::8]):
        meter = await charges.meter(house, number=f"W{number}")
        if number % 3:
            await charges.reading(meter, date(2026, 10, 31), f"{number}.5")
        await charges.liable(house, "tenant", date(2026, 11, 9))
    await bills.late_fee_rule(at.compound_id)
    return at.compound_id, await runs.approved(at.compound_id, NOV, date(2026, 10, 1), chunk=CHUNK)


async def houses_done(run_id: UUID) -> int:
    return (await BillingRun.get(pk=run_id)).houses_done


async def is_posted(run_id: UUID) -> bool:
    return (await BillingRun.get(pk=run_id)).state == "posted"


async def test_a_run_killed_ten_times_leaves_what_an_undisturbed_one_does(
    addresses: Addresses, nursery: Nursery
) -> None:
    calm, calm_run = await town()
    await posting.post(SYSTEM, calm_run)
    compound_id, run_id = await town()
    places_of_death: list[int] = []
    while len(places_of_death) < KILLS:
        before = await houses_done(run_id)
        pid = nursery.spawn("billing", addresses.app_url, str(run_id))
        # Beyond a house or two, and then somewhere within a chunk.
        await eventually(lambda before=before: moved(run_id, before))  # type: ignore[misc]  # a default binds it
        await asyncio.sleep(random.random() / 10)
        nursery.kill(pid)
        assert not await is_posted(run_id), "it was over too soon: the test proves nothing"
        places_of_death.append(await houses_done(run_id))
    nursery.spawn("billing", addresses.app_url, str(run_id))
    await eventually(lambda: is_posted(run_id), 60)
    assert len(set(places_of_death)) == KILLS
    assert await runs.left(compound_id) == await runs.left(calm)
    assert await count("BillsIssued", run_id) == await count("BillsIssued", calm_run) > 0
    assert await count("BillingRunPosted", run_id) == 1
    await check_books()


async def moved(run_id: UUID, before: int) -> bool:
    return await houses_done(run_id) > before


async def count(event: str, run_id: UUID) -> int:
    statement = "SELECT count(*) FROM outbox_message WHERE event = $1 AND payload ->> 'run_id' = $2"
    return int(await database.fetchval(statement, event, str(run_id)))
