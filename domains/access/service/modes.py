"""Holding a door open or closed (常开、常闭): what its controller has confirmed is what is shown."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from domains.access import permissions
from domains.access.service import doors, sending
from domains.kernel import text
from domains.kernel.actor import Actor
from domains.kernel.command import command
from domains.kernel.errors import Conflict

Mode = Literal["normal", "held_open", "closed"]
_ACTIONS = {"normal": "normal", "held_open": "hold_open", "closed": "closed"}


async def set_door_mode(
    actor: Actor, *, door_id: UUID, mode: Mode, reason: str, idempotency_key: UUID
) -> UUID:
    """Order a door to stay open, to stay closed, or to be as usual; the id of the order, as in `open_door`.

    Raises DOOR_NOT_FOUND, DOOR_FIRE_RELEASED while a fire holds it open.
    """
    command_id = await _ask(actor, door_id=door_id, mode=mode, reason=reason, idempotency_key=idempotency_key)
    await sending.carry_out(command_id)
    return command_id


@command("door.set_mode", caller="staff", permission=permissions.DOORS_WRITE)
async def _ask(actor: Actor, *, door_id: UUID, mode: Mode, reason: str, idempotency_key: UUID) -> UUID:
    why = text.clean(reason, max_length=100, field="reason")
    door = await doors.reach(actor, door_id, mode=mode, reason=why)
    if door["released_by_id"] is not None:
        raise Conflict("DOOR_FIRE_RELEASED", "火警期间这扇门保持开启,火警解除后才能操作", "door")
    [id] = await sending.add([door_id], _ACTIONS[mode], actor.id)
    return id
