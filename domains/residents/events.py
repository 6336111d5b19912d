"""What happened between people and houses."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domains.kernel.actor import Capacity
from domains.kernel.events import Event


@dataclass(frozen=True, slots=True)
class ResidentRegistered(Event):
    """A resident asked to be bound to a house and waits for the review."""

    registration_id: UUID
    compound_id: UUID
    house_id: UUID
    account_id: UUID


@dataclass(frozen=True, slots=True)
class RegistrationApproved(Event):
    """Staff verified a registration."""

    registration_id: UUID
    compound_id: UUID
    house_id: UUID
    account_id: UUID
    occupancy_id: UUID


@dataclass(frozen=True, slots=True)
class RegistrationRejected(Event):
    """Staff refused a registration; the reason is on its row."""

    registration_id: UUID
    compound_id: UUID
    house_id: UUID
    account_id: UUID


@dataclass(frozen=True, slots=True)
class HouseInvitationSent(Event):
    """An owner invited somebody; the phone is on the row, sealed, and the code with the owner only."""

    invitation_id: UUID
    compound_id: UUID
    house_id: UUID
    inviter_id: UUID


@dataclass(frozen=True, slots=True)
class OccupancyBegan(Event):
    """Somebody belongs to a house from now on."""

    occupancy_id: UUID
    compound_id: UUID
    house_id: UUID
    person_id: UUID
    account_id: UUID
    capacity: Capacity


@dataclass(frozen=True, slots=True)
class OccupancyEnded(Event):
    """Somebody does not belong to a house any more; without an account nobody had signed in for them."""

    occupancy_id: UUID
    compound_id: UUID
    house_id: UUID
    person_id: UUID
    account_id: UUID | None
    capacity: Capacity


@dataclass(frozen=True, slots=True)
class AccountUnlinked(Event):
    """An account does not sign in for a person any more."""

    person_id: UUID
    compound_id: UUID
    account_id: UUID


@dataclass(frozen=True, slots=True)
class VehicleRegistered(Event):
    """A car or an e-bike belongs to a house."""

    vehicle_id: UUID
    compound_id: UUID
    house_id: UUID


EVENTS: tuple[type[Event], ...] = (
    ResidentRegistered,
    RegistrationApproved,
    RegistrationRejected,
    HouseInvitationSent,
    OccupancyBegan,
    OccupancyEnded,
    AccountUnlinked,
    VehicleRegistered,
)
