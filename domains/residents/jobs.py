"""Scheduled work of residents."""

from __future__ import annotations

from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.command import command
from domains.kernel.jobs import Result
from domains.residents import sql
from domains.residents.service.leases import end_due


async def end_leases(_: object) -> Result:
    """Write the end of the leases that are over; they stopped to count on their last day already."""
    return {"ended": await _end_leases(SYSTEM)}


async def expire_invitations(_: object) -> Result:
    """Close the invitations nobody took up in time."""
    return {"expired": await _expire_invitations(SYSTEM)}


@command("lease.end_due", caller="system", audited=False)
async def _end_leases(actor: Actor) -> int:
    return await end_due()


@command("invitation.expire", caller="system", audited=False)
async def _expire_invitations(actor: Actor) -> int:
    return await database.execute(sql.EXPIRE_INVITATIONS, clock.now())
