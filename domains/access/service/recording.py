"""Writing down what was tried at a door (通行记录): in the transaction of what was tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domains.access import sql
from domains.access.rules import Direction, Method, Outcome
from domains.devices.rules import is_believable
from domains.devices.service.refusals import Way, refuse
from domains.identity.limits import limiter
from domains.kernel import clock, database
from domains.kernel.ids import uuid7
from domains.kernel.rates import RateLimit, WhenDown

REFUSED = RateLimit("refused-at-door", 600, 3600, 2_000, WhenDown.OPEN)
"""Refused attempts that are written down, of one device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a door, opened or not.

    `device_at` is what the device's clock said, `event_key` the device's own number of the event: the same one
    is written once. `who` is the name as it was then.
    """

    door_id: UUID
    method: Method
    result: Outcome
    direction: Direction = "unknown"
    reason: str = ""
    house_id: UUID | None = None
    person_id: UUID | None = None
    account_id: UUID | None = None
    pass_id: UUID | None = None
    command_id: UUID | None = None
    who: str = ""
    plate: str = ""
    is_vehicle: bool = False
    device_at: datetime | None = None
    guard_id: UUID | None = None
    note: str = ""
    event_key: str | None = None


async def is_kept(device_id: UUID, way: Way, refused: int = 1) -> bool:
    """Whether that many refused attempts at a device go on record; in a flood they are counted with the device, so
    that nobody fills the records."""
    verdict = await limiter().take(REFUSED, str(device_id), refused)
    if not verdict.allowed:
        refuse(device_id, way, "ATTEMPTS_TOO_MANY", refused)
    return verdict.allowed


async def record(attempt: Attempt) -> UUID | None:
    """Write it down; None where this event of the device, or this end of a command, is there already."""
    now = clock.now()
    at = attempt.device_at if attempt.device_at and is_believable(attempt.device_at, now) else now
    id: UUID | None = await database.fetchval(
        sql.ADD_RECORD, uuid7(), attempt.door_id, attempt.house_id, attempt.person_id, attempt.account_id,
        attempt.pass_id, attempt.command_id, attempt.who, attempt.plate, attempt.is_vehicle, at, attempt.device_at, now,
        attempt.direction, attempt.method, attempt.result, attempt.reason, attempt.guard_id, attempt.note,
        attempt.event_key,
    )  # fmt: skip
    return id
