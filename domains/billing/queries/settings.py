"""Reads of how a compound bills (计费规则、滞纳金规则)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from domains.billing import payment_sql, permissions
from domains.kernel import database
from domains.kernel.actor import Actor

READERS = (
    permissions.FEES_READ,
    permissions.FEES_WRITE,
    permissions.RUNS_START,
    permissions.RUNS_APPROVE,
    permissions.BILLS_READ,
)


@dataclass(frozen=True, slots=True)
class LateFeeRule:
    """A late fee as it holds for bills issued from a day on (滞纳金规则)."""

    id: UUID
    from_on: date
    daily_rate: Decimal
    grace_days: int
    is_grace_charged: bool
    cap_percent: Decimal | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class BillingRules:
    """How a compound bills; what was never set is as most compounds have it."""

    compound_id: UUID
    billing_day: int | None = None
    is_automatic: bool = False
    months_back: int = 0
    due_days: int = 15
    allows_part_payment: bool = False
    deducts_automatically: bool = True


RULES = """
SELECT compound_id, billing_day, is_automatic, months_back, due_days, allows_part_payment, deducts_automatically
FROM billing_rules WHERE compound_id = $1
"""

LATE_FEES = """
SELECT id, from_on, daily_rate, grace_days, is_grace_charged, cap_percent, recorded_at
FROM late_fee_rule WHERE compound_id = $1 ORDER BY from_on DESC LIMIT 200
"""


async def billing_rules(actor: Actor, compound_id: UUID) -> BillingRules:
    """The rules, for the staff who work with fees and bills; others are refused."""
    if not any(actor.may(permission, compound_id) for permission in READERS):
        actor.refuse(compound_id)
    row = await database.fetchrow(RULES, compound_id)
    return BillingRules(compound_id) if row is None else BillingRules(**row)


async def allows_part_payment(compound_id: UUID) -> bool:
    """Whether a part of a bill may be paid there."""
    return bool(await database.fetchval(payment_sql.ALLOWS_PART, compound_id))


async def late_fee_rules(compound_id: UUID) -> list[LateFeeRule]:
    """The compound's late fee rules, the last one first; whoever asks has read its rules."""
    return [LateFeeRule(**row) for row in await database.fetch(LATE_FEES, compound_id)]
