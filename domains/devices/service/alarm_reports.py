"""What devices say of conditions, read and taken by batches (告警接入)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

from domains.devices import rules
from domains.devices.kinds import ALARM_KINDS
from domains.devices.link import Message
from domains.devices.rules import Report
from domains.devices.service.alarms import Refusal, report
from domains.devices.service.presence import Sighting, seen
from domains.devices.service.refusals import Way, refuse
from domains.kernel.gathering import Gathered

NOTICED_HERE = frozenset({"clock", "offline"})
"""What a device cannot know of itself."""
LONGEST_DETAIL = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 4_102_444_800_000
"""The year 2100."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a device said of one condition, as JSON has it: `{"kind", "active", "at", "detail"}`, of which `at`,
    in epoch milliseconds, may be null or absent, and `detail` as well."""

    device_id: UUID
    item: object
    received_at: datetime
    way: Way


async def hear_alarms(messages: list[Message]) -> None:
    """One condition a message. What the broker kept from earlier is how it was, and no news."""
    await take(
        [
            Said(each.device_id, _json(each.payload), each.received_at, "mqtt")
            for each in messages
            if not each.retained
        ]
    )


async def take(said: Sequence[Said]) -> list[Refusal | None]:
    """Take what can be read, of it all or nothing; for each None, or why it was refused: ALARM_INVALID,
    ALARM_KIND_UNKNOWN, ALARM_NOT_OF_DEVICE, TIME_INVALID, DEVICE_UNKNOWN, DEVICE_RETIRED,
    DEVICE_NOT_IN_SERVICE. What was refused is on record."""
    found = [_read(each) for each in said]
    reports = [each for each in found if isinstance(each, Report)]
    clocks = [clock for each in said if (clock := _clock(each)) is not None]
    codes = iter(await report([*reports, *clocks]))
    refusals = [next(codes) if isinstance(each, Report) else each for each in found]
    await seen(Sighting(each.device_id, each.received_at) for each in said)
    for each, code in zip(said, refusals, strict=True):
        if code is not None:
            refuse(each.device_id, each.way, code)
    return refusals


class Intake(Gathered[Said, Refusal | None]):
    """Takes what devices say side by side over HTTP: requests that come together are one transaction."""

    def __init__(self) -> None:
        super().__init__(take)


def _json(payload: bytes) -> object:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None


def _read(said: Said) -> Report | Refusal:
    item = said.item
    if not isinstance(item, dict) or not isinstance(item.get("active"), bool):
        return "ALARM_INVALID"
    kind, detail = item.get("kind"), item.get("detail") or ""
    if not isinstance(kind, str) or kind not in ALARM_KINDS or kind in NOTICED_HERE:
        return "ALARM_KIND_UNKNOWN"
    if not _is_time(item.get("at")):
        return "TIME_INVALID"
    at = _instant(item)
    believed = at if at is not None and rules.is_believable(at, said.received_at) else None
    return Report(said.device_id, kind, item["active"], believed, _line(str(detail)))


def _clock(said: Said) -> Report | None:
    """What an item says of its device's clock; nothing where it came late, for that may be the way's fault."""
    at = _instant(said.item)
    if at is None:
        return None
    if said.way == "http" and at < said.received_at - rules.SKEW:
        return None  # the signature has shown a right clock: it was cut off, and tells of it now
    if rules.is_wrong(at, said.received_at):
        return Report(said.device_id, "clock", True, None)
    return Report(said.device_id, "clock", False, None) if rules.is_believable(at, said.received_at) else None


def _instant(item: object) -> datetime | None:
    at = item.get("at") if isinstance(item, dict) else None
    return _EPOCH + timedelta(milliseconds=at) if isinstance(at, int) and _is_time(at) else None


def _is_time(at: object) -> bool:
    # A truth value is a whole number to Python, and not to whoever sent it.
    return at is None or (type(at) is int and 0 <= at < _LAST_MS)


def _line(text: str) -> str:
    """A detail must never keep an alarm out: what cannot be shown is left out of it."""
    return "".join(each if each.isprintable() else " " for each in text).strip()[:LONGEST_DETAIL]
