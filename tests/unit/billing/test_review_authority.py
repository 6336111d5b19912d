"""What a bill tells, and to whom: a lease that ran out, and staff whose building is another one."""

from __future__ import annotations

from datetime import date

import pytest

from domains.billing import permissions
from domains.billing.documents import issuing
from domains.billing.queries import accounts, bills, corrections
from domains.billing.service.corrections import request_waiver
from domains.kernel import database
from domains.kernel.errors import Forbidden, NotFound
from domains.residents.models import Occupancy
from tests.factories import bills as factory
from tests.factories import residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    made = await residents.scene()
    await Occupancy.filter(compound_id=made.compound_id).update(since_on=date(2020, 1, 1))
    return made


async def test_a_tenant_whose_lease_ran_out_reads_nothing_more(scene: Scene) -> None:
    bill = await factory.bill(scene.house_id, 100, payer="tenant")
    tenant = await residents.resident(scene.tenant.account_id)
    assert set(await bills.by_id(tenant, [bill])) == {bill}
    await Occupancy.filter(pk=scene.tenant.occupancy_id).update(lease_until_on=date(2026, 1, 1))
    left = await residents.resident(scene.tenant.account_id)
    assert await bills.by_id(left, [bill]) == {} and await bills.due(left) is None
    assert await bills.own(left, states=None, house_ids=[scene.house_id], after=None, limit=9) == []
    with pytest.raises(NotFound, match="BILL_NOT_FOUND"):
        await issuing.issue_bill(left, bill_id=bill)
    assert await database.fetchval("SELECT count(*) FROM document_issue WHERE subject_id = $1", bill) == 0


async def test_a_tenant_reads_nothing_of_the_owners_money_and_bills(scene: Scene) -> None:
    bill = await factory.bill(scene.house_id, 100)
    journal = await factory.pay(bill, 40)
    tenant = await residents.resident(scene.tenant.account_id)
    assert await bills.by_id(tenant, [bill]) == {} and await bills.due(tenant) is None
    with pytest.raises(Forbidden):
        await accounts.own(tenant, scene.house_id)
    with pytest.raises(NotFound, match="PAYMENT_NOT_FOUND"):
        await issuing.issue_receipt(tenant, journal_id=journal)


async def test_staff_of_another_building_read_and_ask_for_nothing(scene: Scene) -> None:
    bill = await factory.bill(scene.house_id, 100)
    granted = permissions.BILLS_READ, permissions.CORRECTIONS_REQUEST
    asked = await request_waiver(
        scene.staff(*granted), bill_id=bill, concern="principal", amount_fen=50, reason="漏水"
    )
    elsewhere = residents.staff(*granted, compound_id=scene.compound_id, building_id=scene.other_building_id)
    assert await bills.by_id(elsewhere, [bill]) == {} == await corrections.by_id(elsewhere, [asked])
    assert await corrections.count(elsewhere, scene.compound_id, None) == 0
    with pytest.raises(Forbidden):
        await accounts.for_staff(elsewhere, scene.house_id)
    with pytest.raises(Forbidden):
        await request_waiver(elsewhere, bill_id=bill, concern="principal", amount_fen=50, reason="漏水")
    assert await database.fetchval("SELECT count(*) FROM correction WHERE bill_id = $1", bill) == 1
