"""Notifications of channels (异步通知): believed only if genuine, booked once, answered only once that is committed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import asyncpg
import structlog

from domains.kernel import database
from payments import order_sql as sql
from payments.gateways import Gateway, Notice, RefundSighting, Refused, Reply, Sighting
from payments.order_rules import LIVE, is_number
from payments.service import asking, events, exceptions, refund_results
from payments.service.crediting import credit

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What the channel is told, and whether what it said was believed and kept; `verdict` is for counting."""

    reply: Reply
    verdict: str
    is_kept: bool = True


async def _always() -> bool:
    return True


async def take_notification(
    gateway: Gateway,
    headers: Mapping[str, str],
    body: bytes,
    may_keep: Callable[[], Awaitable[bool]] = _always,
) -> Taken:
    """Take a notification that came for this merchant's account. `may_keep` is asked before one that is not genuine is
    kept."""
    try:
        notice = gateway.read(headers, body)
    except Refused as refusal:
        is_kept = await may_keep()
        if is_kept:
            await _keep_refused(gateway, refusal, headers, body)
        return Taken(gateway.reply(taken=False), "refused", is_kept)
    verdict = await _take(gateway, notice, headers, body)
    return Taken(gateway.reply(taken=verdict != "unknown_party"), verdict)


async def _take(gateway: Gateway, notice: Notice, headers: Mapping[str, str], body: bytes) -> str:
    about = notice.about
    attempt = await database.fetchrow(sql.ATTEMPT_BY_NUMBER, about.out_trade_no, gateway.channel)
    if attempt is None:
        return await _keep_unknown(gateway, notice, headers, body)
    if isinstance(about, RefundSighting):
        other = await database.fetchrow(
            sql.ATTEMPT_OF_TRANSACTION, gateway.channel, about.channel_no, attempt["order_id"]
        )
        verdict = await refund_results.hear(other or attempt, notice.external_id, about, headers)
        if verdict == "held" and attempt["state"] not in LIVE:
            # Given up, and paid all the same: nobody asks about it any more.
            await asking.ask(attempt["id"])
        return verdict
    if about.state == "paid":
        return await _credit(attempt, notice.external_id, about, headers)
    if about.state == "closed":
        # Closed may be said of what was paid a moment later: the channel is asked, and then believed.
        await asking.ask(attempt["id"])
    return "noted"


async def _credit(
    attempt: asyncpg.Record, external_id: str, paid: Sighting, headers: Mapping[str, str]
) -> str:
    if attempt["state"] == "succeeded" and attempt["channel_no"] == paid.channel_no:
        return "again"
    async with database.transaction():
        verdict = await credit(attempt, paid)
        await events.keep(
            attempt["channel"], "notification", external_id, verdict, paid.body,
            out_trade_no=attempt["out_trade_no"], attempt_id=attempt["id"], headers=headers,
        )  # fmt: skip
    return verdict


async def _keep_unknown(gateway: Gateway, notice: Notice, headers: Mapping[str, str], body: bytes) -> str:
    """Somebody pays us for what we do not know: another system of the same merchant's, or books that were lost."""
    async with database.transaction():
        is_new = await events.keep(
            gateway.channel, "notification", notice.external_id, "unknown_party", body,
            out_trade_no=notice.about.out_trade_no, headers=headers,
        )  # fmt: skip
        if is_new:
            await exceptions.open_exception(
                "unknown_party", None, amount_fen=notice.about.amount_fen, note=notice.about.out_trade_no
            )
    return "unknown_party"


async def _keep_refused(gateway: Gateway, refusal: Refused, headers: Mapping[str, str], body: bytes) -> None:
    log.warning("payment.notification_refused", channel=gateway.channel, reason=refusal.reason)
    # It is anybody's text: what cannot be a number of ours is none.
    number = refusal.out_trade_no if is_number(refusal.out_trade_no) else ""
    attempt = await database.fetchrow(sql.ATTEMPT_BY_NUMBER, number, gateway.channel) if number else None
    async with database.transaction():
        is_new = await events.keep(
            gateway.channel, "notification", events.digest(body), refusal.reason, body, out_trade_no=number,
            attempt_id=attempt["id"] if attempt else None, headers=headers,
        )  # fmt: skip
        if is_new:
            await _tell_refused(gateway.channel, refusal.reason, attempt)


async def _tell_refused(channel: str, reason: str, attempt: asyncpg.Record | None) -> None:
    """What names no payment of ours is told to who runs the installation, and not again until they have seen to it: a
    forger sends as much of it as they like."""
    if attempt is not None:
        await exceptions.open_exception(
            "refused", attempt["compound_id"], attempt_id=attempt["id"], note=reason
        )
    elif not await exceptions.is_open("refused", note := f"{channel}: {reason}"):
        await exceptions.open_exception("refused", None, note=note)
