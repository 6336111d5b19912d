"""People, occupancies and every kind of caller, the short way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from domains.estate.models import Compound, House
from domains.identity import contact
from domains.identity.models import Account
from domains.kernel import clock, database
from domains.kernel.actor import ANONYMOUS, Actor, Capacity, Grant, Origin
from domains.residents import permissions, sealed
from domains.residents.models import Occupancy, Person
from domains.residents.queries import ties
from tests.factories import estate, identity

ORIGIN = Origin(request_id="req-residents", ip="203.0.113.7", user_agent="test")
EVERYTHING = tuple(permissions.LABELS)


@dataclass(frozen=True, slots=True)
class Occupant:
    """Somebody who signs in and belongs to a house."""

    account_id: UUID
    person_id: UUID
    occupancy_id: UUID
    name: str
    phone: str


async def person(
    compound_id: UUID,
    name: str = "张建国",
    *,
    account_id: UUID | None = None,
    phone: str | None = None,
    document: str | None = None,
    **columns: Any,  # Any: column values
) -> UUID:
    """A person of a compound's register."""
    known: dict[str, Any] = sealed.phone_columns(phone) if phone else {}  # Any: column values
    if document:
        known |= {"document_kind": "resident_id", **sealed.document_columns(document)}
    made = await Person.create(
        compound_id=compound_id, name=name, account_id=account_id, source="import", recorded_at=clock.now(),
        **known, **columns,
    )  # fmt: skip
    return made.id


async def occupancy(
    house_id: UUID, person_id: UUID, capacity: Capacity = "owner", *, lease_until_on: date | None = None
) -> UUID:
    """A person belongs to a house, by the register."""
    place = await House.get(pk=house_id).values("compound_id")
    made = await Occupancy.create(
        compound_id=place["compound_id"], house_id=house_id, person_id=person_id, capacity=capacity,
        lease_until_on=lease_until_on, verified_by="register", recorded_at=clock.now(),
    )  # fmt: skip
    return made.id


async def occupant(
    house_id: UUID, capacity: Capacity = "owner", name: str = "张建国", *, lease_until_on: date | None = None
) -> Occupant:
    """An account with a verified phone, its person and the occupancy."""
    place = await House.get(pk=house_id).values("compound_id")
    phone = identity.new_phone()
    account_id = await identity.resident(phone, name)
    who = await person(place["compound_id"], name, account_id=account_id, phone=phone)
    return Occupant(
        account_id, who, await occupancy(house_id, who, capacity, lease_until_on=lease_until_on), name, phone
    )


async def resident(account_id: UUID) -> Actor:
    """The actor that a request of the account would have now."""
    account = await Account.get(pk=account_id)
    return Actor("resident", account_id, uuid4(), account.name, houses=await ties(account_id), origin=ORIGIN)


async def newcomer(name: str = "李新民", phone: str | None = None) -> Actor:
    """Somebody who signed in, proved a phone and belongs to no house."""
    return await resident(await identity.resident(phone or identity.new_phone(), name))


async def phone_of(actor: Actor) -> str:
    """The number an actor's account proved."""
    number = contact.unseal((await Account.get(pk=actor.id)).phone_sealed)
    assert number is not None
    return number


def staff(*granted: str, compound_id: UUID, building_id: UUID | None = None) -> Actor:
    """Staff with these permissions in a compound, or in one building of it."""
    only = None if building_id is None else frozenset({building_id})
    grants = tuple(Grant(permission, compound_id, only) for permission in granted)
    return Actor("staff", uuid4(), uuid4(), "王管家", grants=grants, origin=ORIGIN)


@dataclass(frozen=True, slots=True)
class Scene:
    """A house with an owner, a family member and a tenant, one next door, and one in another building."""

    compound_id: UUID
    code: str
    other_compound_id: UUID
    building_id: UUID
    other_building_id: UUID
    house_id: UUID
    next_door_id: UUID
    far_house_id: UUID
    owner: Occupant
    family: Occupant
    tenant: Occupant
    neighbour: Occupant

    def staff(self, *granted: str) -> Actor:
        """Staff of the compound with these permissions."""
        return staff(*granted, compound_id=self.compound_id)


async def scene() -> Scene:
    """A company, compound, houses and people that no other test uses."""
    at = await identity.places()
    house_id = await estate.house(at.building_id, "101")
    next_door_id = await estate.house(at.building_id, "102")
    far = await estate.house(at.other_building_id, "201")
    return Scene(
        at.compound_id, (await Compound.get(pk=at.compound_id)).code, at.other_compound_id, at.building_id,
        at.other_building_id, house_id, next_door_id, far,
        await occupant(house_id, "owner", "张建国"), await occupant(house_id, "family", "张小妹"),
        await occupant(house_id, "tenant", "赵租客", lease_until_on=date(2099, 12, 31)),
        await occupant(next_door_id, "owner", "钱邻居"),
    )  # fmt: skip


CALLERS = (
    "owner", "family", "tenant", "neighbour", "stranger", "staff", "staff without", "staff elsewhere",
    "staff of another building", "nobody",
)  # fmt: skip


async def caller(scene: Scene, kind: str, *granted: str) -> Actor:
    """One of CALLERS; staff hold `granted`, or everything but that."""
    if kind in ("owner", "family", "tenant", "neighbour"):
        who: Occupant = getattr(scene, kind)
        return await resident(who.account_id)
    others = tuple(permission for permission in EVERYTHING if permission not in granted)
    made = {
        "staff": scene.staff(*granted),
        "staff without": scene.staff(*others),
        "staff elsewhere": staff(*EVERYTHING, compound_id=scene.other_compound_id),
        "staff of another building": staff(
            *EVERYTHING, compound_id=scene.compound_id, building_id=scene.other_building_id
        ),
        "nobody": replace(ANONYMOUS, origin=ORIGIN),
    }
    return made[kind] if kind in made else await newcomer()


FINGERPRINT = """
SELECT (SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t.id), '')) FROM person t) AS people,
    (SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t.id), '')) FROM occupancy t) AS occupancies,
    (SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t.id), '')) FROM registration t) AS registrations,
    (SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t.id), '')) FROM invitation t) AS invitations,
    (SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t.id), '')) FROM vehicle t) AS vehicles,
    (SELECT count(*) FROM outbox_message) AS events,
    (SELECT count(*) FROM audit_entry WHERE outcome = 'done') AS audited
"""


async def fingerprint() -> tuple[object, ...]:
    """Equal before and after something that was refused."""
    row = await database.fetchrow(FINGERPRINT)
    assert row is not None
    return tuple(row.values())


async def events(name: str, subject: UUID) -> list[dict[str, Any]]:  # Any: payloads
    """Events of a kind about a subject."""
    rows = await database.fetch(
        "SELECT payload FROM outbox_message WHERE event = $1 AND payload::text LIKE $2 ORDER BY id",
        name,
        f"%{subject}%",
    )
    return [dict(row) for row in rows]


async def audited(action: str, compound_id: UUID) -> list[dict[str, Any]]:  # Any: columns
    """The audit's rows of an action in a compound."""
    rows = await database.fetch(
        "SELECT outcome, subject_id, details::text AS details, actor_id FROM audit_entry "
        "WHERE action = $1 AND compound_id = $2 ORDER BY id", action, compound_id,
    )  # fmt: skip
    return [dict(row) for row in rows]
