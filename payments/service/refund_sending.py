"""Refunds sent to their channel, and asked about (退款发起与查询), outside of any transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import asyncpg
import structlog

from domains.kernel import clock, database
from domains.kernel.faults import place
from domains.platforms.calling import OutcomeUnknown, PlatformFailure
from payments import refund_sql as sql
from payments.gateways import Declined, Gateway, RefundAsk, RefundSighting, gateways
from payments.order_rules import ONLINE, next_query
from payments.service import exceptions, refund_results, refunding

log = structlog.get_logger(__name__)

_LEASE_S = 30
_AT_ONCE = 20
# A bank card may take three days. Asked seldom, it was approved long after it was requested, and not sent for long.
_OFTEN, _LONG = 20, timedelta(days=3)


async def see_to(refund_id: UUID) -> None:
    """Send a refund that may go, or ask what became of one that was sent. An unknown outcome is sent again under the
    same number, so that money never moves twice."""
    refund = await database.fetchrow(sql.REFUND_BY_ID, refund_id)
    assert refund is not None, "refunds are kept"
    gateway = gateways().get(refund["channel"])
    if refund["state"] not in ("approved", "sent"):
        return
    if gateway is None:
        await _later(refund)
        return
    try:
        seen = await _result(gateway, refund)
    except Declined as refusal:
        await refund_results.refused(refund_id, refusal.code)
        return
    except PlatformFailure as failure:
        log.warning("refund.unanswered", refund=str(refund_id), reason=str(failure))
        await _later(refund)
        return
    if await refund_results.take_result(refund_id, seen) == "processing":
        await _later(refund)


async def _result(gateway: Gateway, refund: asyncpg.Record) -> RefundSighting:
    ask = RefundAsk(
        refund["out_trade_no"], refund["channel_no"], refund["out_refund_no"], refund["amount_fen"], refund["paid_fen"],
        refund["reason"] or "退款",
    )  # fmt: skip
    if refund["queries"] > 1:  # it may have been sent before
        seen = await _seen(gateway, ask)
        # One that did not arrive is sent again only once a person wants it, which makes it approved again.
        is_wanted_again = refund["state"] == "approved" and seen.state in ("abnormal", "closed")
        if seen.state != "absent" and not is_wanted_again:
            return seen
    return await gateway.refund(ask)


async def _seen(gateway: Gateway, ask: RefundAsk) -> RefundSighting:
    """A question that is refused says nothing of the refund: it may have gone."""
    try:
        return await gateway.query_refund(ask)
    except Declined as refusal:
        raise OutcomeUnknown(gateway.channel, refusal.code) from None


async def _later(refund: asyncpg.Record) -> None:
    now = clock.now()
    at = next_query(now, refund["queries"], refund["requested_at"])
    async with database.transaction():
        await database.execute(sql.ASK_AGAIN_AT, refund["id"], at)
        is_long = refund["queries"] >= _OFTEN and now - refund["requested_at"] > _LONG
        if is_long and await refunding.lock_refund(refund["id"]) in refunding.UNDER_WAY:
            await exceptions.open_exception(
                "refund_stuck", refund["compound_id"], refund_id=refund["id"], amount_fen=refund["amount_fen"]
            )


async def see_to_due(channels: Collection[str] = ONLINE) -> int:
    """See to refunds by each of these channels whose time has come; how many. Any number of processes may do so at
    once."""
    return sum(await asyncio.gather(*(_see_to_due_of(channel) for channel in channels)))


async def _see_to_due_of(channel: str) -> int:
    rows = await database.fetch(sql.CLAIM_DUE, clock.now(), _LEASE_S, _AT_ONCE, channel)
    await asyncio.gather(*(_safely(row["id"]) for row in rows))
    return len(rows)


async def _safely(refund_id: UUID) -> None:
    try:
        await see_to(refund_id)
    except Exception as error:  # the others are seen to all the same; this one comes again after its lease
        log.error("refund.failed", refund=str(refund_id), **place(error))
