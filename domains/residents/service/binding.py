"""Binding an account to a house (人房绑定), inside the command that verified it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from domains.kernel import clock, database, outbox
from domains.kernel.actor import Capacity
from domains.kernel.errors import Conflict
from domains.kernel.ids import uuid7
from domains.residents import rules, sealed, sql
from domains.residents.events import OccupancyBegan
from domains.residents.models import Occupancy, Person
from domains.residents.service.leases import end_due

_SOURCES = {"staff": "registration", "owner": "invitation"}


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who is to be bound; the phone is the account's verified one."""

    account_id: UUID
    name: str
    phone: str
    document_kind: str | None = None
    document_number: str | None = None

    @property
    def document_index(self) -> bytes | None:
        return None if self.document_number is None else sealed.document_index(self.document_number)


@dataclass(frozen=True, slots=True)
class Binding:
    """To what, as what, and on whose word."""

    compound_id: UUID
    house_id: UUID
    capacity: Capacity
    lease_until_on: date | None
    verified_by: Literal["staff", "owner"]
    within: frozenset[UUID] | None = None
    """Buildings that the one who verified is in charge of; None means all of them."""


async def bind(applicant: Applicant, binding: Binding) -> UUID:
    """Find or make the person, link the account, begin the occupancy or take the one there is; its id.

    Raises Conflict as `rules.match` does, PERSON_BEYOND_REACH and OCCUPANCY_DIFFERS.
    """
    await database.execute(sql.BINDING_TURN, binding.compound_id)
    person_id = await _person(applicant, binding)
    await end_due(house_id=binding.house_id)
    live = await database.fetchrow(sql.LIVE_OCCUPANCY, binding.house_id, person_id)
    if live is None:
        return await _begin(applicant, binding, person_id)
    if live["capacity"] != binding.capacity:
        raise Conflict("OCCUPANCY_DIFFERS", "这位住户在该房屋已有另一种身份,请先结束原来的居住关系")
    if binding.lease_until_on is not None:
        await database.execute(sql.EXTEND_LEASE, live["id"], binding.lease_until_on)
    return UUID(str(live["id"]))


async def _person(applicant: Applicant, binding: Binding) -> UUID:
    rows = await database.fetch(
        sql.CANDIDATES, binding.compound_id, applicant.account_id, binding.house_id, applicant.document_index,
        applicant.document_kind, sealed.phone_index(applicant.phone), applicant.name, binding.capacity,
        binding.verified_by == "owner",
    )  # fmt: skip
    claimed = applicant.name if binding.verified_by == "staff" else None
    found = rules.match([rules.Candidate(**row) for row in rows], applicant.account_id, claimed)
    if found is None:
        return await _new_person(applicant, binding)
    if binding.within is not None and await database.fetchval(
        sql.HAS_HOUSES_BEYOND, found, list(binding.within)
    ):
        raise Conflict("PERSON_BEYOND_REACH", "这位住户在您管理的楼栋之外也有房屋,请由负责整个小区的同事处理")
    await _link(applicant, found)
    return found


async def _link(applicant: Applicant, person_id: UUID) -> None:
    phone = sealed.phone_columns(applicant.phone)
    document = _document_columns(applicant)
    await database.execute(
        sql.LINK, person_id, applicant.account_id, phone["phone_sealed"], phone["phone_index"], phone["phone_tail_index"],
        applicant.document_kind, document.get("document_sealed"), document.get("document_index"),
    )  # fmt: skip


async def _new_person(applicant: Applicant, binding: Binding) -> UUID:
    sealed_columns: dict[str, Any] = {  # Any: column values
        **sealed.phone_columns(applicant.phone),
        **_document_columns(applicant),
    }
    person = await Person.create(
        compound_id=binding.compound_id, account_id=applicant.account_id, name=applicant.name,
        document_kind=applicant.document_kind, source=_SOURCES[binding.verified_by], recorded_at=clock.now(),
        **sealed_columns,
    )  # fmt: skip
    return person.id


def _document_columns(applicant: Applicant) -> dict[str, bytes]:
    return {} if applicant.document_number is None else sealed.document_columns(applicant.document_number)


async def _begin(applicant: Applicant, binding: Binding, person_id: UUID) -> UUID:
    id = uuid7()
    await Occupancy.create(
        id=id, compound_id=binding.compound_id, house_id=binding.house_id, person_id=person_id,
        capacity=binding.capacity, since_on=clock.today(), lease_until_on=binding.lease_until_on,
        verified_by=binding.verified_by, recorded_at=clock.now(),
    )  # fmt: skip
    await outbox.record(
        OccupancyBegan(
            id, binding.compound_id, binding.house_id, person_id, applicant.account_id, binding.capacity
        )
    )
    return id
