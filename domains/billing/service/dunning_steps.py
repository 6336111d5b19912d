"""When a compound reminds of its bills, and how (催缴步骤)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domains.billing import dunning, permissions
from domains.billing import dunning_sql as sql
from domains.billing.dunning import Form
from domains.billing.turns import take_turn
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns


@command("dunning_steps.set", caller="staff", permission=permissions.DUNNING_WRITE)
async def set_dunning_steps(actor: Actor, *, compound_id: UUID, steps: Sequence[tuple[int, Form]]) -> UUID:
    """Let these be a compound's steps: days from the due date, and the form; the compound's id.

    A step that was there before stays what it is, so that no bill has it twice. Raises DUNNING_STEPS_INVALID.
    """
    concerns("DunningStep", None, compound_id, steps=[list(step) for step in steps])
    actor.require_whole(permissions.DUNNING_WRITE, compound_id)
    dunning.check_steps(steps)
    await take_turn(compound_id)
    wanted = [days for days, _ in steps], [form for _, form in steps]
    await database.execute(sql.END_STEPS, compound_id, *wanted, clock.now())
    await database.execute(sql.ADD_STEPS, compound_id, *wanted)
    return compound_id
