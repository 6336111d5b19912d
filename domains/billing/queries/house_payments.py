"""Reads of payments by the people of a house (缴费记录): what they paid with their own phone, and what was paid of bills
that are theirs, out of the house's money or at the desk.

Whose a bill is, is `payer_sql`'s to say; what went into a house's money is its owners' and their family's, as the money is.
A payment is shown where all of it is theirs: one that pays a bill of somebody else's too tells how much that was.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from uuid import UUID

from domains.billing.payer_sql import MINE, is_mine
from domains.kernel import clock, database, live
from domains.kernel.actor import Actor
from payments.queries import orders, refunds
from payments.queries.orders import Payment
from payments.queries.refunds import Refund
from payments.service.orders import watch_name

_PUT_IN_THEIRS = """EXISTS (SELECT FROM mine WHERE mine.house_id = l.subject_id AND mine.payer = 'owner'
    AND mine.until = 'infinity' AND mine.since <= (o.paid_at AT TIME ZONE 'Asia/Shanghai')::date)"""

# What somebody else's phone paid is told of by the bill. A bill that names nobody is `NULL`, not false, to who is not
# there: no part is shown but what is true.
_IS_THEIRS = f"""(o.payer_id IS NULL AND o.state IN ('paid', 'voided') AND NOT EXISTS (
    SELECT FROM payment_item i LEFT JOIN payable p ON p.id = i.payable_id AND p.subject_type IN ('bill', 'late_fee')
    LEFT JOIN bill b ON b.id = p.subject_id
    LEFT JOIN ledger_account l ON l.id = i.account_id AND l.code = 'prepayment'
    WHERE i.order_id = o.id AND CASE WHEN b.id IS NOT NULL THEN {is_mine("b")}
        WHEN l.id IS NOT NULL THEN {_PUT_IN_THEIRS} END IS NOT TRUE))"""

_WANTED = "($3::text[] IS NULL OR o.state = ANY($3::text[])) AND ($4::uuid IS NULL OR o.id < $4)"

# What they paid, and what was paid for each house, by its own index: a page reads a page of each.
OWN = f"""
WITH {MINE},
houses AS MATERIALIZED (
    SELECT house_id FROM mine UNION SELECT w.house_id FROM bill w WHERE w.person_id IN (SELECT id FROM me)),
page AS (
    (SELECT o.id FROM payment_order o WHERE o.payer_id = $1 AND {_WANTED} ORDER BY o.id DESC LIMIT $5)
    UNION
    SELECT one.id FROM houses CROSS JOIN LATERAL (
        SELECT o.id FROM payment_order o WHERE o.holder_id = houses.house_id AND {_WANTED} AND {_IS_THEIRS}
        ORDER BY o.id DESC LIMIT $5) one
    ORDER BY id DESC LIMIT $5)
{orders.shown("SELECT o.* FROM page JOIN payment_order o ON o.id = page.id")}
"""

BY_ID = f"""
WITH {MINE}
{orders.shown(f"SELECT o.* FROM payment_order o WHERE o.id = ANY($3::uuid[]) AND {_IS_THEIRS}")}
"""

PAYMENTS_OF = "SELECT id, order_id FROM refund WHERE id = ANY($1::uuid[])"


async def own(
    actor: Actor, *, states: Sequence[str] | None, after: tuple[object, ...] | None, limit: int
) -> list[Payment]:
    """A page of what the caller paid and of what was paid of bills that are theirs, the newest first."""
    wanted = None if states is None else list(states)
    rows = await database.fetch(OWN, actor.id, clock.today(), wanted, after[0] if after else None, limit)
    return [orders.payment_of(row) for row in rows]


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Payment]:
    """Those that the caller may see: for what they are, or for what they pay."""
    found = await orders.by_id(actor, ids)
    others = [id for id in ids if id not in found]
    if not others or actor.kind != "resident":
        return found
    rows = await database.fetch(BY_ID, actor.id, clock.today(), others)
    return {**found, **{row["id"]: orders.payment_of(row) for row in rows}}


async def refunds_by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Refund]:
    """Those that the caller may see; a resident, those of payments that they may see."""
    if actor.kind != "resident":
        return await refunds.by_id(actor, ids)
    rows = await database.fetch(PAYMENTS_OF, ids)
    seen = await by_id(actor, list({row["order_id"] for row in rows}))
    of_seen = await refunds.of_payments(list(seen))
    return {each.id: each for some in of_seen.values() for each in some if each.id in ids}


async def follow(actor: Actor, payment_id: UUID) -> AsyncGenerator[Payment, None]:
    """A payment that the caller may see as it is now, and after each change."""
    shown: Payment | None = None
    with live.hub().listening(watch_name(payment_id)) as bell:
        while True:
            await bell.wait()
            bell.clear()
            now = (await by_id(actor, [payment_id])).get(payment_id)
            if now is None:
                return
            if now != shown:
                yield (shown := now)
