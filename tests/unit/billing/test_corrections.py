"""Corrections: what each does to the whole ledger, who decides, and what two at once may not do."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.models import BillLine, Correction
from domains.billing.service.assessing import assess, freeze
from domains.billing.service.corrections import (
    decide_correction,
    request_adjustment,
    request_void,
    request_waiver,
    withdraw_correction,
)
from domains.billing.service.deductions import deduct
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unauthenticated
from payments.service import ledger as books
from payments.service.ledger import Account
from tests.factories import bills, ledger, residents
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")

TODAY = datetime(2026, 3, 25, 4, tzinfo=UTC)
ASK, DECIDE = permissions.CORRECTIONS_REQUEST, permissions.CORRECTIONS_DECIDE
REASON = "漏水影响居住"


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def waive(scene: Scene, bill_id: UUID, fen: int | None = None, concern: Any = "principal") -> UUID:
    return await request_waiver(
        scene.staff(ASK), bill_id=bill_id, concern=concern, amount_fen=fen, reason=REASON
    )


async def adjust(scene: Scene, line_id: UUID, fen: int) -> UUID:
    return await request_adjustment(scene.staff(ASK), line_id=line_id, amount_fen=fen, reason=REASON)


async def approve(scene: Scene, correction_id: UUID) -> Any:  # Any: the column's fen
    await decide_correction(scene.staff(DECIDE), correction_id=correction_id, approve=True)
    return (await Correction.get(pk=correction_id)).effect_fen


async def balance(scene: Scene) -> int:
    return await books.balance(scene.compound_id, Account("prepayment", scene.house_id))


async def books_are(scene: Scene, **sums: int) -> None:
    assert await ledger.trial_balance(scene.compound_id) == sums
    await ledger.check_books()


class TestWaivers:
    async def test_a_part(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 10_000)
        assert await approve(scene, await waive(scene, one, 3_000)) == -3_000
        assert await bills.state_of(one) == ("open", 7_000, 0, 0, 0)
        await books_are(scene, receivable=7_000, waiver=3_000, income=-10_000)
        assert len(await residents.events("BillCorrected", one)) == 1
        rows = await residents.audited("correction.decide", scene.compound_id)
        assert [(row["outcome"], '"effect_fen": -3000' in row["details"]) for row in rows] == [("done", True)]

    async def test_all_that_is_open_of_a_bill_that_was_paid_in_part(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 10_000)
        await bills.pay(one, 4_000)
        assert await approve(scene, await waive(scene, one)) == -6_000
        assert await bills.state_of(one) == ("paid", 4_000, 4_000, 0, 0)
        await books_are(scene, suspense=4_000, waiver=6_000, income=-10_000)

    async def test_a_late_fee_and_what_is_borne_later(self, scene: Scene) -> None:
        rule = await bills.late_fee_rule(scene.compound_id)
        with clock.use(clock.FixedClock(TODAY)) as time:
            one = await bills.bill(scene.house_id, 10_000, late_fee_rule_id=rule)
            assert await approve(scene, await waive(scene, one, concern="late_fee")) == -100
            assert await bills.state_of(one) == ("open", 10_000, 0, 0, 0)
            time.advance(timedelta(days=5))
            async with database.transaction():
                await assess([one], clock.today())
        assert await bills.state_of(one) == ("open", 10_000, 0, 50, 0)
        await books_are(scene, receivable=10_050, waiver=100, late_fee_income=-150, income=-10_000)

    async def test_of_principal_the_late_fee_follows(self, scene: Scene) -> None:
        rule = await bills.late_fee_rule(scene.compound_id)
        with clock.use(clock.FixedClock(TODAY)):
            one = await bills.bill(scene.house_id, 10_000, late_fee_rule_id=rule)
            async with database.transaction():
                await assess([one], clock.today())
            await approve(scene, await waive(scene, one, 6_000))
        assert await bills.state_of(one) == ("open", 4_000, 0, 40, 0)
        await books_are(scene, receivable=4_040, waiver=6_000, late_fee_income=-40, income=-10_000)

    async def test_the_late_fee_of_what_was_paid_late_stays(self, scene: Scene) -> None:
        """Nothing of the principal is left, and the days until it was paid are not forgotten."""
        rule = await bills.late_fee_rule(scene.compound_id)
        with clock.use(clock.FixedClock(TODAY)):
            one = await bills.bill(scene.house_id, 10_000, late_fee_rule_id=rule)
            await bills.pay(one, 4_000, date(2026, 3, 20))
            await approve(scene, await waive(scene, one))
        assert await bills.state_of(one) == ("partly_paid", 4_000, 4_000, 20, 0)
        await ledger.check_books()

    async def test_too_much_or_nothing(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 10_000)
        asked = await waive(scene, one, 3_000)
        await bills.pay(one, 8_000)
        with pytest.raises(Conflict, match="WAIVER_TOO_MUCH"):
            await approve(scene, asked)
        await bills.pay(one, 2_000)
        with pytest.raises(Conflict, match="NOTHING_TO_WAIVE"):
            await approve(scene, asked)
        assert (await Correction.get(pk=asked)).state == "requested"
        await books_are(scene, suspense=10_000, income=-10_000)


class TestAdjustments:
    @pytest.mark.parametrize(
        ("paid", "fen", "state", "due", "settled", "prepaid"),
        [
            (0, 500, "open", 10_500, 0, 0),
            (0, -2_000, "open", 8_000, 0, 0),
            (0, -10_000, "paid", 0, 0, 0),
            (4_000, -2_000, "partly_paid", 8_000, 4_000, 0),
            (4_000, -6_000, "paid", 4_000, 4_000, 0),
            (4_000, -7_000, "paid", 3_000, 3_000, 1_000),
            (10_000, 500, "partly_paid", 10_500, 10_000, 0),
            (10_000, -2_000, "paid", 8_000, 8_000, 2_000),
            (10_000, -10_000, "paid", 0, 0, 10_000),
        ],
    )
    async def test_more_and_less(
        self, scene: Scene, paid: int, fen: int, state: str, due: int, settled: int, prepaid: int
    ) -> None:
        one = await bills.bill(scene.house_id, 10_000)
        if paid:
            await bills.pay(one, paid)
        assert await approve(scene, await adjust(scene, await bills.line_of(one), fen)) == fen
        assert await bills.state_of(one) == (state, due, settled, 0, 0)
        assert await balance(scene) == prepaid
        sums = {
            "receivable": due - settled,
            "income": -10_000 - fen,
            "suspense": paid,
            "prepayment": -prepaid,
        }
        await books_are(scene, **{code: each for code, each in sums.items() if each})
        added = await BillLine.get(bill_id=one, kind="adjustment")
        assert (added.amount_fen, added.basis["reason"]) == (fen, REASON)

    async def test_no_line_below_nothing(self, scene: Scene) -> None:
        water, waste = [await bills.item(scene.compound_id, each) for each in ("water", "waste")]
        one = await bills.bill(scene.house_id, {water: 1_000, waste: 5_000})
        line = (await BillLine.get(bill_id=one, fee_item_id=water)).id
        await approve(scene, await adjust(scene, line, -600))
        with pytest.raises(Conflict, match="ADJUSTMENT_TOO_MUCH"):
            await approve(scene, await adjust(scene, line, -401))
        await Correction.filter(bill_id=one, state="requested").update(state="withdrawn")
        await approve(scene, await adjust(scene, line, -400))
        assert await bills.state_of(one) == ("open", 5_000, 0, 0, 0)

    async def test_a_bill_of_nothing_can_become_one_of_something(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 0)
        await approve(scene, await adjust(scene, await bills.line_of(one), 700))
        assert await bills.state_of(one) == ("open", 700, 0, 0, 0)
        await books_are(scene, receivable=700, income=-700)

    async def test_a_deposit(self, scene: Scene) -> None:
        item = await bills.item(scene.compound_id, "deposit")
        one = await bills.bill(scene.house_id, {item: 2_000})
        await bills.pay(one, 2_000)
        await approve(scene, await adjust(scene, await bills.line_of(one), -500))
        await books_are(scene, suspense=2_000, deposit=-1_500, prepayment=-500)


class TestVoids:
    @pytest.mark.parametrize("paid", [0, 4_000, 9_000])
    async def test_it_is_as_if_it_had_never_been(self, scene: Scene, paid: int) -> None:
        """Two items, an adjustment, a waiver and a late fee: what was paid is the house's, all else is gone."""
        rule = await bills.late_fee_rule(scene.compound_id)
        water, waste = [await bills.item(scene.compound_id, each) for each in ("water", "waste")]
        with clock.use(clock.FixedClock(TODAY)):
            one = await bills.bill(scene.house_id, {water: 3_333, waste: 6_667}, late_fee_rule_id=rule)
            await approve(scene, await adjust(scene, await bills.line_of(one), 11))
            await approve(scene, await waive(scene, one, 1_011))
            if paid:
                await bills.pay(one, paid, date(2026, 3, 25))
            await approve(scene, await waive(scene, one, 40, "late_fee"))
            if paid == 9_000:
                await bills.pay(one, 50, date(2026, 3, 25), "late_fee")
            owed = sum((await bills.state_of(one))[1::2])
            effect = await approve(scene, await request_void(scene.staff(ASK), bill_id=one, reason=REASON))
        kept = paid + (50 if paid == 9_000 else 0)
        assert effect == -owed
        assert await bills.state_of(one) == ("void", 0, 0, 0, 0)
        assert await balance(scene) == kept
        await books_are(scene, **({"suspense": kept, "prepayment": -kept} if kept else {}))
        assert await BillLine.filter(bill_id=one).count() == 3

    async def test_of_a_bill_that_was_waived_whole(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 1_000)
        await approve(scene, await waive(scene, one))
        assert await approve(scene, await request_void(scene.staff(ASK), bill_id=one, reason=REASON)) == 0
        assert (await bills.state_of(one))[0] == "void"
        await books_are(scene)

    async def test_of_a_bill_of_nothing(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 0)
        await approve(scene, await request_void(scene.staff(ASK), bill_id=one, reason=REASON))
        assert (await bills.state_of(one))[0] == "void"

    async def test_nothing_follows_it(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 1_000)
        await approve(scene, await request_void(scene.staff(ASK), bill_id=one, reason=REASON))
        for again in (waive(scene, one), adjust(scene, await bills.line_of(one), 5)):
            with pytest.raises(Conflict, match="BILL_VOID"):
                await again


async def test_not_while_somebody_pays(scene: Scene) -> None:
    one = await bills.bill(scene.house_id, 1_000)
    async with database.transaction():
        await freeze([one], clock.today(), clock.now() + timedelta(minutes=15), uuid4())
    line = await bills.line_of(one)
    for ask in (
        lambda: waive(scene, one),
        lambda: adjust(scene, line, -5),
        lambda: request_void(scene.staff(ASK), bill_id=one, reason=REASON),
    ):
        asked = await ask()
        with pytest.raises(Conflict, match="BILL_BEING_PAID"):
            await approve(scene, asked)
        await Correction.filter(pk=asked).update(state="withdrawn")
    assert await bills.state_of(one) == ("open", 1_000, 0, 0, 0)


class TestDecisions:
    async def test_rejected_with_a_note_or_taken_back(self, scene: Scene) -> None:
        asks = scene.staff(ASK)
        one = await bills.bill(scene.house_id, 1_000)
        first = await request_void(asks, bill_id=one, reason=REASON)
        with pytest.raises(Invalid, match="TEXT_EMPTY"):
            await decide_correction(scene.staff(DECIDE), correction_id=first, approve=False)
        await decide_correction(scene.staff(DECIDE), correction_id=first, approve=False, note="材料不全")
        second = await request_void(asks, bill_id=one, reason=REASON)
        with pytest.raises(Forbidden):
            await withdraw_correction(scene.staff(ASK), correction_id=second)
        await withdraw_correction(asks, correction_id=second)
        for late in (approve(scene, second), withdraw_correction(asks, correction_id=second)):
            with pytest.raises(Conflict, match="CORRECTION_DECIDED"):
                await late
        states = [each.state for each in await Correction.filter(bill_id=one).order_by("id")]
        assert states == ["rejected", "withdrawn"]
        await books_are(scene, receivable=1_000, income=-1_000)

    async def test_decided_as_what_it_is(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 1_000)
        asked = await request_void(scene.staff(ASK), bill_id=one, reason=REASON)
        with pytest.raises(NotFound, match="CORRECTION_NOT_FOUND"):
            await decide_correction(scene.staff(DECIDE), correction_id=asked, approve=True, kind="waiver")


class TestBadInput:
    @pytest.mark.parametrize(
        ("fen", "reason", "code"),
        [(0, REASON, "AMOUNT_INVALID"), (-1, REASON, "AMOUNT_INVALID"), (2**53, REASON, "AMOUNT_OUT_OF_RANGE"),
         (1, "  ", "TEXT_EMPTY"), (1, "长" * 201, "TEXT_TOO_LONG")],
    )  # fmt: skip
    async def test_waivers(self, scene: Scene, fen: int, reason: str, code: str) -> None:
        one = await bills.bill(scene.house_id, 1_000)
        with pytest.raises(Invalid, match=code):
            await request_waiver(
                scene.staff(ASK), bill_id=one, concern="principal", amount_fen=fen, reason=reason
            )
        assert not await Correction.filter(bill_id=one).exists()

    async def test_unknown_ids(self, scene: Scene) -> None:
        calls = [
            (waive(scene, uuid4()), "BILL_NOT_FOUND"), (adjust(scene, uuid4(), 1), "LINE_NOT_FOUND"),
            (approve(scene, uuid4()), "CORRECTION_NOT_FOUND"),
        ]  # fmt: skip
        for call, code in calls:
            with pytest.raises(NotFound, match=code):
                await call

    async def test_an_adjustment_of_nothing(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 1_000)
        with pytest.raises(Invalid, match="AMOUNT_INVALID"):
            await adjust(scene, await bills.line_of(one), 0)


class TestRaces:
    async def test_two_deciders(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 1_000)
        asked = await waive(scene, one, 400)
        done = await asyncio.gather(*(approve(scene, asked) for _ in range(4)), return_exceptions=True)
        assert sorted(type(each).__name__ for each in done) == ["Conflict"] * 3 + ["int"]
        assert await bills.state_of(one) == ("open", 600, 0, 0, 0)
        await ledger.check_books()

    async def test_one_approves_and_one_rejects(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 1_000)
        asked = await waive(scene, one, 400)
        decided = [
            decide_correction(scene.staff(DECIDE), correction_id=asked, approve=each, note="好")
            for each in (True, False)
        ]
        done = await asyncio.gather(*decided, return_exceptions=True)
        assert sum(isinstance(each, Conflict) for each in done) == 1
        state = (await Correction.get(pk=asked)).state
        assert (await bills.state_of(one))[1] == {"approved": 600, "rejected": 1_000}[state]

    async def test_two_requests(self, scene: Scene) -> None:
        one = await bills.bill(scene.house_id, 1_000)
        done = await asyncio.gather(
            *(waive(scene, one, each) for each in (100, 200, 300)), return_exceptions=True
        )
        assert sum(isinstance(each, Conflict) for each in done) == 2
        assert await Correction.filter(bill_id=one, state="requested").count() == 1

    async def test_a_waiver_and_a_deduction(self, scene: Scene) -> None:
        """The waiver lowers what is paid, or comes too late: the money is right in both."""
        for month in range(1, 7):
            one = await bills.bill(scene.house_id, 1_000, month=date(2026, month, 1))
            await ledger.prepay(scene.compound_id, scene.house_id, 1_000 - await balance(scene))
            asked = await waive(scene, one, 400)
            done = await asyncio.gather(deduct(scene.house_id), approve(scene, asked), return_exceptions=True)
            waived = not isinstance(done[1], DomainError)
            assert await bills.state_of(one) == ("paid", *((600, 600) if waived else (1_000, 1_000)), 0, 0)
            assert await balance(scene) == (400 if waived else 0)
            await Correction.filter(pk=asked, state="requested").update(state="withdrawn")
        await ledger.check_books()


FINGERPRINT = """
SELECT (SELECT count(*) FROM correction), (SELECT count(*) FROM journal), (SELECT count(*) FROM outbox_message),
    (SELECT md5(coalesce(string_agg(c::text, '|' ORDER BY c.id), '')) FROM correction c),
    (SELECT count(*) FROM audit_entry WHERE outcome = 'done')
"""


@pytest.mark.parametrize("kind", [each for each in CALLERS if each != "staff"])
async def test_authority(scene: Scene, kind: str) -> None:
    """Everybody but the staff who may is refused, and nothing happens."""
    one, other = await bills.bill(scene.house_id, 1_000), await bills.bill(scene.house_id, 1_000)
    asked = await request_void(scene.staff(ASK), bill_id=other, reason=REASON)
    line = await bills.line_of(one)
    actor: Actor = await residents.caller(scene, kind)
    if kind == "staff elsewhere":
        actor = residents.staff(ASK, DECIDE, compound_id=scene.other_compound_id)
    if kind == "staff of another building":
        actor = residents.staff(
            ASK, DECIDE, compound_id=scene.compound_id, building_id=scene.other_building_id
        )
    before = await database.fetchrow(FINGERPRINT)
    for call in (
        request_waiver(actor, bill_id=one, concern="principal", amount_fen=1, reason=REASON),
        request_adjustment(actor, line_id=line, amount_fen=1, reason=REASON),
        request_void(actor, bill_id=one, reason=REASON),
        decide_correction(actor, correction_id=asked, approve=True),
        withdraw_correction(actor, correction_id=asked),
    ):
        with pytest.raises(Unauthenticated if kind == "nobody" else Forbidden):
            await call
    assert await database.fetchrow(FINGERPRINT) == before


async def test_asking_is_not_deciding(scene: Scene) -> None:
    one = await bills.bill(scene.house_id, 1_000)
    with pytest.raises(Forbidden):
        await request_void(scene.staff(DECIDE), bill_id=one, reason=REASON)
    asked = await request_void(scene.staff(ASK), bill_id=one, reason=REASON)
    with pytest.raises(Forbidden):
        await decide_correction(scene.staff(ASK), correction_id=asked, approve=True)
    assert [row["outcome"] for row in await residents.audited("correction.decide", scene.compound_id)] == []
