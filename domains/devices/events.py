"""What happened to devices and alarms."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domains.kernel.events import Event


@dataclass(frozen=True, slots=True)
class AlarmOpened(Event):
    """A device reports a condition that was not there."""

    alarm_id: UUID
    compound_id: UUID
    building_id: UUID | None
    device_id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class AlarmAcknowledged(Event):
    """Somebody has seen an alarm and sees to it."""

    alarm_id: UUID
    compound_id: UUID


@dataclass(frozen=True, slots=True)
class AlarmCleared(Event):
    """The condition is over, or somebody found nothing."""

    alarm_id: UUID
    compound_id: UUID
    building_id: UUID | None
    kind: str


@dataclass(frozen=True, slots=True)
class DeviceRetired(Event):
    """A device's life is over; what hangs on it ends."""

    device_id: UUID
    compound_id: UUID


EVENTS = (AlarmOpened, AlarmAcknowledged, AlarmCleared, DeviceRetired)
