"""Processes that take notifications and send refunds, to be killed at the n-th place where something became, or is about
to become, true for others; and a platform whose book outlives them."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg.transaction import Transaction

from api.wiring import APPS
from domains.kernel import database
from domains.kernel.actor import Actor, Grant
from payments import permissions
from payments.gateways import RefundAsk, RefundSighting, Sighting, gateways
from payments.service import asking, intake, refund_sending
from payments.service.refund_requests import decide_refund
from tests.factories.channel import ScriptedChannel

BOOK = """
CREATE TABLE platform_refund (number text PRIMARY KEY, fen bigint, asked int);
CREATE TABLE finished (subject text, answer text);
GRANT SELECT, INSERT, UPDATE, DELETE ON platform_refund, finished TO PUBLIC;
"""
ASKED = """
INSERT INTO platform_refund VALUES ($1, $2, 1) ON CONFLICT (number) DO UPDATE SET asked = platform_refund.asked + 1
RETURNING fen
"""
HURRY = "UPDATE refund SET next_query_at = now() WHERE next_query_at IS NOT NULL"
ASK_ALL = "UPDATE payment_attempt SET next_query_at = now() WHERE next_query_at IS NOT NULL"

_left = [0]


def place() -> None:
    """One of the places: the process dies at the last of those that it was given, and never if it was given none."""
    _left[0] -= 1
    if _left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def _dying(at: int) -> None:
    """Count every commit from both sides, those of single statements too."""
    _left[0] = at
    leave = Transaction.__aexit__

    async def leaving(self: Transaction, *why: Any) -> None:  # Any: an exception, or nothing
        is_commit = not self._nested and why[0] is None  # type: ignore[attr-defined]  # a savepoint commits nothing
        if is_commit:
            place()
        await leave(self, *why)
        if is_commit:
            place()

    Transaction.__aexit__ = leaving  # type: ignore[method-assign,assignment]  # this process ends there
    for name in ("fetch", "fetchrow", "fetchval", "execute"):
        setattr(database, name, _alone(getattr(database, name)))


def _alone(statement: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    async def stated(sql: str, *args: object) -> object:
        commits = database.open_transaction() is None and not sql.lstrip().startswith("SELECT")
        if commits:
            place()
        done = await statement(sql, *args)
        if commits:
            place()
        return done

    return stated


@dataclass
class KeptChannel(ScriptedChannel):
    """One whose book of refunds is a table that no transaction of ours reaches. Where it `defers`, a refund is only
    accepted, and done when it is asked about."""

    url: str = ""
    defers: bool = False

    async def refund(self, ask: RefundAsk) -> RefundSighting:
        place()
        fen = await self._said(ASKED, ask.out_refund_no, ask.amount_fen)
        place()
        return self._seen(ask, "processing" if self.defers else "succeeded", fen or 0)

    async def query_refund(self, ask: RefundAsk) -> RefundSighting:
        fen = await self._said("SELECT fen FROM platform_refund WHERE number = $1", ask.out_refund_no)
        return self._seen(ask, "absent" if fen is None else "succeeded", fen or 0)

    def _seen(self, ask: RefundAsk, state: Any, fen: int) -> RefundSighting:  # Any: one of the states
        number = ask.out_refund_no
        return RefundSighting(ask.out_trade_no, number, state, fen, f"R{number}", state.encode())

    async def _said(self, sql: str, *args: object) -> int | None:
        connection = await asyncpg.connect(self.url)
        try:
            fen: int | None = await connection.fetchval(sql, *args)
            return fen
        finally:
            await connection.close()


def decider(compound: UUID, account: UUID) -> Actor:
    """Somebody who decides refunds."""
    return Actor("staff", account, name="员工", grants=(Grant(permissions.REFUNDS_DECIDE, compound),))


async def decide_and_send(refund: UUID, compound: UUID, account: UUID) -> None:
    """Approve a refund, always under the same key, and see to all that are due till nothing is left to ask."""
    await decide_refund(decider(compound, account), refund_id=refund, approve=True, idempotency_key=refund)
    await send_all()


async def send_all() -> None:
    """See to refunds, those too that whoever died has taken up, till there is nothing left to ask."""
    while await database.execute(HURRY):
        await refund_sending.see_to_due()


async def notified(url: str, at: str, subject: str, body: str) -> None:
    """Take a notification, then see to what it left."""
    async with _process(url, at) as channel:
        taken = await intake.take_notification(channel, {}, base64.b64decode(body))
        await database.execute("INSERT INTO finished VALUES ($1, $2)", subject, taken.reply.body.decode())
        await send_all()
        await database.execute("INSERT INTO finished VALUES ($1, 'all')", subject)


async def polling(url: str, at: str, subject: str, body: str) -> None:
    """Ask about a payment that was paid, of which nobody has told; then see to what it left."""
    async with _process(url, at) as channel:
        paid = channel.read({}, base64.b64decode(body)).about
        assert isinstance(paid, Sighting)
        channel.trades[paid.out_trade_no] = paid
        await ask_all()
        await send_all()
        await database.execute("INSERT INTO finished VALUES ($1, 'all')", subject)


async def ask_all() -> None:
    """Ask about payments, those too that whoever died has taken up, till there is nothing left to ask."""
    while await database.execute(ASK_ALL):
        await asking.ask_due()


async def refunding(url: str, at: str, refund: str, compound: str, account: str, defers: str) -> None:
    """Approve a refund and send it."""
    async with _process(url, at, defers == "defers"):
        await decide_and_send(UUID(refund), UUID(compound), UUID(account))
        await database.execute("INSERT INTO finished VALUES ($1, 'all')", refund)


@asynccontextmanager
async def _process(url: str, at: str, defers: bool = False) -> AsyncIterator[KeptChannel]:
    channel = KeptChannel(url=url, defers=defers)
    gateways.fill({channel.channel: channel})
    async with database.connected(url, APPS, pool_size=2):
        _dying(int(at))
        yield channel
