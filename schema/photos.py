"""Photos of people and vehicles in the API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.kernel.storage.port import READ_CHUNK_BYTES
from domains.residents.queries import photos as queries
from domains.residents.queries import vehicles
from domains.residents.service import photos as service
from schema.context import Context, Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.permissions import signed_in
from schema.relay import decode
from schema.scalars import Upload


@strawberry.type(
    description="A photo (照片) under an address that opens for the caller alone, and not for long."
)
class Photo:
    address: str = strawberry.field(
        description="Path below the API's origin, to fetch with the caller's own credentials."
    )
    content_type: str = strawberry.field(description="image/jpeg, image/png or image/webp.")
    expires_at: datetime = strawberry.field(
        description="When the address ends; ask for the field again to get another."
    )


class PeoplePhotosLoader(Loader[UUID, str]):
    """Keys of people's photos, those the caller may see."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, str]:
        """One statement for all people, and one audit row per compound."""
        return await queries.of_people(self.context.actor, keys)


def shown(context: Context, key: str | None) -> Photo | None:
    """The photo under a key that came from a query of the caller's."""
    return cast("Photo | None", queries.shown(context.actor, key))


@strawberry.input(description="Whose photo to set.")
class SetPersonPhotoInput:
    person: strawberry.ID = strawberry.field(description="The person's id.")
    file: Upload | None = strawberry.field(
        default=None, description="A JPEG, PNG or WebP file of at most 5 MB; null removes the photo."
    )


@strawberry.input(description="The vehicle whose photo to set.")
class SetVehiclePhotoInput:
    vehicle: strawberry.ID = strawberry.field(description="The vehicle's id.")
    file: Upload | None = strawberry.field(
        default=None, description="A JPEG, PNG or WebP file of at most 5 MB; null removes the photo."
    )


@strawberry.type(description="Result of setting or removing a photo.")
class PhotoPayload(Payload):
    photo: Photo | None = strawberry.field(
        default=None,
        description="The photo as it is now; null when removed or refused, and for who may set it but not see it.",
    )


def as_upload(file: Upload | None) -> service.Upload | None:
    """A file of a request as services take one."""
    return None if file is None else service.Upload(_chunks(file), file.content_type or "")


async def _chunks(file: Upload) -> AsyncIterator[bytes]:
    while chunk := await file.read(READ_CHUNK_BYTES):
        yield chunk


@strawberry.type
class PhotosMutation:
    """Mutations of photos."""

    @strawberry.mutation(
        description="Set or remove the photo of a person (multipart): one's own, or as staff with residents.write "
        "anybody's.",
        extensions=[signed_in],
    )
    @refusals_as_data(PhotoPayload)
    async def set_person_photo(
        self, info: Info, input: Annotated[SetPersonPhotoInput, strawberry.argument(description="Whose.")]
    ) -> PhotoPayload:
        id, actor = decode(input.person, "Person", "person"), info.context.actor
        await service.set_person_photo(actor, person_id=id, file=as_upload(input.file))
        seen = await queries.of_people(actor, [id])
        return PhotoPayload(photo=shown(info.context, seen.get(id)))

    @strawberry.mutation(
        description="Set or remove the photo of a vehicle (multipart): one of one's own house, or as staff with "
        "residents.write any.",
        extensions=[signed_in],
    )
    @refusals_as_data(PhotoPayload)
    async def set_vehicle_photo(
        self, info: Info, input: Annotated[SetVehiclePhotoInput, strawberry.argument(description="Which.")]
    ) -> PhotoPayload:
        id, actor = decode(input.vehicle, "Vehicle", "vehicle"), info.context.actor
        await service.set_vehicle_photo(actor, vehicle_id=id, file=as_upload(input.file))
        seen = (await vehicles.by_id(actor, [id])).get(id)
        return PhotoPayload(photo=shown(info.context, seen.photo_key if seen else None))
