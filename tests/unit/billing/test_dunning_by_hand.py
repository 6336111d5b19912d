"""Reminders by hand: once a day for a house, to who pays, by staff who may."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.models import PaymentPromise
from domains.billing.service.dunning import remind_now
from domains.kernel import clock
from domains.kernel.errors import Conflict, DomainError, NotFound
from tests.factories import bills, guards, relaying, residents
from tests.factories import dunning as days
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")

DUE_ON = date(2026, 3, 15)
DAY = timedelta(days=1)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def test_reminding_by_hand(scene: Scene) -> None:
    keeper = await guards.guard(scene, permissions.DUNNING_WRITE)
    await bills.bill(scene.house_id, 100_00)
    await bills.bill(scene.house_id, 30_00, payer="tenant")
    with clock.use(days.on(DUE_ON + 10 * DAY)):
        assert await remind_now(keeper, house_id=scene.house_id) == scene.house_id
        with pytest.raises(Conflict) as refusal:
            await remind_now(keeper, house_id=scene.house_id)
        assert refusal.value.code == "REMINDED_TODAY"
        await relaying.deliver()
    assert await relaying.told(scene.owner.account_id) == ["bill.overdue"]
    assert (await relaying.data_of(scene.tenant.account_id, "bill.overdue"))["fen"] == 30_00
    with clock.use(days.on(DUE_ON + 11 * DAY)):
        await remind_now(keeper, house_id=scene.house_id)
    assert len(await residents.audited("dunning.remind_now", scene.compound_id)) == 2


async def test_by_hand_and_by_rule_are_one_a_day(scene: Scene) -> None:
    keeper = await guards.guard(scene, permissions.DUNNING_WRITE)
    await days.steps(scene, (1, "message"))
    await bills.bill(scene.house_id, 100_00)
    await days.remind(DUE_ON + DAY)
    with clock.use(days.on(DUE_ON + DAY)), pytest.raises(Conflict) as refusal:
        await remind_now(keeper, house_id=scene.house_id)
    assert refusal.value.code == "REMINDED_TODAY"


async def test_two_who_remind_at_once(scene: Scene) -> None:
    keeper = await guards.guard(scene, permissions.DUNNING_WRITE)
    await bills.bill(scene.house_id, 100_00)
    done = await asyncio.gather(
        *(remind_now(keeper, house_id=scene.house_id) for _ in range(4)), return_exceptions=True
    )
    assert sum(each == scene.house_id for each in done) == 1
    assert await days.reminders(scene.compound_id) == 1


async def test_by_hand_only_where_it_makes_sense(scene: Scene) -> None:
    keeper = await guards.guard(scene, permissions.DUNNING_WRITE)

    async def code(house_id: UUID) -> str:
        with clock.use(days.on(DUE_ON)), pytest.raises((Conflict, NotFound)) as refusal:
            await remind_now(keeper, house_id=house_id)
        return str(refusal.value.code)

    assert await code(uuid4()) == "HOUSE_NOT_FOUND"
    assert await code(scene.house_id) == "NOTHING_OWED"
    await bills.bill(scene.far_house_id, 100_00)
    assert await code(scene.far_house_id) == "NOBODY_TO_REMIND"
    await bills.bill(scene.house_id, 100_00)
    await PaymentPromise.create(
        compound_id=scene.compound_id, house_id=scene.house_id, promised_on=DUE_ON, recorded_by=uuid4(),
        recorded_at=clock.now(),
    )  # fmt: skip
    assert await code(scene.house_id) == "PROMISE_OPEN"
    assert await days.reminders(scene.compound_id) == 0


@pytest.mark.parametrize("kind", [kind for kind in CALLERS if kind != "staff"])
async def test_others_remind_nobody(scene: Scene, kind: str) -> None:
    await bills.bill(scene.house_id, 100_00)
    caller = await residents.caller(scene, kind, permissions.DUNNING_WRITE)
    if kind == "staff of another building":
        caller = residents.staff(
            permissions.DUNNING_WRITE, compound_id=scene.compound_id, building_id=scene.other_building_id
        )
    before = await residents.fingerprint()
    with pytest.raises(DomainError) as refusal:
        await remind_now(caller, house_id=scene.house_id)
    assert refusal.value.code in ("FORBIDDEN", "UNAUTHENTICATED")
    assert await residents.fingerprint() == before


async def test_staff_of_the_building_may(scene: Scene) -> None:
    await bills.bill(scene.house_id, 100_00)
    limited = residents.staff(
        permissions.DUNNING_WRITE, compound_id=scene.compound_id, building_id=scene.building_id
    )
    assert await remind_now(limited, house_id=scene.house_id) == scene.house_id
