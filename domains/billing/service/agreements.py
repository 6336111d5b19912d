"""What is agreed for one house and fee item (个别约定): a share of the price, a coefficient for formulas."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from domains.billing import permissions
from domains.billing.models import FeeAgreement, FeeItem
from domains.billing.service.houses import house_to_change
from domains.billing.spans import AGREEMENTS, check_span
from domains.kernel import clock, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Invalid, NotFound
from domains.kernel.ids import uuid7


@command("fee_agreement.set", caller="staff", permission=permissions.FEES_WRITE)
async def set_fee_agreement(
    actor: Actor,
    *,
    house_id: UUID,
    fee_item_id: UUID,
    from_on: date,
    until_on: date | None = None,
    percent: Decimal = Decimal(100),
    coefficient: Decimal = Decimal(1),
    note: str = "",
) -> UUID:
    """Agree on a share of the price, in percent (0 is exempt), from a day until the day before another.

    It takes the place of what was agreed for these days; other days, and what is billed, stay as they are.
    Raises HOUSE_NOT_FOUND, FEE_ITEM_NOT_FOUND, SPAN_INVALID, AGREEMENT_INVALID or a TEXT_ code.
    """
    house = await house_to_change(actor, house_id, "FeeAgreement")
    check_span(from_on, until_on)
    for field, value, places in (("percent", percent, 2), ("coefficient", coefficient, 4)):
        if not 0 <= value <= 1000 or value != round(value, places):
            raise Invalid("AGREEMENT_INVALID", f"须在 0 到 1000 之间,最多 {places} 位小数", field)
    if not await FeeItem.exists(pk=fee_item_id, compound_id=house["compound_id"]):
        raise NotFound("FEE_ITEM_NOT_FOUND", "没有找到这个收费项目,请刷新后重试", "fee_item")
    await AGREEMENTS.make_room(house_id, fee_item_id, from_on, until_on)
    made = await FeeAgreement.create(
        id=uuid7(), compound_id=house["compound_id"], house_id=house_id, fee_item_id=fee_item_id, from_on=from_on,
        until_on=until_on, percent=percent, coefficient=coefficient, recorded_by=actor.account_id,
        recorded_at=clock.now(), note=text.clean(note, max_length=200, min_length=0, multiline=True, field="note"),
    )  # fmt: skip
    concerns("FeeAgreement", made.id, house["compound_id"], fee_item=fee_item_id, percent=percent)
    return made.id


@command("fee_agreement.end", caller="staff", permission=permissions.FEES_WRITE)
async def end_fee_agreement(actor: Actor, *, agreement_id: UUID, until_on: date) -> UUID:
    """Let an agreement hold until the day before `until_on`; ended on its first day it is taken back.

    Returns the house. Raises AGREEMENT_NOT_FOUND, SPAN_INVALID.
    """
    row = await FeeAgreement.get_or_none(pk=agreement_id).values("house_id", "compound_id")
    if row is None:
        raise NotFound("AGREEMENT_NOT_FOUND", "没有找到这条约定,请刷新后重试", "agreement")
    concerns("FeeAgreement", agreement_id, row["compound_id"])
    await house_to_change(actor, row["house_id"], "FeeAgreement")
    concerns("FeeAgreement", agreement_id, row["compound_id"], until_on=until_on)
    await AGREEMENTS.end(agreement_id, until_on)
    return UUID(str(row["house_id"]))
