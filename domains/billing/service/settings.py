"""How a compound bills, and what late payment costs (计费规则、滞纳金规则)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TypedDict
from uuid import UUID

from domains.billing import permissions
from domains.billing.fee_terms import FIRST_DAY, LAST_DAY
from domains.billing.models import BillingRules
from domains.billing.turns import take_turn
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid
from domains.kernel.ids import uuid7

MAKE = "INSERT INTO billing_rules (compound_id, is_automatic, months_back, due_days, allows_part_payment, " \
    "deducts_automatically, last_bill_number) VALUES ($1, false, 0, 15, false, true, 0) ON CONFLICT DO NOTHING"  # fmt: skip

# A run that waits to be posted took its rule as it was approved.
ISSUED_SINCE = """
SELECT EXISTS (SELECT FROM billing_run WHERE compound_id = $1 AND issued_on >= $2
    AND (bills > 0 OR state = 'approved'))
"""

SET_LATE_FEE = """
INSERT INTO late_fee_rule (id, compound_id, from_on, daily_rate, grace_days, is_grace_charged, cap_percent, recorded_by,
    recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (compound_id, from_on) DO UPDATE SET daily_rate = $4, grace_days = $5, is_grace_charged = $6, cap_percent = $7,
    recorded_by = $8, recorded_at = $9
RETURNING id
"""


class RuleChanges(TypedDict, total=False):
    """What is to be changed; what is left out stays. Billing day None: no run begins by itself."""

    billing_day: int | None
    is_automatic: bool
    months_back: int
    due_days: int
    allows_part_payment: bool
    deducts_automatically: bool


_BOUNDS = {"billing_day": (1, 28), "months_back": (0, 12), "due_days": (0, 365)}


@command("billing_rules.set", caller="staff", permission=permissions.FEES_WRITE)
async def set_billing_rules(actor: Actor, *, compound_id: UUID, changes: RuleChanges) -> UUID:
    """Change how a compound bills; bills that are issued stay as they are. Raises BILLING_RULE_RANGE."""
    concerns("BillingRules", compound_id, compound_id, **changes)
    actor.require_whole(permissions.FEES_WRITE, compound_id)
    _check(changes)
    await take_turn(compound_id)
    await database.execute(MAKE, compound_id)
    if changes:
        await BillingRules.filter(compound_id=compound_id).update(**changes)
    return compound_id


def _check(changes: RuleChanges) -> None:
    given = dict(changes)
    for name, value in given.items():
        if value is None and name != "billing_day":
            raise Invalid("BILLING_RULE_RANGE", "请填写这一项", name)
    for name, (least, most) in _BOUNDS.items():
        number = given.get(name)
        if isinstance(number, int) and not least <= number <= most:
            raise Invalid("BILLING_RULE_RANGE", f"数值须在 {least} 到 {most} 之间,请修改", name)


@command("late_fee_rule.set", caller="staff", permission=permissions.FEES_WRITE)
async def set_late_fee_rule(
    actor: Actor,
    *,
    compound_id: UUID,
    from_on: date,
    daily_rate: Decimal,
    grace_days: int = 0,
    is_grace_charged: bool = False,
    cap_percent: Decimal | None = None,
) -> UUID:
    """What bills issued from a day on cost when they are paid late; the rate is of the principal and per day.

    Raises LATE_FEE_INVALID, and LATE_FEE_IN_THE_PAST where bills were issued on that day or later.
    """
    concerns("LateFeeRule", None, compound_id, from_on=from_on, daily_rate=daily_rate, grace_days=grace_days)
    actor.require_whole(permissions.FEES_WRITE, compound_id)
    _check_late_fee(from_on, daily_rate, grace_days, cap_percent)
    await take_turn(compound_id)
    if await database.fetchval(ISSUED_SINCE, compound_id, from_on):
        raise Conflict("LATE_FEE_IN_THE_PAST", "这一天或之后已经出过账单,请选择更晚的生效日期", "from_on")
    id = await database.fetchval(
        SET_LATE_FEE, uuid7(), compound_id, from_on, daily_rate, grace_days, is_grace_charged, cap_percent,
        actor.account_id, clock.now(),
    )  # fmt: skip
    return UUID(str(id))


def _check_late_fee(from_on: date, daily_rate: Decimal, grace_days: int, cap_percent: Decimal | None) -> None:
    if not FIRST_DAY <= from_on <= LAST_DAY:
        raise Invalid("LATE_FEE_INVALID", "日期须在 2000 年到 2100 年之间", "from_on")
    if not 0 < daily_rate <= Decimal("0.01") or daily_rate != round(daily_rate, 7):
        raise Invalid(
            "LATE_FEE_INVALID", "日费率须大于 0 且不超过 0.01,例如 0.0005 表示万分之五", "daily_rate"
        )
    if not 0 <= grace_days <= 365:
        raise Invalid("LATE_FEE_INVALID", "宽限天数须在 0 到 365 之间", "grace_days")
    if cap_percent is not None and (not 0 < cap_percent <= 1000 or cap_percent != round(cap_percent, 2)):
        raise Invalid(
            "LATE_FEE_INVALID", "上限为本金的百分比,须大于 0 且不超过 1000,最多两位小数", "cap_percent"
        )
