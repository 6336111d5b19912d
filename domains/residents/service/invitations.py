"""An owner's invitations to the house (邀请家人、租客)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import cast
from uuid import UUID

import asyncpg

from domains.identity import contact
from domains.identity.limits import limiter
from domains.kernel import clock, database, outbox, phones, sealing, text
from domains.kernel.actor import Actor, Capacity
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound, Throttled
from domains.kernel.rates import RateLimit, WhenDown
from domains.residents import rules, sealed, sql
from domains.residents.events import HouseInvitationSent
from domains.residents.models import Invitation
from domains.residents.service.binding import Applicant, Binding, bind
from domains.residents.service.registration import DAY_S, verified_phone

PER_ACCOUNT = RateLimit("invitation-day", 20, DAY_S, 20, WhenDown.CLOSED)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation and the code of its link, which is nowhere else."""

    id: UUID
    code: str


@command("house.invite", caller="resident")
async def invite_to_house(
    actor: Actor,
    *,
    house_id: UUID,
    capacity: rules.InvitedCapacity,
    name: str,
    phone: str,
    lease_until_on: date | None = None,
) -> Invited:
    """Invite somebody to one's house for 7 days; a new invitation of the same phone replaces the old one.

    Raises Forbidden to anybody but an owner, INVITATION_TO_ONESELF, Throttled INVITATION_TOO_OFTEN, a LEASE_ code.
    """
    tie = next(
        (each for each in actor.houses if each.house_id == house_id and each.capacity == "owner"), None
    )
    if tie is None:
        actor.refuse()
    number, index = await _invited_phone(actor, phone)
    rules.check_lease(capacity, lease_until_on, clock.today())
    await database.execute(sql.WITHDRAW_INVITATIONS, house_id, actor.id, index)
    code, now = rules.new_invitation_code(), clock.now()
    invitation = await Invitation.create(
        compound_id=tie.compound_id, house_id=house_id, inviter_id=actor.id, capacity=capacity,
        name=text.name(name, field="name"), phone_sealed=sealing.seal(number, sealed.INVITATION_PHONE),
        phone_index=index, code_hash=rules.invitation_hash(code), lease_until_on=lease_until_on, state="open",
        created_at=now, expires_at=now + rules.INVITATION_LIFETIME,
    )  # fmt: skip
    concerns("Invitation", invitation.id, tie.compound_id, house=house_id, capacity=capacity)
    await outbox.record(HouseInvitationSent(invitation.id, tie.compound_id, house_id, actor.id))
    return Invited(invitation.id, code)


async def _invited_phone(actor: Actor, written: str) -> tuple[str, bytes]:
    number = phones.normalise(written, field="phone")
    if number == await verified_phone(actor.id):
        raise Invalid("INVITATION_TO_ONESELF", "这是您自己的手机号,请填写对方的手机号", "phone")
    verdict = await limiter().take(PER_ACCOUNT, str(actor.id))
    if not verdict.allowed:
        raise Throttled("INVITATION_TOO_OFTEN", "今天发出的邀请太多,请明天再试", verdict.retry_after_s)
    return number, contact.index(number)


@command("invitation.accept", caller="resident")
async def accept_invitation(
    actor: Actor, *, code: str | None = None, invitation_id: UUID | None = None
) -> UUID:
    """Take up an invitation by its link or from one's own list; the occupancy's id.

    Only the account whose verified phone was invited can; to all others there is no such invitation.
    Raises PHONE_REQUIRED, INVITATION_NOT_FOUND, INVITATION_CLOSED, INVITATION_EXPIRED, INVITER_NOT_OWNER,
    or what `bind` raises.
    """
    phone = await verified_phone(actor.id)
    digest = None if code is None else rules.invitation_hash(code.strip())
    row = await database.fetchrow(sql.INVITATION_TO_ACCEPT, digest, invitation_id, contact.index(phone))
    if row is None:
        raise NotFound("INVITATION_NOT_FOUND", "没有找到这个邀请,请确认链接完整,并使用被邀请的手机号登录")
    # Before the inviter's occupancy is locked, for whoever binds takes its turn first and locks then.
    await database.execute(sql.BINDING_TURN, row["compound_id"])
    await _check_open(row)
    await rules.INVITATION.move(Invitation, row["id"], row["state"], "accepted", accepted_by=actor.id)
    binding = Binding(
        row["compound_id"], row["house_id"], cast("Capacity", row["capacity"]), row["lease_until_on"], "owner"
    )
    occupancy_id = await bind(Applicant(actor.id, row["name"], phone), binding)
    concerns("Invitation", row["id"], row["compound_id"], house=row["house_id"], occupancy=occupancy_id)
    return occupancy_id


async def _check_open(row: asyncpg.Record) -> None:
    if row["state"] != "open":
        raise Conflict("INVITATION_CLOSED", "这个邀请已被使用或撤回,请联系邀请人重新邀请")
    if row["expires_at"] <= clock.now():
        raise Conflict("INVITATION_EXPIRED", "这个邀请已过期,请联系邀请人重新邀请")
    if await database.fetchval(sql.STILL_OWNER, row["inviter_id"], row["house_id"]) is None:
        raise Conflict("INVITER_NOT_OWNER", "邀请人已不是这套房屋的业主,请联系物业登记")
    rules.check_lease(row["capacity"], row["lease_until_on"], clock.today())


@command("invitation.withdraw", caller="resident")
async def withdraw_invitation(actor: Actor, *, invitation_id: UUID) -> UUID:
    """Take one's own invitation back while it is open. Raises INVITATION_NOT_FOUND, STATE_CONFLICT."""
    row = await Invitation.get_or_none(pk=invitation_id, inviter_id=actor.id).values("state", "compound_id")
    if row is None:
        raise NotFound("INVITATION_NOT_FOUND", "没有找到这个邀请,请刷新后重试", "invitation")
    concerns("Invitation", invitation_id, row["compound_id"])
    await rules.INVITATION.move(Invitation, invitation_id, row["state"], "withdrawn")
    return invitation_id
