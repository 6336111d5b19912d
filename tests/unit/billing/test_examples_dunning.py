"""The worked examples of dunning, arrears and promises, with the figures of the guide."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from domains.billing import permissions
from domains.billing.dunning import letter_number
from domains.billing.models import DunningLetter
from domains.billing.queries import arrears, promises
from domains.billing.queries.arrears import ArrearsFilter
from domains.billing.service.promises import record_promise
from domains.kernel import clock
from tests.factories import bills, dunning, guards, relaying, residents

pytestmark = pytest.mark.usefixtures("instance")


async def test_a_bill_is_reminded_of_three_times() -> None:
    scene = await residents.scene()
    await dunning.steps(scene, (-3, "message"), (1, "message"), (30, "letter"))
    rule = await bills.late_fee_rule(scene.compound_id)
    await bills.bill(scene.house_id, 100_00, due_on=date(2026, 3, 15), late_fee_rule_id=rule)
    asked = {}
    for day in (date(2026, 3, 12), date(2026, 3, 16), date(2026, 4, 14)):
        await dunning.remind(day)
        with clock.use(dunning.on(day)):
            await relaying.deliver()
        kind = (await relaying.told(scene.owner.account_id))[-1]
        asked[day] = kind, (await relaying.data_of(scene.owner.account_id, kind))["fen"]
    assert asked == {
        date(2026, 3, 12): ("bill.due", 100_00), date(2026, 3, 16): ("bill.overdue", 100_10),
        date(2026, 4, 14): ("bill.overdue", 103_00),
    }  # fmt: skip
    letter = await DunningLetter.get(compound_id=scene.compound_id)
    assert (letter.number, letter.owed_fen) == (letter_number(2026, 1), 103_00) == ("CJH-2026-0001", 103_00)


async def test_steps_set_late_send_the_letter_alone() -> None:
    scene = await residents.scene()
    await bills.bill(scene.house_id, 100_00, due_on=date(2026, 3, 15))
    await dunning.steps(scene, (-3, "message"), (1, "message"), (30, "letter"))
    await dunning.remind(date(2026, 5, 1))
    assert [how for _, _, how in await dunning.sent(scene.compound_id)] == ["skipped", "skipped", "letter"]


async def test_what_a_house_owes_by_how_long() -> None:
    scene = await residents.scene()
    reader = await guards.guard(scene, permissions.BILLS_READ)
    rule = await bills.late_fee_rule(scene.compound_id)
    await bills.bill(scene.house_id, 100_00, due_on=date(2026, 5, 21), late_fee_rule_id=rule)
    part = await bills.bill(scene.house_id, 50_00, due_on=date(2026, 6, 20))
    await bills.pay(part, 20_00, date(2026, 6, 25))
    await bills.bill(scene.house_id, 70_00, due_on=date(2026, 6, 30))
    with clock.use(dunning.on(date(2026, 6, 30))):
        (row,) = await arrears.arrears(
            reader, scene.compound_id, ArrearsFilter(), sort="age", after=None, limit=9
        )
    assert (row.principal_fen, row.late_fee_fen, row.total_fen) == (130_00, 4_00, 134_00)
    assert [each.principal_fen for each in row.ages] == [30_00, 100_00, 0, 0, 0, 0]
    assert [each.from_days for each in row.ages] == [0, 31, 61, 91, 181, 366]


async def test_what_becomes_of_a_promise() -> None:
    scene = await residents.scene()
    keeper = await guards.guard(scene, permissions.DUNNING_WRITE, permissions.BILLS_READ)
    bill_id = await bills.bill(scene.house_id, 100_00)
    states = []

    async def state(promise_id: UUID, day: int) -> None:
        with clock.use(dunning.on(date(2026, 4, day))):
            states.append((await promises.by_id(keeper, [promise_id]))[promise_id].state)

    async def pay(fen: int, day: int) -> None:
        with clock.use(dunning.on(date(2026, 4, day))):
            await bills.pay(bill_id, fen, date(2026, 4, day))

    await pay(20_00, 9)
    with clock.use(dunning.on(date(2026, 4, 10))) as moment:
        id = await record_promise(
            keeper, house_id=scene.house_id, promised_on=date(2026, 4, 15), amount_fen=50_00
        )
        moment.advance(timedelta(hours=1))
        await bills.pay(bill_id, 30_00, date(2026, 4, 10))
    await state(id, 10)
    await state(id, 16)
    await pay(20_00, 15)
    await pay(30_00, 16)
    await state(id, 16)
    assert states == ["open", "broken", "kept"]
