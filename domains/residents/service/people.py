"""The register of people (人口档案): correcting it, tagging, and loosening an account from a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypedDict
from uuid import UUID

import asyncpg

from domains.kernel import clock, database, documents, outbox, phones, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.documents import Kind
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.residents import permissions, rules, sealed, sql
from domains.residents.events import AccountUnlinked
from domains.residents.models import Person

_LENGTHS = {
    "nationality": 30,
    "ethnicity": 20,
    "native_place": 60,
    "registered_address": 200,
    "work_unit": 80,
}


class PersonChanges(TypedDict, total=False):
    """What is to be changed; what is left out stays. None empties what may be empty."""

    name: str
    phone: str | None
    document: tuple[Kind, str] | None
    sex: str | None
    born_on: date | None
    nationality: str
    ethnicity: str
    native_place: str
    registered_address: str
    work_unit: str
    population_kind: str | None
    tags: Sequence[str]


@command("resident.update", caller="staff", permission=permissions.WRITE)
async def update_resident(actor: Actor, *, person_id: UUID, changes: PersonChanges) -> UUID:
    """Correct a person's record. Raises RESIDENT_NOT_FOUND, BIRTH_DATE_IN_FUTURE, TOO_MANY_TAGS, or the codes
    of names, phones and documents."""
    await _locked(actor, person_id, fields=sorted(changes))
    columns = _columns(changes)
    if columns:
        await Person.filter(pk=person_id).update(**columns)
    return person_id


@command("resident.unlink", caller="staff", permission=permissions.WRITE)
async def unlink_account(actor: Actor, *, person_id: UUID, reason: str) -> UUID:
    """Loosen the account that signs in for a person (解除账号绑定), as when it was the wrong human's.

    What it was tied to is out of its sight from the next request on: staff of a building do it for who has
    houses there and nowhere else. Raises RESIDENT_NOT_FOUND, PERSON_BEYOND_REACH, NOT_LINKED.
    """
    reason = text.clean(reason, max_length=100, field="reason")
    row = await _locked(actor, person_id, reason=reason)
    reached = actor.buildings(permissions.WRITE, row["compound_id"])
    if reached is not None and not reached >= set(row["buildings"]):
        raise Conflict("PERSON_BEYOND_REACH", "这位住户在您管理的楼栋之外也有房屋,请由负责整个小区的同事处理")
    if not await Person.filter(pk=person_id, account_id__isnull=False).update(account_id=None):
        raise Conflict("NOT_LINKED", "这位住户没有绑定账号,无需解除")
    await outbox.record(AccountUnlinked(person_id, row["compound_id"], row["account_id"]))
    return person_id


async def _locked(actor: Actor, person_id: UUID, **facts: object) -> asyncpg.Record:
    """The person's row, for the rest of the transaction. Raises RESIDENT_NOT_FOUND."""
    row = await database.fetchrow(sql.PERSON_PLACE, person_id)
    if row is None:
        raise NotFound("RESIDENT_NOT_FOUND", "没有找到这位住户,请刷新后重试", "resident")
    concerns("Person", person_id, row["compound_id"], **facts)
    require_there(actor, row)
    return row


def require_there(actor: Actor, row: asyncpg.Record) -> None:
    """Staff of a building write to those who live in it; `row` is of PERSON_PLACE."""
    reached = actor.buildings(permissions.WRITE, row["compound_id"])
    if reached is not None and not reached & set(row["buildings"]):
        actor.refuse(row["compound_id"])


def _columns(changes: PersonChanges) -> dict[str, object]:
    columns: dict[str, object] = {
        name: changes[name] for name in ("sex", "population_kind") if name in changes
    }
    columns |= {
        name: text.clean(str(changes[name]), max_length=most, min_length=0, field=name)  # type: ignore[literal-required]  # names of the TypedDict
        for name, most in _LENGTHS.items()
        if name in changes
    }
    if "name" in changes:
        columns["name"] = text.name(changes["name"], field="name")
    if "tags" in changes:
        columns["tags"] = _tags(changes["tags"])
    if "born_on" in changes:
        columns["born_on"] = _born(changes["born_on"])
    return columns | _phone(changes) | _document(changes)


def _phone(changes: PersonChanges) -> dict[str, object]:
    if "phone" not in changes:
        return {}
    if not changes["phone"]:
        return {"phone_sealed": None, "phone_index": None, "phone_tail_index": None}
    return {**sealed.phone_columns(phones.normalise(changes["phone"], field="phone"))}


def _document(changes: PersonChanges) -> dict[str, object]:
    if "document" not in changes:
        return {}
    if changes["document"] is None:
        return {"document_kind": None, "document_sealed": None, "document_index": None}
    kind, number = changes["document"]
    return {
        "document_kind": kind,
        **sealed.document_columns(documents.validate(kind, number, field="document.number")),
    }


def _tags(written: Sequence[str]) -> list[str]:
    tags = list(dict.fromkeys(text.clean(tag, max_length=20, field="tags") for tag in written))
    if len(tags) > rules.MAX_TAGS:
        raise Invalid("TOO_MANY_TAGS", f"标签最多 {rules.MAX_TAGS} 个,请删去一些", "tags")
    return tags


def _born(day: date | None) -> date | None:
    if day is not None and day > clock.today():
        raise Invalid("BIRTH_DATE_IN_FUTURE", "出生日期不能晚于今天,请检查", "born_on")
    return day
