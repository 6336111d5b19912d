"""What every way to a pass has in common (签发通行证): who comes, the house's turn, its limits, the row."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from domains.access import pass_sql, sealed, visits
from domains.access.community import Rules
from domains.access.events import VisitorPassIssued
from domains.access.models import VisitorPass, VisitorPassDoor
from domains.access.rules import PURPOSES, REQUEST_LIFE, Window
from domains.kernel import clock, database, live, outbox, phones, text
from domains.kernel.actor import Actor
from domains.kernel.errors import Invalid
from domains.kernel.ids import uuid7
from domains.residents import plates
from domains.residents.sql import HOUSE_TURN

LINK_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Who comes and what for (来访者), as somebody typed it."""

    name: str
    phone: str | None = None
    plate: str = ""
    companions: int = 0
    purpose: str = "visit"
    message: str = ""


Columns = dict[str, Any]  # Any: column values


def guest_columns(guest: Guest) -> Columns:
    """The columns of a guest. Raises the codes of names, phones, plates and texts, VISIT_COMPANIONS_RANGE."""
    visits.check_companions(guest.companions)
    if guest.purpose not in PURPOSES:
        raise Invalid("INVALID", "请选择来访事由", "purpose")
    phone = sealed.phone_columns(phones.normalise(guest.phone, field="phone")) if guest.phone else {}
    return {
        "guest_name": text.name(guest.name, field="name"), **phone,
        "plate": plates.read("car", guest.plate).number if guest.plate.strip() else "",
        "companions": guest.companions, "purpose": guest.purpose,
        "message": text.clean(guest.message, max_length=200, min_length=0, multiline=True, field="message"),
    }  # fmt: skip


def new_secret() -> str:
    """128 random bits for a link."""
    return secrets.token_urlsafe(LINK_BYTES)


def link_columns(secret: str | None = None, purpose: str = sealed.LINK) -> Columns:
    """The columns of a link, of a new one unless told."""
    return dict(sealed.link_columns(secret or new_secret(), purpose))


async def take_turn(house_id: UUID) -> None:
    """Passes of a house are made one after another, so that its limits hold."""
    await database.execute(HOUSE_TURN, house_id)


async def lives_there(account_id: UUID, house_id: UUID) -> bool:
    """Whether the account belongs to the house, until the transaction ends."""
    return await database.fetchval(pass_sql.STILL_LIVES, account_id, house_id, clock.today()) is not None


async def require_occupant(actor: Actor, house_id: UUID) -> None:
    """Take the house's turn as one of its occupants; anybody else is refused."""
    await take_turn(house_id)
    if not await lives_there(actor.id, house_id):
        actor.refuse()


async def check_daily(rules: Rules, house_id: UUID) -> None:
    """Raises Conflict VISITS_TOO_MANY; in the house's turn."""
    today, _ = clock.business_day_bounds(clock.today())
    made = await database.fetchval(pass_sql.MADE_TODAY, house_id, today, REQUEST_LIFE)
    visits.check_daily(made, rules.daily_passes_per_house)


async def is_car_refused(rules: Rules, plate: str, window: Window) -> bool:
    """Whether the compound is full of visitors' cars then (车位已满); the person may come all the same."""
    if not plate or rules.visitor_cars is None:
        return False
    await database.execute(pass_sql.CAR_TURN, rules.compound_id)
    others = await database.fetchval(
        pass_sql.OTHER_CARS, rules.compound_id, plate, window.starts_at, window.ends_at
    )
    return bool(others >= rules.visitor_cars)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The doors that a pass is narrowed to, none for all on its way, and the one that counts it offline."""

    chosen: Sequence[UUID] = field(default=())
    offline_id: UUID | None = None


async def check_doors(house_id: UUID, doors: Doors) -> None:
    """Raises Invalid VISIT_DOORS_TOO_MANY, DOOR_NOT_ON_WAY."""
    if len(set(doors.chosen)) > visits.MOST_DOORS:
        raise Invalid("VISIT_DOORS_TOO_MANY", f"最多选择 {visits.MOST_DOORS} 个门", "doors")
    if not doors.chosen and doors.offline_id is None:
        return
    way = {row["id"] for row in await database.fetch(pass_sql.WAY, house_id)}
    if not set(doors.chosen) <= way:
        raise Invalid("DOOR_NOT_ON_WAY", "所选的门不在访客的必经之路上,请重新选择", "doors")
    if doors.offline_id is not None and doors.offline_id not in (set(doors.chosen) or way):
        raise Invalid("DOOR_NOT_ON_WAY", "所选的门不在访客的必经之路上,请重新选择", "offline_door")


async def issue(
    rules: Rules, house_id: UUID, window: Window, columns: Mapping[str, object], doors: Doors | None = None
) -> UUID:
    """A pass that counts (通行证生效), and the fact of it; the caller holds the house's turn and has checked its limits."""
    id, now, chosen = uuid7(), clock.now(), doors or Doors()
    plate = str(columns["plate"])
    values: Columns = {
        "state": "active", "requested_at": now, "decided_at": now, "offline_door_id": chosen.offline_id,
        "is_car_refused": await is_car_refused(rules, plate, window), **columns,
    }  # fmt: skip
    await VisitorPass.create(
        id=id, compound_id=rules.compound_id, house_id=house_id, starts_at=window.starts_at, ends_at=window.ends_at,
        **values,
    )  # fmt: skip
    for door_id in dict.fromkeys(chosen.chosen):
        await VisitorPassDoor.create(visitor_pass_id=id, door_id=door_id)
    await announce_issue(id, rules.compound_id, house_id)
    return id


async def announce_issue(pass_id: UUID, compound_id: UUID, house_id: UUID) -> None:
    """The fact, for whoever follows."""
    await outbox.record(VisitorPassIssued(pass_id, compound_id, house_id))
    await live.wake([pass_channel(pass_id)])


def pass_channel(pass_id: UUID) -> str:
    """The name by which the visitor's page is woken."""
    return f"pass:{pass_id}"


def list_channel(compound_id: UUID) -> str:
    """The name by which a compound's gates are woken for its revocation list."""
    return f"revocations:{compound_id}"
