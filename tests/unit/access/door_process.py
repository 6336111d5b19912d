"""A process that dies in the middle of opening a door: before the order is sent, or while it is."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import UUID

from api.addresses import Addresses
from api.instance import running
from api.settings import Settings
from domains.access.controllers.port import controllers
from domains.access.service import sending
from domains.access.service.opening import open_door
from tests.factories import residents


async def die(*_: object, **__: object) -> None:
    """End as a machine without power does."""
    os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """A way to the controllers that ends the process before anything has left it."""

    async def send(self, device_id: UUID, order: bytes, *, expires_in_s: float) -> None:
        await die()


async def main(where: str, home: str, owner_url: str, app_url: str, redis_url: str, *ids: str) -> None:
    """Open a door as somebody, and die there."""
    account_id, door_id, key = map(UUID, ids)
    async with running(Settings(home=Path(home)), Addresses(owner_url, app_url, redis_url)):
        if where == "committed":
            sending.deliver = die
        controllers.fill(Dying())
        actor = await residents.resident(account_id)
        await open_door(actor, door_id=door_id, idempotency_key=key)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
