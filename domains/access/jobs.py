"""Scheduled work on visitors' passes and the records of doors."""

from __future__ import annotations

from domains.access import pass_sql, visits
from domains.access.service import ending, retention, templates
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.command import command
from domains.kernel.jobs import Result

BATCH = 1_000


async def expire_passes(_: object) -> Result:
    """Write the end of passes whose time is over, and of requests that nobody answered."""
    return {"expired": await ending.expire()}


async def make_template_passes(_: object) -> Result:
    """Make what templates want for the coming two days."""
    return {"made": await templates.make_due()}


async def forget_visitors(_: object) -> Result:
    """Forget names, phones and plates of visits that have been over for 180 days, and the six digits of days that
    are over; what the doors recorded is kept for as long as the compound's rules say."""
    total = 0
    while count := await _forget_passes(SYSTEM):
        total += count
    while await _forget_digits(SYSTEM):
        pass
    return {"passes": total, "templates": await _forget_templates(SYSTEM)}


async def delete_old_records(_: object) -> Result:
    """Delete records of doors past the compound's term."""
    return {"records": await retention.delete_old_records()}


async def delete_old_commands(_: object) -> Result:
    """Delete orders to doors whose records are gone."""
    return {"commands": await retention.delete_old_commands()}


async def forget_exports(_: object) -> Result:
    """Delete exported files whose address has ended."""
    return {"files": await retention.forget_exports()}


@command("visitor_pass.forget", caller="system", audited=False)
async def _forget_passes(actor: Actor) -> int:
    return await database.execute(pass_sql.FORGET_PASSES, clock.now() - visits.KEPT, BATCH)


@command("keypad_code.forget", caller="system", audited=False)
async def _forget_digits(actor: Actor) -> int:
    return await database.execute(pass_sql.FORGET_DIGITS, clock.today(), BATCH)


@command("pass_template.forget", caller="system", audited=False)
async def _forget_templates(actor: Actor) -> int:
    return await database.execute(pass_sql.FORGET_TEMPLATES, clock.now() - visits.KEPT)
