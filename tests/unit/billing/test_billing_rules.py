"""Billing rules and late fee rules."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, cast

import pytest

from domains.billing import permissions
from domains.billing.models import BillingRules, LateFeeRule
from domains.billing.queries import settings as queries
from domains.billing.service import settings as service
from domains.kernel.errors import Conflict, Invalid
from tests.factories import billing, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

JANUARY, APRIL = date(2026, 1, 1), date(2026, 4, 1)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def put(scene: Scene, **changes: Any) -> None:  # Any: values of rules
    actor = scene.staff(permissions.FEES_WRITE)
    await service.set_billing_rules(
        actor, compound_id=scene.compound_id, changes=cast("service.RuleChanges", changes)
    )


async def late(
    scene: Scene, from_on: date = JANUARY, rate: str = "0.0005", **more: Any
) -> None:  # Any: terms
    actor = scene.staff(permissions.FEES_WRITE)
    await service.set_late_fee_rule(
        actor, compound_id=scene.compound_id, from_on=from_on, daily_rate=Decimal(rate), **more
    )


async def test_what_is_left_out_stays(scene: Scene) -> None:
    staff = scene.staff(permissions.FEES_READ)
    assert await queries.billing_rules(staff, scene.compound_id) == queries.BillingRules(scene.compound_id)
    await put(scene, billing_day=5, due_days=30)
    await put(scene, is_automatic=True)
    await BillingRules.filter(compound_id=scene.compound_id).update(last_bill_number=7)
    await put(scene, billing_day=None)
    found = await queries.billing_rules(staff, scene.compound_id)
    assert (found.billing_day, found.due_days, found.is_automatic) == (None, 30, True)
    assert (await BillingRules.get(compound_id=scene.compound_id)).last_bill_number == 7


@pytest.mark.parametrize(
    ("field", "value"),
    [("billing_day", 0), ("billing_day", 29), ("months_back", 13), ("due_days", -1), ("due_days", 366),
     ("due_days", None), ("is_automatic", None)],
)  # fmt: skip
async def test_values_out_of_range(scene: Scene, field: str, value: int | None) -> None:
    with pytest.raises(Invalid) as refused:
        await put(scene, **{field: value})
    assert (refused.value.code, refused.value.field) == ("BILLING_RULE_RANGE", field)
    assert not await BillingRules.exists(compound_id=scene.compound_id)


async def test_late_fees_by_the_day_of_issue(scene: Scene) -> None:
    await late(scene)
    await late(scene, APRIL, "0.001", grace_days=10, is_grace_charged=True, cap_percent=Decimal(100))
    await late(scene, APRIL, "0.0003", cap_percent=Decimal("24.5"))
    rules = await queries.late_fee_rules(scene.compound_id)
    assert [(rule.from_on, rule.daily_rate, rule.grace_days, rule.cap_percent) for rule in rules] == [
        (APRIL, Decimal("0.0003"), 0, Decimal("24.5")), (JANUARY, Decimal("0.0005"), 0, None),
    ]  # fmt: skip


async def test_bills_that_are_issued_keep_their_rule(scene: Scene) -> None:
    await late(scene)
    item = await billing.fee_item(scene.compound_id)
    await billing.billed(scene.house_id, item, JANUARY, APRIL)
    for day in (JANUARY, APRIL):
        with pytest.raises(Conflict, match="LATE_FEE_IN_THE_PAST"):
            await late(scene, day, "0.001")
    await late(scene, date(2026, 4, 2), "0.001")
    assert await LateFeeRule.filter(compound_id=scene.compound_id).count() == 2


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("daily_rate", {"rate": "0"}),
        ("daily_rate", {"rate": "0.0100001"}),
        ("daily_rate", {"rate": "0.00000001"}),
        ("grace_days", {"grace_days": 366}),
        ("cap_percent", {"cap_percent": Decimal(0)}),
        ("cap_percent", {"cap_percent": Decimal("10.001")}),
        ("from_on", {"from_on": date(1999, 1, 1)}),
    ],
)
async def test_late_fees_that_cannot_be(scene: Scene, field: str, more: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        await late(scene, **more)
    assert (refused.value.code, refused.value.field) == ("LATE_FEE_INVALID", field)
    assert not await LateFeeRule.exists(compound_id=scene.compound_id)
