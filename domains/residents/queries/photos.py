"""Reads of photos (照片): which the caller may see, and the addresses under which to see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domains.kernel import clock, database, files
from domains.kernel.actor import Actor
from domains.kernel.storage.keys import check_key
from domains.residents import permissions
from domains.residents.queries.reading import note

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo under an address that opens for the caller alone, until `expires_at`."""

    address: str
    content_type: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PersonPhoto:
    """Which file is a person's photo."""

    id: UUID
    compound_id: UUID
    photo_key: str
    is_own: bool


OF_PEOPLE = """
SELECT p.id, p.compound_id, p.photo_key, coalesce(p.account_id = $4, false) AS is_own FROM person p
WHERE p.id = ANY($1::uuid[]) AND p.photo_key IS NOT NULL
  AND (p.account_id = $4 OR p.compound_id = ANY($2::uuid[]) OR EXISTS (
    SELECT 1 FROM occupancy o JOIN house h ON h.id = o.house_id
    WHERE o.person_id = p.id AND o.ended_at IS NULL AND h.building_id = ANY($3::uuid[])))
"""


def shown(actor: Actor, key: str | None) -> Photo | None:
    """The photo under a key that the caller was found to be allowed to see."""
    if key is None:
        return None
    # An address knows whole seconds only.
    expires_at = (clock.now() + LIFETIME).replace(microsecond=0)
    address = files.links().address(key, expires_at=expires_at, audience=files.audience_of(actor))
    return Photo(address, check_key(key), expires_at)


async def of_people(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """Keys of the photos the caller may see: one's own, and with residents.reveal those of others, audited."""
    reach = actor.reach(permissions.REVEAL)
    async with database.transaction():
        rows = await database.fetch(OF_PEOPLE, ids, reach.compounds, reach.buildings, actor.id)
        found = [PersonPhoto(**row) for row in rows]
        await note(actor, "resident.read_photo", "Person", [photo for photo in found if not photo.is_own])
    return {photo.id: photo.photo_key for photo in found}
