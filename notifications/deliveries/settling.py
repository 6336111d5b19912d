"""Settling an attempt: the state, the attempt's row and all that follows from it in one transaction."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from domains.kernel import clock, database, outbox
from domains.kernel.ids import uuid7
from notifications import consents
from notifications.channels.port import Aftermath, Outcome, Refused, Sent, TryAgain, Unknown
from notifications.channels.wechat_values import one_line
from notifications.deliveries.climbing import climb_now
from notifications.deliveries.lease import Leased
from notifications.deliveries.rules import NOT_SENT, Move, Terms, judge
from notifications.deliveries.sql import ANSWERED_LATE, CLOSE_ENDPOINT, FORGET_CONTACT, FORGET_DEVICE, SETTLE
from notifications.events import MessageFault
from notifications.kinds import Channel

log = structlog.get_logger(__name__)

_NAMES: dict[type[Outcome], str] = {Sent: "sent", TryAgain: "retry", Refused: "refused", Unknown: "unknown"}
_IN_DOUBT = frozenset({"sent", "uncertain"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: what the platform said, and what it answered when it was asked about an unknown outcome."""

    outcome: Outcome
    was_sent: bool | None = None


async def settle(held: Leased, attempt: Attempt) -> bool:
    """Write down what came of an attempt; False where the lease was lost to another worker: then nothing is
    written but that it was sent, where that one could not know."""
    now, outcome = clock.now(), _as_kept(attempt.outcome, held)
    terms = Terms(held.attempt, held.is_repeatable, held.is_urgent, held.expires_at)
    move = judge(outcome, attempt.was_sent, terms, now)
    # Most attempts leave nothing but the one statement, which is a transaction by itself.
    is_lost = held.is_urgent and move.state in NOT_SENT
    follows = held.needs_consent or is_lost or isinstance(outcome, Refused)
    async with database.transaction() if follows else nullcontext():
        if not await _write(held, outcome, move, now):
            log.warning("delivery.lease_lost", delivery=str(held.id), channel=held.channel)
            if isinstance(outcome, Sent):
                await database.execute(ANSWERED_LATE, held.id, outcome.platform_id, now)
            return False
        if held.needs_consent:
            await consents.settle(held.id, spent=move.state in _IN_DOUBT)
        if isinstance(outcome, Refused):
            await _follow(held, outcome, now)
        if is_lost:
            await climb_now([held.id], now)
    if move.state in ("dead", "uncertain"):
        log.warning(f"delivery.{move.state}", delivery=str(held.id), channel=held.channel, code=move.reason)
    return True


def _as_kept(outcome: Outcome, held: Leased) -> Outcome:
    """Without where somebody is reached, which platforms repeat in their answers, and without what neither
    a column takes nor a terminal should be told."""
    if isinstance(outcome, Sent):
        return Sent(one_line(outcome.platform_id)[:120])
    address = held.parcel.address.to if held.parcel else ""
    detail = outcome.detail.replace(address, "***") if address else outcome.detail
    return replace(outcome, code=one_line(outcome.code)[:60], detail=one_line(detail)[:300])


async def _write(held: Leased, outcome: Outcome, move: Move, now: datetime) -> bool:
    platform_id = outcome.platform_id if isinstance(outcome, Sent) else None
    code, detail = ("", "") if isinstance(outcome, Sent) else (outcome.code, outcome.detail)
    return bool(
        await database.fetchval(
            SETTLE, held.id, held.lease_id, move.state, move.reason, move.due_at, platform_id, now, uuid7(),
            _NAMES[type(outcome)], code, detail, held.began_at,
        )
    )  # fmt: skip


async def _follow(held: Leased, refused: Refused, now: datetime) -> None:
    match refused.aftermath:
        case Aftermath.NO_CONSENT if held.account_id is not None:
            await consents.void(held.account_id, held.channel, held.template_id)
        case Aftermath.DEAD_ADDRESS:
            await _forget(held, now)
        case Aftermath.OUR_FAULT:
            await outbox.record(MessageFault(held.channel, refused.code, held.kind, refused.detail))
        case _:
            pass


async def _forget(held: Leased, now: datetime) -> None:
    if held.channel is Channel.WEBHOOK:
        await database.execute(CLOSE_ENDPOINT, held.target_id, now)
    elif held.channel is Channel.WEB_PUSH:
        await database.execute(FORGET_DEVICE, held.target_id, held.account_id)
    else:
        channel = Channel.SMS if held.channel is Channel.VOICE else held.channel
        await database.execute(FORGET_CONTACT, held.account_id, channel, held.address_mark)
