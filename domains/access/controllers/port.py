"""What every way to the controllers offers (控制器端口)."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from domains.kernel.slots import Slot
from domains.platforms.calling import NotSent


class Controllers(Protocol):
    """Takes signed orders to controllers; what they answer comes by another way, see `service.hearing`."""

    async def send(self, device_id: UUID, order: bytes, *, expires_in_s: float) -> None:
        """Hand one order to a controller, once, and only within that many seconds.

        Raises NotSent where the controller certainly does not get it, OutcomeUnknown where nobody can tell.
        """


class NoControllers:
    """There is no way to any controller: every order ends as DOOR_UNREACHABLE."""

    async def send(self, device_id: UUID, order: bytes, *, expires_in_s: float) -> None:
        """See `Controllers`."""
        raise NotSent("doors", "no broker is set")


controllers: Slot[Controllers] = Slot("door controllers")
