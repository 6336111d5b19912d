"""Photos of people and vehicles (人员照片、车辆照片): set, replaced and removed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import NotFound
from domains.kernel.files import storage
from domains.kernel.storage import Kind, inspect_upload
from domains.kernel.storage.content import JPEG, PNG, WEBP
from domains.kernel.storage.errors import file_type_refused
from domains.residents import sql
from domains.residents.service import people, vehicles

LIMIT_BYTES = 5 * 1024 * 1024
TYPES = frozenset({JPEG, PNG, WEBP})
"""What every client shows; HEIC and GIF are pictures too, but not photos to be shown in a list."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in; `declared` is the sender's word for its content type."""

    chunks: AsyncIterator[bytes]
    declared: str


async def set_person_photo(actor: Actor, *, person_id: UUID, file: Upload | None) -> None:
    """Set the photo of a person, or remove it: one's own, or as staff anybody's one may correct.

    Raises RESIDENT_NOT_FOUND, FILE_TYPE_REFUSED, FILE_TOO_LARGE (over 5 MB), FILE_STORE_UNAVAILABLE.
    """
    async with _stored("photos/people", file) as key:
        await _set_person_photo(actor, person_id=person_id, photo_key=key)


async def set_vehicle_photo(actor: Actor, *, vehicle_id: UUID, file: Upload | None) -> None:
    """Set the photo of a vehicle, or remove it: one of one's own house, or as staff any.

    Raises VEHICLE_NOT_FOUND, FILE_TYPE_REFUSED, FILE_TOO_LARGE (over 5 MB), FILE_STORE_UNAVAILABLE.
    """
    async with _stored("photos/vehicles", file) as key:
        await _set_vehicle_photo(actor, vehicle_id=vehicle_id, photo_key=key)


@command("resident.set_photo", caller="account")
async def _set_person_photo(actor: Actor, *, person_id: UUID, photo_key: str | None) -> None:
    row = await database.fetchrow(sql.PERSON_PLACE, person_id)
    if row is None:
        raise NotFound("RESIDENT_NOT_FOUND", "没有找到这位住户,请刷新后重试", "person")
    concerns("Person", person_id, row["compound_id"], removed=photo_key is None)
    if actor.kind != "resident":
        people.require_there(actor, row)
    elif row["account_id"] != actor.account_id:
        actor.refuse()
    await _swap(sql.SWAP_PERSON_PHOTO, person_id, photo_key)


@command("vehicle.set_photo", caller="account")
async def _set_vehicle_photo(actor: Actor, *, vehicle_id: UUID, photo_key: str | None) -> None:
    await vehicles.reach(actor, vehicle_id, removed=photo_key is None)
    await _swap(sql.SWAP_VEHICLE_PHOTO, vehicle_id, photo_key)


async def _swap(statement: str, id: UUID, key: str | None) -> None:
    """Put the new key in the place of the old one, whose file goes when that is committed."""
    old, current = await database.fetchval(statement, id, key), database.open_transaction()
    if old is not None and current is not None:
        current.after_commit(partial(storage().delete, old))


@asynccontextmanager
async def _stored(folder: str, file: Upload | None) -> AsyncIterator[str | None]:
    """The key of the file, which is gone again unless the block succeeds."""
    key = None if file is None else await _save(folder, file)
    try:
        yield key
    except BaseException:
        if key is not None:
            await storage().delete(key)
        raise


async def _save(folder: str, file: Upload) -> str:
    content_type, chunks = await inspect_upload(file.chunks, declared=file.declared, kinds={Kind.PICTURE})
    if content_type not in TYPES:
        raise file_type_refused()
    return (await storage().save(folder, chunks, content_type=content_type, limit_bytes=LIMIT_BYTES)).key
