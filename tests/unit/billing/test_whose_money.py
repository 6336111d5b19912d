"""A house's money is its owners' of today: it pays nobody else's bill, and nothing that others paid becomes theirs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from domains.billing import permissions
from domains.billing.models import Correction
from domains.billing.service.assessing import follow
from domains.billing.service.corrections import (
    decide_correction,
    request_adjustment,
    request_void,
    request_waiver,
)
from domains.billing.service.deductions import deduct
from domains.kernel import clock, database
from domains.kernel.errors import Conflict
from domains.residents.models import Occupancy
from payments.service import ledger as books
from payments.service import payables
from payments.service.ledger import Account
from tests.factories import bills, ledger, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

ASK, DECIDE = permissions.CORRECTIONS_REQUEST, permissions.CORRECTIONS_DECIDE
REASON = "开错"
SOLD_AT = datetime(2026, 4, 10, 4, tzinfo=UTC)


@pytest.fixture
async def scene() -> Scene:
    there = await residents.scene()
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    await Occupancy.filter(compound_id=there.compound_id).update(recorded_at=long_ago)
    return there


async def sell(scene: Scene) -> None:
    buyer = await residents.occupant(scene.house_id, "owner", "孙买家")
    await Occupancy.filter(pk=buyer.occupancy_id).update(since_on=SOLD_AT.date())
    await Occupancy.filter(pk=scene.owner.occupancy_id).update(ended_at=SOLD_AT, end_reason="过户")


async def void(scene: Scene, bill_id: UUID) -> UUID:
    return await request_void(scene.staff(ASK), bill_id=bill_id, reason=REASON)


async def adjust(scene: Scene, bill_id: UUID, fen: int) -> UUID:
    line = await bills.line_of(bill_id)
    return await request_adjustment(scene.staff(ASK), line_id=line, amount_fen=fen, reason=REASON)


async def waive(scene: Scene, bill_id: UUID, fen: int | None) -> UUID:
    return await request_waiver(
        scene.staff(ASK), bill_id=bill_id, concern="principal", amount_fen=fen, reason=REASON
    )


async def approve(scene: Scene, correction_id: UUID) -> None:
    await decide_correction(scene.staff(DECIDE), correction_id=correction_id, approve=True)


async def balance(scene: Scene) -> int:
    return await books.balance(scene.compound_id, Account("prepayment", scene.house_id))


async def paid_by_the_house(scene: Scene, bill_id: UUID, fen: int) -> None:
    state = (await payables.of_subjects("bill", [bill_id]))[bill_id]
    async with database.transaction():
        await payables.settle(
            ledger.posting(scene.compound_id, "deduction"), Account("prepayment", scene.house_id),
            {state.id: fen}, clock.today(),
        )  # fmt: skip
        await follow(bill_id)


class TestGivingBack:
    @pytest.mark.parametrize("payer", ["tenant", "developer"])
    async def test_what_another_paid_is_not_given_to_the_owner(self, scene: Scene, payer: str) -> None:
        one = await bills.bill(scene.house_id, 10_000, payer=payer)
        await bills.pay(one, 4_000)
        for asked, back in ((void(scene, one), "¥40.00"), (adjust(scene, one, -6_001), "¥0.01")):
            with pytest.raises(Conflict, match="PAID_BY_ANOTHER") as refused:
                await asked
            assert back in refused.value.message
        assert not await Correction.filter(bill_id=one).exists()
        await approve(scene, await adjust(scene, one, -5_000))
        await approve(scene, await waive(scene, one, None))
        assert await bills.state_of(one) == ("paid", 4_000, 4_000, 0, 0)
        assert await ledger.trial_balance(scene.compound_id) == {
            "suspense": 4_000, "income": -5_000, "waiver": 1_000,
        }  # fmt: skip
        await ledger.check_books()

    @pytest.mark.parametrize("kind", ["void", "adjustment"])
    async def test_paid_after_it_was_asked_for(self, scene: Scene, kind: str) -> None:
        one = await bills.bill(scene.house_id, 10_000, payer="tenant")
        asked = await void(scene, one) if kind == "void" else await adjust(scene, one, -10_000)
        await bills.pay(one, 4_000)
        with pytest.raises(Conflict, match="PAID_BY_ANOTHER"):
            await approve(scene, asked)
        assert (await Correction.get(pk=asked)).state == "requested"
        assert await bills.state_of(one) == ("open", 10_000, 4_000, 0, 0)
        assert await ledger.trial_balance(scene.compound_id) == {
            "suspense": 4_000, "receivable": 6_000, "income": -10_000,
        }  # fmt: skip
        await ledger.check_books()

    async def test_an_unpaid_bill_of_a_tenant_is_taken_back(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 10_000, payer="tenant")
        await approve(scene, await void(scene, one))
        assert await ledger.trial_balance(scene.compound_id) == {}
        await ledger.check_books()

    async def test_what_came_out_of_the_houses_money_goes_back_there(self, scene: Scene) -> None:
        await ledger.prepay(scene.compound_id, scene.house_id, 10_000)
        one = await bills.bill(scene.house_id, 10_000, payer="tenant")
        await paid_by_the_house(scene, one, 10_000)
        assert await balance(scene) == 0
        await approve(scene, await void(scene, one))
        assert await balance(scene) == 10_000
        await ledger.check_books()

    async def test_nor_after_the_house_was_sold(self, scene: Scene) -> None:
        await ledger.prepay(scene.compound_id, scene.house_id, 1_000)
        one = await bills.bill(scene.house_id, 1_000)
        assert await deduct(scene.house_id) == 1
        await sell(scene)
        with pytest.raises(Conflict, match="PAID_BY_ANOTHER"):
            await void(scene, one)
        assert await balance(scene) == 0

    async def test_what_the_seller_paid_is_not_the_buyers(self, scene: Scene) -> None:
        one, mine = [await bills.bill(scene.house_id, 1_000, month=date(2026, month, 1)) for month in (3, 5)]
        for each in (one, mine):
            await bills.pay(each, 1_000)
        await sell(scene)
        with pytest.raises(Conflict, match="PAID_BY_ANOTHER"):
            await void(scene, one)
        await approve(scene, await void(scene, mine))
        assert await balance(scene) == 1_000
        await ledger.check_books()


class TestDeducting:
    async def test_the_buyers_money_pays_the_buyers_bills(self, scene: Scene) -> None:
        """Not the seller's, nor one that reaches over the sale and names nobody."""
        seller, across, buyer = [
            await bills.bill(scene.house_id, 1_000, month=date(2026, month, 1)) for month in (3, 4, 5)
        ]
        await sell(scene)
        await ledger.prepay(scene.compound_id, scene.house_id, 5_000)
        assert await deduct(scene.house_id) == 1
        states = [(await bills.state_of(each))[0] for each in (seller, across, buyer)]
        assert states == ["open", "open", "paid"]
        assert await balance(scene) == 4_000
        await ledger.check_books()

    async def test_what_names_an_owner_of_today_is_paid(self, scene: Scene) -> None:
        named = await bills.bill(scene.house_id, 1_000, person_id=scene.owner.person_id)
        other = await bills.bill(scene.house_id, 1_000, person_id=scene.neighbour.person_id)
        await ledger.prepay(scene.compound_id, scene.house_id, 5_000)
        assert await deduct(scene.house_id) == 1
        assert [(await bills.state_of(each))[0] for each in (named, other)] == ["paid", "open"]

    async def test_a_co_owner_who_left_changes_nothing(self, scene: Scene) -> None:
        left = await residents.occupant(scene.house_id, "owner", "周分手")
        await Occupancy.filter(pk=left.occupancy_id).update(
            recorded_at=datetime(2026, 1, 1, tzinfo=UTC), ended_at=SOLD_AT, end_reason="退出"
        )
        old = await bills.bill(scene.house_id, 1_000)
        await ledger.prepay(scene.compound_id, scene.house_id, 1_000)
        assert await deduct(scene.house_id) == 1
        assert (await bills.state_of(old))[0] == "paid"

    async def test_a_house_without_owners_in_the_register(self, scene: Scene) -> None:
        one = await bills.bill(scene.far_house_id, 1_000)
        tenants = await bills.bill(scene.far_house_id, 1_000, payer="tenant")
        await ledger.prepay(scene.compound_id, scene.far_house_id, 5_000)
        assert await deduct(scene.far_house_id) == 1
        assert [(await bills.state_of(each))[0] for each in (one, tenants)] == ["paid", "open"]
        await ledger.check_books()


class TestAsking:
    async def test_no_more_is_asked_for_than_is_to_be_paid(self, scene: Scene) -> None:
        rule = await bills.late_fee_rule(scene.compound_id)
        with clock.use(clock.FixedClock(datetime(2026, 3, 25, 4, tzinfo=UTC))):
            one = await bills.bill(scene.house_id, 10_000, late_fee_rule_id=rule)
            await bills.pay(one, 4_000, date(2026, 3, 15))
            with pytest.raises(Conflict, match="WAIVER_TOO_MUCH") as refused:
                await waive(scene, one, 6_001)
            assert (refused.value.field, "¥60.00" in refused.value.message) == ("amountFen", True)
            # Ten days of a tenth of a percent of what is left: computed, and written down by nobody yet.
            late = {"bill_id": one, "concern": "late_fee", "reason": REASON}
            with pytest.raises(Conflict, match="WAIVER_TOO_MUCH") as refused:
                await request_waiver(scene.staff(ASK), amount_fen=61, **late)  # type: ignore[arg-type]  # as named
            assert "¥0.60" in refused.value.message
            assert not await Correction.filter(bill_id=one).exists()
            await approve(scene, await request_waiver(scene.staff(ASK), amount_fen=60, **late))  # type: ignore[arg-type]  # as named
            await approve(scene, await waive(scene, one, 6_000))
        assert await bills.state_of(one) == ("paid", 4_000, 4_000, 0, 0)
        await ledger.check_books()

    async def test_nothing_is_left_to_waive(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 1_000)
        await bills.pay(one, 1_000)
        for fen in (None, 1):
            with pytest.raises(Conflict, match="NOTHING_TO_WAIVE"):
                await waive(scene, one, fen)
        assert not await Correction.filter(bill_id=one).exists()

    async def test_no_line_and_no_bill_below_nothing(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 1_000)
        await approve(scene, await waive(scene, one, 400))
        with pytest.raises(Conflict, match="ADJUSTMENT_TOO_MUCH") as refused:
            await adjust(scene, one, -601)
        assert (refused.value.field, "¥6.00" in refused.value.message) == ("amountFen", True)
        await approve(scene, await adjust(scene, one, -600))
        assert await bills.state_of(one) == ("paid", 0, 0, 0, 0)
        await ledger.check_books()
