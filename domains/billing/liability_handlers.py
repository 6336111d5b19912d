"""Who pays follows who owns and who rents (缴费责任随产权与租住变更)."""

from __future__ import annotations

from uuid import UUID

from domains.billing.service.liabilities import end_tenant, follow_owners
from domains.kernel.events import Event
from domains.residents.events import OccupancyBegan, OccupancyEnded


async def name_owner(event: Event, _: UUID) -> None:
    """A new owner is named from the day they came, unless the one who is named stays."""
    assert isinstance(event, OccupancyBegan)
    if event.capacity == "owner":
        await follow_owners(event.compound_id, event.house_id)


async def end_liability_of_leaver(event: Event, _: UUID) -> None:
    """Whoever left pays for no day after; of owners another one may follow."""
    assert isinstance(event, OccupancyEnded)
    if event.capacity == "owner":
        await follow_owners(event.compound_id, event.house_id)
    elif event.capacity == "tenant":
        await end_tenant(event.compound_id, event.occupancy_id)
