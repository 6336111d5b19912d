"""What became of a payment (支付结果): the channel is called, asked and believed, outside of any transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from uuid import UUID

import asyncpg
import structlog

from domains.kernel import clock, database
from domains.kernel.errors import Conflict
from domains.kernel.faults import place
from domains.platforms.calling import NotSent, OutcomeUnknown, PlatformFailure
from payments import order_sql as sql
from payments.gateways import Ask, Declined, Gateway, Sighting, gateways
from payments.order_rules import LIVE, MARGIN, ONLINE, STUCK_AFTER, next_query
from payments.service import events, exceptions, orders
from payments.service.crediting import credit

log = structlog.get_logger(__name__)

# Longer than a call takes: whoever has an attempt has told what became of it by then.
_LEASE_S = 30
_AT_ONCE = 20


async def prepare(attempt_id: UUID, client_ip: str = "") -> str:
    """Ask the channel to take a payment; the attempt's state. Where nobody answers it is unknown, and asked about from
    then on. What was asked before is asked again only if nobody answered: the number makes it the same payment.
    `client_ip` is the payer's, which some channels want to know of a browser; it is not kept."""
    attempt = await _attempt(attempt_id)
    if attempt["state"] in ("created", "unknown"):
        await _prepare(attempt, client_ip)
    return str((await _attempt(attempt_id))["state"])


async def _prepare(attempt: asyncpg.Record, client_ip: str) -> None:
    gateway = gateways()[attempt["channel"]]
    try:
        parameters = await gateway.create(_ask(attempt, client_ip))
    except Declined as refusal:
        await orders.end_attempt(attempt, "failed", refusal.code)
    except NotSent:
        # Of what was asked before, and is unknown, this says nothing.
        if attempt["state"] == "created":
            await orders.end_attempt(attempt, "failed", "NOT_SENT")
    except OutcomeUnknown as failure:
        await _move(attempt, "unknown", problem=failure.reason[:60])
    else:
        await _move(attempt, "prepared", client_parameters=dict(parameters), problem="")


def _ask(attempt: asyncpg.Record, client_ip: str) -> Ask:
    return Ask(
        attempt["order_id"], attempt["out_trade_no"], attempt["amount_fen"], attempt["title"], attempt["expires_at"],
        attempt["product"], attempt["buyer"], client_ip,
    )  # fmt: skip


async def _move(attempt: asyncpg.Record, state: str, **values: object) -> None:
    """Unless it was paid, or given up, while the channel was called."""
    now = clock.now()
    at = next_query(now, 0, attempt["created_at"])
    async with database.transaction():
        with suppress(Conflict):
            await orders.move_attempt(attempt["id"], attempt["state"], state, next_query_at=at, **values)
        await orders.changed(attempt["order_id"])


async def ask(attempt_id: UUID, *, give_up: bool = False) -> None:
    """Ask the channel what became of an attempt, and book or end it. `give_up`: nobody wants to pay it any more."""
    attempt = await _attempt(attempt_id)
    gateway = gateways().get(attempt["channel"])
    if attempt["state"] == "succeeded":
        return
    if gateway is None:
        await _ask_later(attempt, "the channel is not set up any more")
        return
    try:
        sighting = await gateway.query(attempt["out_trade_no"])
        if sighting.state in ("waiting", "absent") and (give_up or _is_over(attempt)):
            sighting = await _closed(gateway, attempt, sighting)
    except (PlatformFailure, Declined) as failure:
        await _ask_later(attempt, str(failure))
        return
    await take(attempt, sighting)


def _is_over(attempt: asyncpg.Record) -> bool:
    """Nobody shall begin to pay it: its time is over, or it was paid in another way."""
    return bool(attempt["expires_at"] <= clock.now() or attempt["order_state"] != "open")


async def _closed(gateway: Gateway, attempt: asyncpg.Record, seen: Sighting) -> Sighting:
    """What is known after it was tried to close it. A number that the channel does not know may still be paid until
    its time, as the channel knows it, has passed."""
    number = attempt["out_trade_no"]
    if await gateway.close(number):
        return Sighting(number, "closed")
    again = await gateway.query(number)
    if again.state == "absent" and attempt["expires_at"] + MARGIN <= clock.now():
        return Sighting(number, "closed")
    return again


async def take(attempt: asyncpg.Record, sighting: Sighting) -> None:
    """Let an attempt follow what its channel says."""
    if sighting.state == "paid":
        async with database.transaction():
            became = await credit(attempt, sighting)
            if became != "again":
                await events.keep_answer(attempt, sighting, became)
        if became == "reused_number":
            await _ask_later(attempt)
    elif sighting.state == "closed":
        await orders.end_attempt(attempt, "closed")
    else:
        await _ask_later(attempt)


async def _ask_later(attempt: asyncpg.Record, trouble: str = "") -> None:
    now = clock.now()
    at = next_query(now, attempt["queries"], attempt["created_at"])
    async with database.transaction():
        await database.execute(sql.ASK_AGAIN_AT, attempt["id"], at)
        if now - attempt["created_at"] > STUCK_AFTER:
            await _tell_stuck(attempt, trouble)


async def _tell_stuck(attempt: asyncpg.Record, trouble: str) -> None:
    """A person sees to what has had no answer for long, until there is one."""
    if not trouble:
        await exceptions.close_of_attempt(("stuck",), attempt["id"])
        return
    current = await database.fetchrow(sql.LOCK_ATTEMPT, attempt["id"])
    if current is not None and current["state"] in LIVE:
        await exceptions.open_exception(
            "stuck", attempt["compound_id"], attempt_id=attempt["id"], amount_fen=attempt["amount_fen"],
            note=trouble,
        )  # fmt: skip


async def ask_due(channels: Collection[str] = ONLINE) -> int:
    """Ask each of these channels about attempts whose time has come; how many. Any number of processes may do so at
    once."""
    return sum(await asyncio.gather(*(_ask_due_of(channel) for channel in channels)))


async def _ask_due_of(channel: str) -> int:
    rows = await database.fetch(sql.CLAIM_DUE, clock.now(), _LEASE_S, _AT_ONCE, channel)
    await asyncio.gather(*(_ask_safely(row["id"]) for row in rows))
    return len(rows)


async def ask_at_once(order_id: UUID, *, give_up: bool = False) -> None:
    """Ask about a payment that somebody waits for; one that was asked about a moment ago is left alone, unless nobody
    wants to pay it any more."""
    for row in await database.fetch(sql.CLAIM_LIVE, order_id, clock.now(), _LEASE_S, give_up):
        await ask(row["id"], give_up=give_up)


async def _ask_safely(attempt_id: UUID) -> None:
    try:
        await ask(attempt_id)
    except (
        Exception
    ) as error:  # the others are asked about all the same; this one comes again after its lease
        log.error("payment.asking_failed", attempt=str(attempt_id), **place(error))


async def _attempt(attempt_id: UUID) -> asyncpg.Record:
    row = await database.fetchrow(sql.ATTEMPT_BY_ID, attempt_id)
    assert row is not None, "attempts are kept"
    return row
