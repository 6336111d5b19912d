"""What a guard's phone has read (保安扫码): whose it is and whether it counts here, without using it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from domains.access import permissions, signing
from domains.access.community import rules_of
from domains.access.gate import screens, verifier
from domains.access.gate.reasons import Kind, Reason, Refused
from domains.access.queries.passes import FROM, ROW, VisitorPass, from_row
from domains.access.queries.visitor_page import linked
from domains.access.service import admitting, digits
from domains.access.service.scanning import HOLDER
from domains.kernel import clock, database, text
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read

LONGEST = 2_000
_DIGITS = re.compile(r"[0-9]{6}")
_LINK = re.compile(r"(?:.*/v/)?([A-Za-z0-9_-]{16,64})/?")

SHOWN = f"SELECT {ROW} FROM {FROM} WHERE v.id = $2"  # noqa: S608  # columns are constants, values are parameters


@dataclass(frozen=True, slots=True)
class Look:
    """What was shown: a visitor's pass or a resident's code, by name and house where the guard may know of that
    house; and OK, or why it does not count."""

    reason: str
    visitor: VisitorPass | None = None
    resident: str | None = None
    house_number: str | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """What a text leads to, and what was wrong with the text itself."""

    pass_id: UUID | None = None
    code_id: UUID | None = None
    reason: str = Reason.OK.value


@sensitive_read("visitor.look", caller="staff", permission=permissions.VISITORS_ADMIT)
async def look(actor: Actor, *, compound_id: UUID, door_id: UUID, shown: str) -> Look:
    """Whose a code, six digits or the link of a visitor's page is, and what the guard's door makes of it.

    Raises DOOR_NOT_FOUND, or a TEXT_ code; of whatever else is shown the reason says what it is not.
    """
    actor.require(permissions.VISITORS_ADMIT, compound_id)
    read = await _read(compound_id, text.clean(shown, max_length=LONGEST, field="text"))
    concerns("VisitorPass", read.pass_id, compound_id, door=door_id, reason=read.reason)
    if read.code_id is not None:
        return await _of_resident(actor, compound_id, door_id, read)
    if read.pass_id is None:
        return Look(read.reason)
    return await _of_visitor(actor, compound_id, door_id, read)


async def _of_visitor(actor: Actor, compound_id: UUID, door_id: UUID, read: _Read) -> Look:
    place = await database.fetchrow(admitting.PLACE, read.pass_id)
    if place is None or read.pass_id is None:
        return Look("UNKNOWN_PASS")
    if place["compound_id"] != compound_id:
        return Look(Reason.OTHER_COMMUNITY.value)
    case = await admitting.shown(actor, read.pass_id, door_id)
    row = await database.fetchrow(SHOWN, actor.account_id, read.pass_id)
    assert row is not None, "a pass is never deleted"
    reason = read.reason if read.reason != Reason.OK else case.standing(clock.now()) or Reason.OK.value
    return Look(reason, from_row(row))


async def _of_resident(actor: Actor, compound_id: UUID, door_id: UUID, read: _Read) -> Look:
    holder = await database.fetchrow(HOLDER, read.code_id, door_id, clock.today())
    if holder is None:
        return Look("CODE_UNKNOWN")
    if holder["person_id"] is None:
        return Look("NOT_RESIDENT")
    reason = read.reason if read.reason != Reason.OK or holder["leads_here"] else Reason.OTHER_GATE.value
    if not actor.may(permissions.VISITORS_ADMIT, compound_id, holder["building_id"]):
        return Look(reason)
    return Look(reason, resident=holder["name"], house_number=holder["house_number"])


async def _read(compound_id: UUID, shown: str) -> _Read:
    if _DIGITS.fullmatch(shown):
        pass_id = await digits.pass_of(compound_id, shown)
        return _Read(pass_id, reason=Reason.OK.value if pass_id else "CODE_WRONG")
    if shown.startswith("RC"):
        return await _signed(compound_id, shown)
    secret = _LINK.fullmatch(shown)
    page = await linked(secret[1]) if secret else None
    if page is None or page.pass_id is None:
        return _Read(reason=Reason.NOT_A_PASS.value if page is None else Reason.NOT_YET.value)
    return _Read(page.pass_id)


async def _signed(compound_id: UUID, shown: str) -> _Read:
    rules, now = await rules_of(compound_id), int(clock.now().timestamp())
    try:
        seen = verifier.read(shown, await signing.public_keys(), now, rules.number)
    except Refused as refused:
        is_pass = refused.kind is Kind.VISITOR and refused.id is not None
        return _Read(UUID(bytes=refused.id) if is_pass else None, reason=refused.reason.value)
    id = UUID(bytes=seen.claims.id)
    if seen.kind is Kind.RESIDENT:
        return _Read(code_id=id)
    if seen.screen and not screens.is_genuine(
        rules.screen_key, id.bytes, seen.screen.timestamp, seen.screen.mac
    ):
        return _Read(id, reason=Reason.SCREEN_WRONG.value)
    is_fresh = seen.screen is None or screens.is_fresh(seen.screen.timestamp, now)
    return _Read(id, reason=(Reason.OK if is_fresh else Reason.SCREEN_STALE).value)
