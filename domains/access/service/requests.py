"""What visitors ask for themselves (访客申请), and the one decision on it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from domains.access import pass_sql, permissions, visits
from domains.access.community import Rules, rules_of
from domains.access.events import VisitorPassRejected, VisitorPassRequested
from domains.access.models import VisitorPass
from domains.access.rules import PASS, Window
from domains.access.service import issuing
from domains.access.service.issuing import Guest
from domains.access.service.passes import own_house, to_change
from domains.identity import limits
from domains.kernel import clock, database, live, outbox, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Throttled
from domains.kernel.ids import uuid7
from domains.kernel.rates import RateLimit, WhenDown, network_of
from domains.residents.service.registration import typed_house

HOUR_S = 3600
PER_ADDRESS = RateLimit("visit-request-address", 20, HOUR_S, 10, WhenDown.CLOSED)
"""A carrier's customers share addresses."""
PER_HOUSE = RateLimit("visit-request-house", 10, HOUR_S, 5, WhenDown.CLOSED)
"""Each one rings with everybody who lives there."""


@command("visitor_pass.request", caller="anyone")
async def request_visitor_pass(
    actor: Actor,
    *,
    compound_code: str,
    building: str,
    unit: str,
    room: str,
    guest: Guest,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> str:
    """Ask to be let in today, without signing in; the secret of the link under which the decision shows.

    It says nothing of who lives in the house, nor whether anybody does. Raises COMPOUND_CODE_UNKNOWN, HOUSE_NOT_FOUND,
    UNIT_REQUIRED, a VISIT_ code, Throttled VISIT_REQUEST_TOO_OFTEN, or the codes of the guest's fields.
    """
    await _take(PER_ADDRESS, network_of(actor.origin.ip))
    if not guest.phone:
        raise Invalid("PHONE_INVALID", "请填写您的手机号,方便住户或保安联系您", "phone")
    columns = issuing.guest_columns(guest)
    compound_id, house_id = await typed_house(compound_code, building, unit, room)
    rules, now = await rules_of(compound_id), clock.now()
    window = visits.requested_window(starts_at, ends_at, now, rules.longest_window_h)
    await _take(PER_HOUSE, str(house_id))
    id, secret = uuid7(), issuing.new_secret()
    await VisitorPass.create(
        id=id, compound_id=compound_id, house_id=house_id, origin="visitor", state="requested", requested_at=now,
        starts_at=window.starts_at, ends_at=window.ends_at, uses_allowed=1, **columns, **issuing.link_columns(secret),
    )  # fmt: skip
    concerns("VisitorPass", id, compound_id, house=house_id)
    await outbox.record(VisitorPassRequested(id, compound_id, house_id))
    return secret


async def _take(limit: RateLimit, key: str) -> None:
    verdict = await limits.limiter().take(limit, key)
    if not verdict.allowed:
        message = "申请太频繁,请稍后再试,或联系门岗"
        raise Throttled("VISIT_REQUEST_TOO_OFTEN", message, verdict.retry_after_s)


@command("visitor_pass.decide", caller="account")
async def decide_visitor_pass(
    actor: Actor, *, visitor_pass_id: UUID, approve: bool, reason: str = ""
) -> UUID:
    """Let a visitor in or not: who lives there, or a guard, as the compound's rules say; of two who decide at
    once exactly one does. A guard who rejects says why; the visitor reads what is said.

    Raises VISITOR_PASS_NOT_FOUND, STATE_CONFLICT, VISIT_OVER, VISITS_TOO_MANY, VISIT_REASON_REQUIRED, Forbidden
    VISIT_DECIDED_BY_GUARD or VISIT_DECIDED_BY_RESIDENT.
    """
    place = await database.fetchrow(pass_sql.VISIT_PLACE, visitor_pass_id)
    if place is None:
        raise NotFound("VISITOR_PASS_NOT_FOUND", "没有找到这张访客通行证,请刷新后重试", "visitor_pass")
    concerns("VisitorPass", visitor_pass_id, place["compound_id"], house=place["house_id"], approve=approve)
    rules = await rules_of(place["compound_id"])
    await _authorise(actor, rules, place)
    reason = text.clean(reason, max_length=200, min_length=0, multiline=True, field="reason")
    row = await to_change(visitor_pass_id)
    if approve:
        await _approve(actor, rules, row)
    else:
        await _reject(actor, row, reason)
    return visitor_pass_id


async def _authorise(actor: Actor, rules: Rules, place: asyncpg.Record) -> None:
    """Before the pass is locked: the house has its turn first, here as where passes are made."""
    house_id, compound_id = place["house_id"], place["compound_id"]
    if actor.kind == "resident":
        own_house(actor, house_id)
        if rules.approver == "guard":
            message = "本小区的来访申请由门岗决定,请联系门岗"
            raise Forbidden("VISIT_DECIDED_BY_GUARD", message, compound_id=compound_id)
        await issuing.require_occupant(actor, house_id)
        return
    actor.require(permissions.VISITORS_ADMIT, compound_id, place["building_id"])
    # Nobody of an empty house could answer.
    if rules.approver == "resident" and await database.fetch(pass_sql.OCCUPANTS, house_id, clock.today()):
        message = "本小区的来访申请由住户决定,请联系住户"
        raise Forbidden("VISIT_DECIDED_BY_RESIDENT", message, compound_id=compound_id)


async def _approve(actor: Actor, rules: Rules, row: asyncpg.Record) -> None:
    now = clock.now()
    if row["state"] == "requested" and row["ends_at"] <= now:
        raise Conflict("VISIT_OVER", "申请的来访时间已经过去,请让访客重新申请")
    is_resident = actor.kind == "resident"
    if is_resident and row["state"] == "requested":
        await issuing.check_daily(rules, row["house_id"])
    window = Window(row["starts_at"], row["ends_at"])
    await PASS.move(
        VisitorPass, row["id"], row["state"], "active", decided_at=now, decided_by=actor.account_id,
        host_id=actor.account_id if is_resident else None,
        is_car_refused=await issuing.is_car_refused(rules, row["plate"], window),
    )  # fmt: skip
    await issuing.announce_issue(row["id"], row["compound_id"], row["house_id"])


async def _reject(actor: Actor, row: asyncpg.Record, reason: str) -> None:
    if actor.kind != "resident" and not reason:
        raise Invalid("VISIT_REASON_REQUIRED", "请写明拒绝的原因", "reason")
    now = clock.now()
    await PASS.move(
        VisitorPass, row["id"], row["state"], "rejected", decided_at=now, decided_by=actor.account_id, ended_at=now,
        ended_by=actor.account_id, reason=reason,
    )  # fmt: skip
    await outbox.record(VisitorPassRejected(row["id"], row["compound_id"], row["house_id"]))
    await live.wake([issuing.pass_channel(row["id"])])
