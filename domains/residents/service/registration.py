"""Registering oneself (自助登记) and the review of it."""

from __future__ import annotations

from dataclasses import astuple
from datetime import date
from typing import cast
from uuid import UUID

import asyncpg

from domains.estate import places
from domains.estate import queries as estate
from domains.estate.places import Parts
from domains.identity import contact
from domains.identity.limits import limiter
from domains.kernel import clock, database, documents, outbox, sealing, text
from domains.kernel.actor import Actor, Capacity
from domains.kernel.command import command, concerns
from domains.kernel.documents import Kind
from domains.kernel.errors import Conflict, Invalid, NotFound, Throttled
from domains.kernel.ids import uuid7
from domains.kernel.rates import RateLimit, WhenDown
from domains.residents import permissions, rules, sealed, sql
from domains.residents.events import RegistrationApproved, RegistrationRejected, ResidentRegistered
from domains.residents.models import Registration
from domains.residents.service.binding import Applicant, Binding, bind
from notifications import viewer_events

REGISTRATION_CHANGED = "registration.changed"
DAY_S = 86_400
PER_ACCOUNT = RateLimit("registration-day", 10, DAY_S, 10, WhenDown.CLOSED)


async def verified_phone(account_id: UUID) -> str:
    """The account's phone, which it has proved; until the end of the transaction the account is not joined
    into another, so that what it is given here is not lost. Raises Conflict PHONE_REQUIRED."""
    number = contact.unseal(await database.fetchval(sql.PHONE_HELD, account_id))
    if number is None:
        raise Conflict("PHONE_REQUIRED", "请先验证手机号,再继续操作")
    return number


@command("resident.register", caller="resident")
async def register_resident(
    actor: Actor,
    *,
    compound_code: str,
    building: str,
    unit: str,
    room: str,
    name: str,
    capacity: Capacity,
    document_kind: Kind = Kind.RESIDENT_ID,
    document_number: str | None = None,
    lease_until_on: date | None = None,
    note: str = "",
) -> UUID:
    """Ask to be bound to a house; a tenant says the lease's last day. Ten a day per account.

    Raises PHONE_REQUIRED, COMPOUND_CODE_UNKNOWN, HOUSE_NOT_FOUND, UNIT_REQUIRED, ALREADY_RESIDENT,
    REGISTRATION_PENDING, Throttled REGISTRATION_TOO_OFTEN, a LEASE_ code, or the codes of names and documents.
    """
    phone = await verified_phone(actor.id)
    await _count_attempt(actor.id)
    rules.check_lease(capacity, lease_until_on, clock.today())
    place = _typed(building, unit, room)
    compound_id, house_id = await _house(compound_code, place)
    if any(tie.house_id == house_id for tie in actor.houses):
        raise Conflict("ALREADY_RESIDENT", "您已经是这套房屋的住户,无需再登记")
    id = uuid7()
    inserted = await database.execute(
        sql.REGISTER, id, compound_id, house_id, actor.id, " ".join(filter(None, astuple(place))),
        text.name(name, field="name"), capacity, sealing.seal(phone, sealed.REGISTRATION_PHONE),
        sealed.phone_index(phone), *_document(document_kind, document_number),
        text.clean(note, max_length=200, min_length=0, multiline=True, field="note"), lease_until_on, clock.now(),
    )  # fmt: skip
    if not inserted:
        raise Conflict("REGISTRATION_PENDING", "这套房屋的登记正在审核,请耐心等待或先撤回")
    concerns("Registration", id, compound_id, house=house_id, capacity=capacity)
    await outbox.record(ResidentRegistered(id, compound_id, house_id, actor.id))
    await _tell_changed(actor.id, id)
    return id


async def _count_attempt(account_id: UUID) -> None:
    verdict = await limiter().take(PER_ACCOUNT, str(account_id))
    if not verdict.allowed:
        raise Throttled(
            "REGISTRATION_TOO_OFTEN", "今天提交的登记太多,请明天再试或联系物业", verdict.retry_after_s
        )


def _typed(building: str, unit: str, room: str) -> Parts:
    named = {"building": building, "unit": unit, "room": room}
    return Parts(
        **{
            field: text.clean(words, max_length=30, min_length=0, field=field)
            for field, words in named.items()
        }
    )


def _document(kind: Kind, written: str | None) -> tuple[Kind | None, bytes | None, bytes | None]:
    if not written:
        return None, None, None
    number = documents.validate(kind, written, field="document.number")
    return kind, sealing.seal(number, sealed.REGISTRATION_DOCUMENT), sealed.document_index(number)


async def typed_house(code: str, building: str, unit: str, room: str) -> tuple[UUID, UUID]:
    """The compound of a scanned code and the house in it, as people write it.

    Raises COMPOUND_CODE_UNKNOWN, HOUSE_NOT_FOUND, UNIT_REQUIRED, or a TEXT_ code.
    """
    return await _house(code, _typed(building, unit, room))


async def _house(code: str, typed: Parts) -> tuple[UUID, UUID]:
    compound = await estate.compound_by_code(code)
    if compound is None:
        raise NotFound("COMPOUND_CODE_UNKNOWN", "小区登记码不正确,请重新扫码或核对后输入", "compound_code")
    parts = _read(typed)
    keys = places.building_key(parts.building), places.unit_key(parts.unit), places.room_key(parts.room)
    found = await database.fetch(sql.FIND_HOUSES, compound.id, *keys)
    if not found:
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请核对楼栋、单元和房号,或联系物业", "room")
    if len(found) > 1 and not found[0]["exact"]:
        raise Invalid("UNIT_REQUIRED", "这栋楼有多个单元,请填写单元", "unit")
    return compound.id, found[0]["id"]


def _read(typed: Parts) -> Parts:
    """Three fields, or a room that says more: 1单元101, 3-1-101."""
    if typed.building and typed.unit:
        return typed
    said = places.unit_and_room(typed.room) if typed.building else places.whole_number(typed.room)
    return Parts(typed.building or said.building, said.unit, said.room) if said else typed


@command("registration.withdraw", caller="resident")
async def withdraw_registration(actor: Actor, *, registration_id: UUID) -> UUID:
    """Take one's own registration back while it is pending. Raises REGISTRATION_NOT_FOUND, STATE_CONFLICT."""
    row = await Registration.get_or_none(pk=registration_id, account_id=actor.id).values(
        "state", "compound_id"
    )
    if row is None:
        raise NotFound("REGISTRATION_NOT_FOUND", "没有找到这条登记,请刷新后重试", "registration")
    concerns("Registration", registration_id, row["compound_id"])
    await rules.REGISTRATION.move(Registration, registration_id, row["state"], "withdrawn")
    await _tell_changed(actor.id, registration_id)
    return registration_id


@command("registration.review", caller="staff", permission=permissions.REVIEW)
async def review_registration(
    actor: Actor, *, registration_id: UUID, approve: bool, reason: str = ""
) -> UUID:
    """Approve (bind) or reject (with a reason that the resident reads); of two reviewers one wins.

    Raises REGISTRATION_NOT_FOUND, STATE_CONFLICT, REASON_REQUIRED, or what `bind` raises.
    """
    row = await database.fetchrow(sql.REGISTRATION_FOR_REVIEW, registration_id)
    if row is None:
        raise NotFound("REGISTRATION_NOT_FOUND", "没有找到这条登记,请刷新后重试", "registration")
    concerns("Registration", registration_id, row["compound_id"], house=row["house_id"], approve=approve)
    actor.require(permissions.REVIEW, row["compound_id"], row["building_id"])
    reason = text.clean(reason, max_length=200, min_length=0, multiline=True, field="reason")
    reviewed = {"reviewed_at": clock.now(), "reviewed_by": actor.id, "reason": reason or None}
    if not approve:
        rules.check_reason(reason)
    target = "approved" if approve else "rejected"
    await rules.REGISTRATION.move(Registration, registration_id, row["state"], target, **reviewed)
    await outbox.record(await _approved(actor, row) if approve else RegistrationRejected(*_subject(row)))
    await _tell_changed(row["account_id"], registration_id)
    return registration_id


async def _tell_changed(account_id: UUID, registration_id: UUID) -> None:
    """Let the applicant's open pages know."""
    await viewer_events.tell(
        [account_id], REGISTRATION_CHANGED, subject_type="Registration", subject_id=registration_id
    )


async def _approved(actor: Actor, row: asyncpg.Record) -> RegistrationApproved:
    capacity = cast("Capacity", row["capacity"])
    rules.check_lease(capacity, row["lease_until_on"], clock.today())
    applicant = Applicant(
        row["account_id"], row["name"], sealing.unseal(row["phone_sealed"], sealed.REGISTRATION_PHONE),
        row["document_kind"], sealing.unseal_optional(row["document_sealed"], sealed.REGISTRATION_DOCUMENT),
    )  # fmt: skip
    within = actor.buildings(permissions.REVIEW, row["compound_id"])
    binding = Binding(row["compound_id"], row["house_id"], capacity, row["lease_until_on"], "staff", within)
    return RegistrationApproved(*_subject(row), await bind(applicant, binding))


def _subject(row: asyncpg.Record) -> tuple[UUID, UUID, UUID, UUID]:
    return row["id"], row["compound_id"], row["house_id"], row["account_id"]
