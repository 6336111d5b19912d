"""What happened to places."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domains.kernel.events import Event


@dataclass(frozen=True, slots=True)
class BuildingCreated(Event):
    """Staff recorded a building."""

    building_id: UUID
    compound_id: UUID


@dataclass(frozen=True, slots=True)
class BuildingUpdated(Event):
    """Staff changed these columns of a building; with its name the numbers of its houses changed."""

    building_id: UUID
    compound_id: UUID
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HouseCreated(Event):
    """Staff recorded a house."""

    house_id: UUID
    building_id: UUID
    compound_id: UUID


@dataclass(frozen=True, slots=True)
class HouseUpdated(Event):
    """Staff changed these columns of a house."""

    house_id: UUID
    building_id: UUID
    compound_id: UUID
    changed: tuple[str, ...]


EVENTS: tuple[type[Event], ...] = (BuildingCreated, BuildingUpdated, HouseCreated, HouseUpdated)
