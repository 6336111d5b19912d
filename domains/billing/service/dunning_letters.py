"""Letters that are printed (打印催缴函)."""

from __future__ import annotations

from uuid import UUID

from domains.billing import dunning_sql as sql
from domains.billing import permissions
from domains.billing.documents import issuing
from domains.billing.documents.issuing import Document
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, NotFound


async def print_dunning_letter(actor: Actor, *, letter_id: UUID) -> Document:
    """The letter as PDF; the first time it is marked as printed. Its words stay those of the day it was made.

    Raises LETTER_NOT_FOUND, LETTER_SETTLED where all was paid before it was printed, and as `issue_letter`.
    """
    await _begin(actor, letter_id=letter_id)
    made = await issuing.issue_letter(actor, letter_id=letter_id)
    await database.execute(sql.PRINTED, letter_id, clock.now(), actor.id)
    return made


@command("dunning_letter.print", caller="staff", permission=permissions.DUNNING_WRITE)
async def _begin(actor: Actor, *, letter_id: UUID) -> None:
    letter = await database.fetchrow(sql.LETTER_PLACE, letter_id)
    if letter is None:
        raise NotFound("LETTER_NOT_FOUND", "没有找到这封催缴函,请刷新后重试", "letter")
    concerns("DunningLetter", letter_id, letter["compound_id"], number=letter["number"])
    actor.require(permissions.DUNNING_WRITE, letter["compound_id"], letter["building_id"])
    if letter["printed_at"] is None and not letter["is_owed"]:
        raise Conflict("LETTER_SETTLED", "这封催缴函上的账单都已缴清,无需打印")
