"""Gates with a key of their own, and what visitors and residents show to them, the short way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from domains.access.models import Door, VisitorPass
from domains.access.rules import Direction
from domains.access.service import texts
from domains.access.service.answers import Answer
from domains.access.service.resident_codes import issue_resident_code
from domains.access.service.scanning import scan
from domains.devices.models import DeviceKey
from domains.kernel import clock, database
from tests.api.devices.signing import DeviceSigner
from tests.factories import access, residents
from tests.factories.residents import Occupant


@dataclass(frozen=True, slots=True)
class Post:
    """A door whose device has a key."""

    door_id: UUID
    device_id: UUID
    signer: DeviceSigner

    async def scan(
        self, shown: str | None, direction: Direction = "unknown", *, id: UUID | None = None
    ) -> Answer:
        """What the door answers."""
        assert shown is not None
        return await scan(self.device_id, scan_id=id or uuid4(), shown=shown, direction=direction)

    async def reason(self, shown: str | None, direction: Direction = "unknown") -> str:
        """Its reason alone."""
        return str((await self.scan(shown, direction)).reason)


async def post(
    compound_id: UUID,
    name: str = "南门",
    building_id: UUID | None = None,
    unit_id: UUID | None = None,
    **more: Any,  # Any: columns
) -> Post:
    """A door with a device that can sign."""
    door_id = await access.door(compound_id, name, building_id, unit_id, **more)
    device_id, signer = (await Door.get(pk=door_id).values("device_id"))["device_id"], DeviceSigner()
    await DeviceKey.create(
        device_id=device_id, key_id=signer.keyid, public_key=signer.public_key, issued_at=clock.now()
    )
    return Post(door_id, device_id, signer)


async def text(compound_id: UUID, house_id: UUID, **more: Any) -> tuple[UUID, str]:  # Any: columns
    """A pass that counts, and the text of its QR code; there must be a door."""
    pass_id = await access.visitor_pass(compound_id, house_id, **more)
    shown = await texts.text_of(pass_id)
    assert shown is not None
    return pass_id, shown


async def code(who: Occupant, house_id: UUID) -> str:
    """A resident's own code."""
    return (await issue_resident_code(await residents.resident(who.account_id), house_id=house_id)).text


async def records(door_id: UUID) -> list[tuple[str, str]]:
    """What was tried at a door, in order: result and reason."""
    rows = await database.fetch(
        "SELECT result, reason FROM access_record WHERE door_id = $1 ORDER BY id", door_id
    )
    return [(row["result"], row["reason"]) for row in rows]


async def visit(pass_id: UUID) -> VisitorPass:
    """The pass as it is now."""
    return await VisitorPass.get(pk=pass_id)
