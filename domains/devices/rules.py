"""Decisions about devices and alarms, without any state of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domains.devices.kinds import ALARM_KINDS
from domains.kernel.transitions import Machine

DEVICE = Machine(
    "device",
    {
        "in_store": frozenset({"in_service", "retired"}),
        "in_service": frozenset({"out_of_order", "in_store", "retired"}),
        "out_of_order": frozenset({"in_service", "in_store", "retired"}),
        "retired": frozenset(),
    },
)

ALARM = Machine(
    "alarm",
    {
        "open": frozenset({"acknowledged", "cleared"}),
        "acknowledged": frozenset({"cleared"}),
        "cleared": frozenset(),
    },
    required={
        "acknowledged": frozenset({"acknowledged_at", "acknowledged_by"}),
        "cleared": frozenset({"cleared_at"}),
    },
)

OFFLINE_GRACE = timedelta(seconds=60)
"""A connection that comes back within it was none that anybody needs to know of (on-delay)."""
SKEW = timedelta(minutes=5)
"""How far a device's clock may be off before that is an alarm of its own."""
LATE = timedelta(hours=1) + SKEW
"""How old what a device says may be when it comes: the broker keeps it for an hour while nobody takes it."""


def is_heeded(state: str, alarm_kind: str) -> bool:
    """Whether a condition counts that a device in this state says is there. One in store is carried about and tried
    out, one that is retired is nobody's; one that is out of order is not believed but where life is at stake."""
    if state == "out_of_order":
        return ALARM_KINDS[alarm_kind].level == "critical"
    return state == "in_service"


@dataclass(frozen=True, slots=True)
class Report:
    """What a device says of a condition: that it is there, or that it is over."""

    device_id: UUID
    kind: str
    is_active: bool
    at: datetime | None
    """By the device's clock; null where it gave none that can be believed."""
    detail: str = ""


@dataclass(slots=True)
class Condition:
    """What a batch of reports says of one condition, put together in the order in which they came."""

    device_id: UUID
    kind: str
    reports: int = 0
    """How many said that it is there."""
    flaps: int = 0
    """How often it came back after a report of its end."""
    begins_active: bool = True
    """As the first report has it."""
    is_active: bool = True
    """As the last report has it."""
    at: datetime | None = None
    detail: str = ""


def conditions(reports: Sequence[Report]) -> list[Condition]:
    """One condition per device and kind, in a fixed order, so that two batches never wait for each other."""
    found: dict[tuple[UUID, str], Condition] = {}
    for report in reports:
        first = Condition(
            report.device_id, report.kind, begins_active=report.is_active, is_active=report.is_active
        )
        _take(found.setdefault((report.device_id, report.kind), first), report)
    return [found[key] for key in sorted(found)]


def _take(condition: Condition, report: Report) -> None:
    if report.is_active:
        condition.flaps += not condition.is_active
        condition.reports += 1
        condition.at, condition.detail = condition.at or report.at, report.detail or condition.detail
    condition.is_active = report.is_active


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What is written of a condition: its alarm that is not cleared, or one that somebody cleared while the
    condition lasted, for as long as it is shelved."""

    alarm_id: UUID
    calm_since: datetime | None
    is_shelved: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What a condition adds to an alarm on record. `cleared_at` where it is over by itself."""

    alarm_id: UUID
    reports: int
    flaps: int
    detail: str
    calm_since: datetime | None
    cleared_at: datetime | None
    is_shelved: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """A new alarm."""

    condition: Condition
    flaps: int
    calm_since: datetime | None


def judged(
    condition: Condition, on_record: OnRecord | None, now: datetime
) -> tuple[Change | None, Opening | None]:
    """What becomes of a condition: a change of what is on record, a new alarm, both, or nothing."""
    if on_record is None:
        return None, _opening(condition, now)
    if on_record.is_shelved:
        return _of_shelved(condition, on_record, now)
    calm_since = on_record.calm_since
    if calm_since is not None and cleared_at(condition.kind, calm_since) <= now:
        # Whether the job has already written that it is over must not decide what a return of it is.
        over = cleared_at(condition.kind, calm_since)
        return Change(on_record.alarm_id, 0, 0, "", calm_since, over, False), _opening(condition, now)
    return _lasting(condition, on_record, now), None


def _opening(condition: Condition, now: datetime) -> Opening | None:
    if not condition.reports:
        return None
    returns = condition.flaps - (not condition.begins_active)
    return Opening(condition, returns, None if condition.is_active else now)


def _of_shelved(condition: Condition, on_record: OnRecord, now: datetime) -> tuple[Change, Opening | None]:
    lasts = condition.is_active and not condition.flaps
    is_back = condition.flaps > 0
    reports = 0 if is_back else condition.reports
    change = Change(
        on_record.alarm_id,
        reports,
        0,
        condition.detail if reports else "",
        None if lasts else now,
        None,
        lasts,
    )
    return change, _opening(condition, now) if is_back else None


def _lasting(condition: Condition, on_record: OnRecord, now: datetime) -> Change:
    was_calm = on_record.calm_since is not None
    calm_since = None if condition.is_active else now
    if was_calm and not condition.reports:
        calm_since = on_record.calm_since
    over = None if calm_since is None else cleared_at(condition.kind, calm_since)
    return Change(
        on_record.alarm_id, condition.reports, condition.flaps + (was_calm and condition.begins_active),
        condition.detail, calm_since, over if over is not None and over <= now else None, False,
    )  # fmt: skip


def cleared_at(kind: str, calm_since: datetime) -> datetime:
    """When a condition that ended then is taken for over."""
    return calm_since + ALARM_KINDS[kind].off_delay


def is_wrong(at: datetime, received_at: datetime) -> bool:
    """Whether a device's clock is certainly wrong: ahead of ours, or behind by more than a message may be late
    that waited for the link to come back."""
    return not -LATE <= at - received_at <= SKEW


def is_believable(at: datetime, received_at: datetime) -> bool:
    """Whether a device's clock is near enough to ours to go by."""
    return abs(at - received_at) <= SKEW
