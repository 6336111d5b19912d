"""Where a fen might be lost, paid twice or shown as somebody's who has not paid it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domains.billing import bill_sql, paying, permissions
from domains.billing.models import BillLine, Correction
from domains.billing.paying import Owed, Payment
from domains.billing.queries.accounts import for_staff
from domains.billing.service import deductions, posting
from domains.billing.service.assessing import follow, freeze
from domains.billing.service.corrections import decide_correction, request_adjustment, request_void
from domains.billing.service.deductions import deduct, deduct_everywhere
from domains.estate.models import House
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM
from domains.kernel.errors import Conflict
from domains.kernel.money import MAX_FEN
from payments.service import payables
from tests.factories import bills, charges, estate, ledger, residents, runs
from tests.factories.identity import places
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

LATE = datetime(2026, 3, 25, 15, 59, 59, tzinfo=UTC)
NOV = date(2026, 11, 1)
ASK, DECIDE = permissions.CORRECTIONS_REQUEST, permissions.CORRECTIONS_DECIDE


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def followed(bill_id: UUID) -> None:
    async with database.transaction():
        await follow(bill_id)


async def kept(scene: Scene) -> int:
    return (await for_staff(scene.staff(permissions.BILLS_READ), scene.house_id)).deposit_fen


async def approve(scene: Scene, correction_id: UUID) -> None:
    await decide_correction(scene.staff(DECIDE), correction_id=correction_id, approve=True)


class TestDeposits:
    async def test_what_is_billed_is_not_kept_before_it_is_paid(self, scene: Scene) -> None:
        item = await charges.item(
            scene.compound_id, None, method="one_off", category="deposit", cycle_months=None
        )
        await charges.one_off(scene.house_id, item, date(2026, 11, 9), 200_000, "装修押金")
        await runs.posted(scene.compound_id, NOV)
        assert await kept(scene) == 0
        await ledger.prepay(scene.compound_id, scene.house_id, 200_000)
        assert await deduct(scene.house_id) == 1
        assert await kept(scene) == 200_000
        assert await ledger.trial_balance(scene.compound_id) == {"deposit": -200_000, "opening": 200_000}
        await ledger.check_books()

    async def test_a_part_is_kept_of_a_part_and_given_back_with_it(self, scene: Scene) -> None:
        lines = {
            await bills.item(scene.compound_id, "deposit"): 2_000,
            await bills.item(scene.compound_id): 1_000,
        }
        one = await bills.bill(scene.house_id, lines)
        paid = await bills.pay(one, 1_000)
        await followed(one)
        assert await kept(scene) == 666
        await bills.pay(one, 2_000)
        await followed(one)
        assert await kept(scene) == 2_000
        async with database.transaction():
            await payables.take_back(ledger.posting(scene.compound_id, "reversal"), paid)
        await followed(one)
        await followed(one)
        assert await kept(scene) == 1_333
        await ledger.check_books()

    @pytest.mark.parametrize("paid", [0, 500, 2_000])
    async def test_a_void_takes_it_back(self, scene: Scene, paid: int) -> None:
        one = await bills.bill(scene.house_id, {await bills.item(scene.compound_id, "deposit"): 2_000})
        if paid:
            await bills.pay(one, paid)
            await followed(one)
        await approve(scene, await request_void(scene.staff(ASK), bill_id=one, reason="开错"))
        assert await kept(scene) == 0
        expected = {"suspense": paid, "prepayment": -paid} if paid else {}
        assert await ledger.trial_balance(scene.compound_id) == expected
        await ledger.check_books()


async def lock(statement: str, id: UUID, locked: asyncio.Event, done: asyncio.Event) -> None:
    async with database.transaction():
        await database.execute(statement, id)
        locked.set()
        await done.wait()


async def test_a_bill_that_came_and_is_being_paid_is_passed_over(scene: Scene) -> None:
    """It was not there when the house's debts were locked; its payment began before the money was."""
    one = await bills.bill(scene.house_id, 1_000)
    old = (await payables.of_subjects("bill", [one]))[one].id
    await ledger.prepay(scene.compound_id, scene.house_id, 9_000)
    locked, done, also_locked, also_done = (asyncio.Event() for _ in range(4))
    debts = asyncio.create_task(lock("SELECT FROM payable WHERE id = $1 FOR UPDATE", old, locked, done))
    await locked.wait()
    running = asyncio.create_task(deduct(scene.house_id))
    await asyncio.sleep(0.3)
    two = await bills.bill(scene.house_id, 2_000)
    money = "SELECT FROM ledger_account WHERE subject_id = $1 AND code = 'prepayment' FOR UPDATE"
    purse = asyncio.create_task(lock(money, scene.house_id, also_locked, also_done))
    await also_locked.wait()
    done.set()
    await asyncio.sleep(0.3)
    async with database.transaction():
        await freeze([two], clock.today(), clock.now() + timedelta(minutes=15), uuid4())
    also_done.set()
    await asyncio.gather(debts, purse)
    assert await running == 1
    assert [(await bills.state_of(each))[0] for each in (one, two)] == ["paid", "open"]


async def test_a_day_that_ends_while_deducting_leaves_no_late_fee(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = await bills.late_fee_rule(scene.compound_id)
    with clock.use(clock.FixedClock(LATE)) as midnight:
        one = await bills.bill(scene.house_id, 10_000, late_fee_rule_id=rule)
        await ledger.prepay(scene.compound_id, scene.house_id, 10_100)

        def pay(owed: Iterable[Owed], balances: Mapping[str, int]) -> list[Payment]:
            midnight.advance(timedelta(seconds=2))
            return paying.pay(owed, balances)

        monkeypatch.setattr(deductions, "pay", pay)
        assert await deduct(scene.house_id) == 1
        await followed(one)
    assert await bills.state_of(one) == ("paid", 10_000, 10_000, 100, 100)
    await ledger.check_books()


async def test_a_house_that_fails_stops_no_other(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    houses = (scene.house_id, scene.next_door_id)
    owed = [await bills.bill(house, 1_000) for house in houses]
    for house in houses:
        await ledger.prepay(scene.compound_id, house, 1_000)
    first = next(
        row["house_id"]
        for row in await database.fetch(bill_sql.WITH_MONEY_AND_DEBTS)
        if row["house_id"] in houses
    )

    async def failing(house_id: UUID) -> int:
        if house_id == first:
            raise ValueError("broken")
        return await deduct(house_id)

    monkeypatch.setattr(deductions, "deduct", failing)
    with pytest.raises(RuntimeError, match="1 of "):
        await deduct_everywhere()
    assert sorted([(await bills.state_of(each))[0] for each in owed]) == ["open", "paid"]


async def test_houses_that_move_while_a_run_posts_lose_nothing() -> None:
    at = await places()
    one, _, three = [await estate.house(at.building_id, room) for room in ("101", "102", "103")]
    await charges.item(at.compound_id)
    run_id = await runs.approved(at.compound_id, NOV, chunk=2)
    assert await posting.post_part(SYSTEM, run_id)
    await House.filter(pk=one).update(sort=(await House.get(pk=three)).sort[:-1])
    await posting.post(SYSTEM, run_id)  # finds another house than was previewed, and begins again
    await posting.post(SYSTEM, run_id)
    owed = await runs.left(at.compound_id, "bills", "payables")
    assert len(owed["bills"]) == len(owed["payables"]) == 3
    await ledger.check_books()


@pytest.mark.parametrize(
    ("moved_to", "before", "after"),
    [(date(2026, 1, 12), (2026, 2, 10), (2026, 2, 12)), (date(2026, 1, 8), (2026, 1, 8), (2026, 1, 10))],
)
async def test_a_corrected_hand_over_charges_no_day_twice(
    moved_to: date, before: tuple[int, int, int], after: tuple[int, int, int]
) -> None:
    at = await places()
    house, january = await estate.house(at.building_id, area="100"), date(2026, 1, 1)
    await House.filter(pk=house).update(handed_over_on=date(2026, 1, 10))
    await charges.item(at.compound_id, "310", anchor="hand_over", anchor_on=None)
    await runs.posted(at.compound_id, january)
    await House.filter(pk=house).update(handed_over_on=moved_to)
    await runs.posted(at.compound_id, january)
    covered = [(row[5], row[6], row[10]) for row in (await runs.left(at.compound_id, "bills"))["bills"]]
    assert covered == [(date(2026, 1, 10), date(2026, 2, 10), 31_000), (date(*before), date(*after), 2_000)]
    await runs.posted(at.compound_id, january)
    await runs.posted(at.compound_id, date(2026, 2, 1))
    lines = [(row[5], row[6]) for row in (await runs.left(at.compound_id, "bills"))["bills"]]
    days = [start + timedelta(days=n) for start, until in lines for n in range((until - start).days)]
    assert len(days) == len(set(days)) == (max(days) - min(days)).days + 1


async def test_only_a_payment_is_taken_back(scene: Scene) -> None:
    one = await bills.bill(scene.house_id, 1_000)
    await approve(scene, await adjust(scene, one, 500))
    await bills.pay(one, 1_500)
    await approve(scene, await adjust(scene, one, -200))
    journals = await database.fetch(
        "SELECT id FROM journal WHERE compound_id = $1 AND kind IN ('bills', 'adjustment')", scene.compound_id
    )
    assert len(journals) == 3
    for row in journals:
        with pytest.raises(ValueError, match="payment"):
            async with database.transaction():
                await payables.take_back(ledger.posting(scene.compound_id, "reversal"), row["id"])
    assert await bills.state_of(one) == ("paid", 1_300, 1_300, 0, 0)
    await ledger.check_books()


async def adjust(scene: Scene, bill_id: UUID, fen: int) -> UUID:
    line_id = await bills.line_of(bill_id)
    return await request_adjustment(scene.staff(ASK), line_id=line_id, amount_fen=fen, reason="更正")


async def test_an_adjustment_beyond_all_numbers_is_refused(scene: Scene) -> None:
    one = await bills.bill(scene.house_id, 1_000)
    with pytest.raises(Conflict, match="ADJUSTMENT_TOO_MUCH"):
        await adjust(scene, one, MAX_FEN)
    asked = await adjust(scene, one, MAX_FEN - 1_000)
    await Correction.filter(pk=asked).update(amount_fen=MAX_FEN)
    with pytest.raises(Conflict, match="ADJUSTMENT_TOO_MUCH"):
        await approve(scene, asked)
    assert await bills.state_of(one) == ("open", 1_000, 0, 0, 0)
    assert await BillLine.filter(bill_id=one).count() == 1
    assert (await Correction.get(pk=asked)).state == "requested"
