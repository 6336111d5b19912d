"""What a run keeps of its preview (出账预览的留存): what is approved, and what its posting is held to."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from domains.billing.charges.statement import Charging
from domains.billing.models import BillingRun
from domains.billing.run_parts import parts_of
from domains.billing.service.previewing import Preview
from domains.billing.service.settings import MAKE
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.ids import uuid7

TERMS = """
SELECT b.due_days, (SELECT r.id FROM late_fee_rule r
    WHERE r.compound_id = b.compound_id AND r.from_on <= $2 ORDER BY r.from_on DESC LIMIT 1) AS late_fee_rule_id
FROM billing_rules b WHERE b.compound_id = $1
"""


async def keep(
    actor: Actor, charging: Charging, found: Preview, issued_on: date, *, is_scheduled: bool = False
) -> UUID:
    """A draft's row, in the open transaction."""
    made = await BillingRun.create(
        id=uuid7(), compound_id=charging.compound_id, month=charging.month, from_month=charging.from_month,
        fee_item_ids=[str(id) for id in charging.fee_item_ids], house_id=charging.house_id,
        discount_percent=charging.discount_percent, issued_on=issued_on, state="draft", is_scheduled=is_scheduled,
        created_by=actor.account_id, created_at=clock.now(), **await kept(charging.compound_id, issued_on, found),
    )  # fmt: skip
    return made.id


async def kept(compound_id: UUID, issued_on: date, found: Preview) -> dict[str, Any]:  # Any: column values
    """The preview as columns, with the due date and the late fee that bills of this day of issue have now."""
    await database.execute(MAKE, compound_id)
    terms = await database.fetchrow(TERMS, compound_id, issued_on)
    assert terms is not None, "made if it was missing"
    return {
        "preview": found.as_json, "expected_fen": found.total_fen, "houses": found.houses,
        "parts": [part.as_json for part in found.parts], "due_on": issued_on + timedelta(days=terms["due_days"]),
        "late_fee_rule_id": terms["late_fee_rule_id"],
    }  # fmt: skip


async def differs(run: asyncpg.Record, found: Preview) -> bool:
    """Whether bills would not be those that the run was previewed with: a house's line, a payer, the due date."""
    now = await kept(run["compound_id"], run["issued_on"], found)
    same = all(now[name] == run[name] for name in ("due_on", "late_fee_rule_id"))
    return not same or list(found.parts) != parts_of(run["parts"])


def charging_of(run: asyncpg.Record) -> Charging:
    """What a run's row is to charge."""
    return Charging(
        run["compound_id"], run["from_month"], run["month"], tuple(run["fee_item_ids"]), run["house_id"],
        run["discount_percent"],
    )  # fmt: skip
