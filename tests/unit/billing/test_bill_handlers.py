"""What follows from bills and money, through the outbox: states, deductions, and who is told, once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from domains.billing import bill_handlers, bill_notices, permissions
from domains.billing.events import BillsIssued
from domains.billing.service.corrections import decide_correction, request_waiver
from domains.kernel import clock, database
from notifications.kinds import write
from payments.service import payables
from payments.service.ledger import Account
from tests.factories import bills, identity, ledger, relaying, residents
from tests.factories.relaying import data_of, deliver, deliver_again, told
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

TODAY = datetime(2026, 3, 25, 4, tzinfo=UTC)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def issue(scene: Scene, *bill_ids: UUID) -> UUID:
    run_id = uuid4()
    await relaying.record(BillsIssued(run_id, scene.compound_id, bill_ids))
    return run_id


async def test_whoever_pays_is_told_once_for_a_house(scene: Scene) -> None:
    owners = [await bills.bill(scene.house_id, fen) for fen in (10_000, 2_345)]
    tenants = await bills.bill(scene.house_id, 700, payer="tenant", due_on=clock.today())
    nothing = await bills.bill(scene.next_door_id, 0)
    await issue(scene, *owners, tenants, nothing)
    await deliver()
    await deliver_again()
    assert await told(scene.owner.account_id) == ["bill.issued"]
    assert await told(scene.tenant.account_id) == ["bill.issued"]
    assert await told(scene.family.account_id) == ["bill.issued"]
    assert await told(scene.neighbour.account_id) == []
    said = await data_of(scene.owner.account_id, "bill.issued")
    assert (said["fen"], said["due"], said["month"]) == (12_345, "2026-03-15", "2026-03")
    assert (await data_of(scene.tenant.account_id, "bill.issued"))["fen"] == 700


async def test_whom_a_bill_names_is_told_alone(scene: Scene) -> None:
    named = await bills.bill(scene.house_id, 900, person_id=scene.neighbour.person_id)
    developer = await bills.bill(scene.house_id, 900, payer="developer")
    await issue(scene, named, developer)
    await deliver()
    assert await told(scene.neighbour.account_id) == ["bill.issued"]
    assert await told(scene.owner.account_id) == []


async def test_issued_and_paid_from_what_is_there(scene: Scene) -> None:
    await ledger.prepay(scene.compound_id, scene.house_id, 1_500)
    await deliver()
    one, next_door = await bills.bill(scene.house_id, 1_000), await bills.bill(scene.next_door_id, 1_000)
    await issue(scene, one, next_door)
    await deliver()
    assert (await bills.state_of(one))[0] == "paid"
    assert (await bills.state_of(next_door))[0] == "open"
    assert await told(scene.owner.account_id) == ["bill.issued", "bill.paid"]
    said = await data_of(scene.owner.account_id, "bill.paid")
    assert (said["fen"], said["means"]) == (1_000, "预存抵扣")
    assert write(bill_notices.PAID, said, "zh").body == "共缴 ¥10.00（预存抵扣）。"
    assert write(bill_notices.PAID, said, "en").body == "¥10.00 in all. Paid from prepayment"
    await deliver_again()
    assert await told(scene.owner.account_id) == ["bill.issued", "bill.paid"]
    await ledger.check_books()


async def test_money_that_comes_in_pays(scene: Scene) -> None:
    one = await bills.bill(scene.house_id, 1_000)
    await ledger.prepay(scene.compound_id, scene.house_id, 999)
    await deliver()
    assert (await bills.state_of(one))[0] == "open"
    await ledger.prepay(scene.compound_id, scene.house_id, 1)
    await deliver()
    assert (await bills.state_of(one))[0] == "paid"


async def test_a_state_follows_what_is_paid_and_taken_back(scene: Scene) -> None:
    one = await bills.bill(scene.house_id, 1_000)
    await bills.pay(one, 400)
    await deliver()
    assert (await bills.state_of(one))[0] == "partly_paid"
    last = await bills.pay(one, 600)
    await deliver()
    assert (await bills.state_of(one))[0] == "paid"
    assert await told(scene.owner.account_id) == ["bill.paid"]
    async with database.transaction():
        await payables.take_back(ledger.posting(scene.compound_id, "reversal"), last)
    await deliver()
    assert await bills.state_of(one) == ("partly_paid", 1_000, 400, 0, 0)
    await bills.pay(one, 600)
    await deliver()
    assert await told(scene.owner.account_id) == ["bill.paid", "bill.paid"]


async def test_paid_late_without_the_late_fee_it_is_not_paid(scene: Scene) -> None:
    """Whoever pays the principal alone still owes what it bore until that day."""
    rule = await bills.late_fee_rule(scene.compound_id)
    with clock.use(clock.FixedClock(TODAY)):
        one = await bills.bill(scene.house_id, 10_000, late_fee_rule_id=rule)
        await bills.pay(one, 10_000, date(2026, 3, 20))
        await deliver()
        assert await bills.state_of(one) == ("partly_paid", 10_000, 10_000, 50, 0)
        await bills.pay(one, 50, date(2026, 3, 20), "late_fee")
        await deliver()
    assert await bills.state_of(one) == ("paid", 10_000, 10_000, 50, 50)
    await ledger.check_books()


async def test_what_others_owe_is_none_of_bills(scene: Scene) -> None:
    order = await ledger.payable(scene.compound_id, uuid4(), 500, subject=("order", uuid4()))
    async with database.transaction():
        await payables.settle(
            ledger.posting(scene.compound_id), Account("suspense"), {order: 500}, clock.today()
        )
    await deliver()


async def test_deciders_the_requester_and_the_house_are_told(scene: Scene) -> None:
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    both = (permissions.CORRECTIONS_REQUEST, permissions.CORRECTIONS_DECIDE)
    place = {"scope": "compound", "place_id": scene.compound_id}
    asks, decides, reads = [
        await identity.staff(company, granted, **place)  # type: ignore[arg-type]  # scope and place
        for granted in (both, both[1:], (permissions.BILLS_READ,))
    ]
    one = await bills.bill(scene.house_id, 1_000)
    asked = await request_waiver(
        await identity.actor(asks), bill_id=one, concern="principal", amount_fen=300, reason="漏水\n影响居住"
    )
    await deliver()
    assert (await told(asks), await told(decides), await told(reads)) == ([], ["correction.requested"], [])
    assert (await data_of(decides, "correction.requested"))["reason"] == "漏水 影响居住"
    await decide_correction(await identity.actor(decides), correction_id=asked, approve=True)
    await deliver()
    await deliver_again()
    assert await told(asks) == ["correction.decided"]
    assert await told(scene.owner.account_id) == ["bill.corrected"]
    said = await data_of(scene.owner.account_id, "bill.corrected")
    assert (said["what"], said["fen"], said["reason"]) == ("减免", -300, "漏水 影响居住")
    assert write(bill_notices.CORRECTED, said, "en").title.endswith(": Waiver")
    decided = write(bill_notices.DECIDED, await data_of(asks, "correction.decided"), "en")
    assert decided.title == "Waiver: approved"


async def test_thousands_of_bills_are_told_of_in_parts(scene: Scene) -> None:
    """A house's bills stay together, and a part is no more than a hundred houses."""
    rows = [{"house_id": house, "id": uuid4()} for house in (uuid4() for _ in range(250)) for _ in range(3)]
    parts = bill_handlers._parts(rows)  # type: ignore[arg-type]  # rows by name
    assert [len(part) for part in parts] == [300, 300, 150]
    assert sorted(id for part in parts for id in part) == sorted(row["id"] for row in rows)
