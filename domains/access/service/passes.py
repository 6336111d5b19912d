"""A resident's own passes for guests (邀请访客), and taking a pass back (吊销)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import asyncpg

from domains.access import pass_sql, permissions, sealed, visits
from domains.access.community import rules_of
from domains.access.models import VisitorPass
from domains.access.service import ending, issuing
from domains.access.service.issuing import Doors, Guest
from domains.kernel import clock, database, sealing, text
from domains.kernel.actor import Actor, HouseTie
from domains.kernel.command import command, concerns
from domains.kernel.errors import NotFound


@command("visitor_pass.create", caller="resident")
async def create_visitor_pass(
    actor: Actor,
    *,
    house_id: UUID,
    guest: Guest,
    idempotency_key: UUID,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    uses: int = 1,
    door_ids: Sequence[UUID] = (),
    offline_door_id: UUID | None = None,
    phone_of_id: UUID | None = None,
) -> UUID:
    """A pass for a guest of one's own house, valid at once (访客通行证); the link is read with the pass.

    Whoever lives there may: owner, family, tenant. `phone_of_id` is an earlier pass of the caller whose phone is the
    guest's. Of a car that finds the compound full the pass says so, and lets the person in.
    Raises a VISIT_ code, VISITS_TOO_MANY, DOOR_NOT_ON_WAY, VISITOR_PASS_NOT_FOUND, or the codes of the guest's fields.
    """
    tie = own_house(actor, house_id)
    concerns("VisitorPass", None, tie.compound_id, house=house_id)
    rules, now = await rules_of(tie.compound_id), clock.now()
    window = visits.window(starts_at, ends_at, now, rules.longest_window_h)
    visits.check_uses(uses, rules.most_uses)
    columns = issuing.guest_columns(await _with_phone(actor, guest, phone_of_id))
    doors = Doors(chosen=door_ids, offline_id=offline_door_id)
    await issuing.require_occupant(actor, house_id)
    await issuing.check_doors(house_id, doors)
    await issuing.check_daily(rules, house_id)
    columns |= {"origin": "host", "host_id": actor.id, "decided_by": actor.id, "uses_allowed": uses}
    id = await issuing.issue(rules, house_id, window, columns | issuing.link_columns(), doors)
    concerns("VisitorPass", id, tie.compound_id)
    return id


def own_house(actor: Actor, house_id: UUID) -> HouseTie:
    """The caller's tie to a house; anybody who does not belong to it is refused."""
    tie = next((each for each in actor.houses if each.house_id == house_id), None)
    if tie is None:
        actor.refuse()
    return tie


async def _with_phone(actor: Actor, guest: Guest, earlier_id: UUID | None) -> Guest:
    if guest.phone or earlier_id is None:
        return guest
    blob = await VisitorPass.filter(pk=earlier_id, host_id=actor.id).values_list("phone_sealed", flat=True)
    if not blob:
        raise NotFound("VISITOR_PASS_NOT_FOUND", "没有找到这张访客通行证,请刷新后重试", "phone_of")
    return replace(guest, phone=sealing.unseal_optional(blob[0], sealed.PHONE))  # type: ignore[arg-type]  # a column's value


@command("visitor_pass.revoke", caller="account")
async def revoke_visitor_pass(actor: Actor, *, visitor_pass_id: UUID, reason: str = "") -> UUID:
    """Take a pass back: the host, an owner of the house, or staff with visitors.admit there. Gates learn it from
    the revocation list, those with a network within seconds. Raises VISITOR_PASS_NOT_FOUND, STATE_CONFLICT."""
    row = await to_change(visitor_pass_id)
    concerns("VisitorPass", visitor_pass_id, row["compound_id"], house=row["house_id"], state=row["state"])
    authorise_end(actor, row)
    reason = text.clean(reason, max_length=200, min_length=0, multiline=True, field="reason")
    await ending.revoke(row, actor.account_id, reason)
    return visitor_pass_id


async def to_change(visitor_pass_id: UUID) -> asyncpg.Record:
    """A pass, locked until the transaction ends. Raises VISITOR_PASS_NOT_FOUND."""
    row = await database.fetchrow(pass_sql.VISIT_TO_CHANGE, visitor_pass_id)
    if row is None:
        raise NotFound("VISITOR_PASS_NOT_FOUND", "没有找到这张访客通行证,请刷新后重试", "visitor_pass")
    return row


def authorise_end(actor: Actor, row: asyncpg.Record) -> None:
    """The host while they live there, the house's owners, staff of the building; others are refused."""
    if actor.kind != "resident":
        actor.require(permissions.VISITORS_ADMIT, row["compound_id"], row["building_id"])
        return
    tie = own_house(actor, row["house_id"])
    if tie.capacity != "owner" and row["host_id"] != actor.id:
        actor.refuse()
