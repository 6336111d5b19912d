"""Readings that collectors send (采集器抄表): of meters that hang on the calling device, and of no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal
from uuid import UUID

from domains.billing import meter_sql as sql
from domains.billing.service import reading_intake as intake
from domains.billing.service.reading_intake import Meter, Reading
from domains.devices.service.presence import Sighting, seen
from domains.devices.service.refusals import refuse
from domains.identity.limits import limiter
from domains.kernel import database
from domains.kernel.errors import DomainError, Throttled
from domains.kernel.rates import RateLimit, WhenDown

MOST = 1000
PER_DEVICE = RateLimit("meter-readings-device", 4_000, 3600, 24_000, WhenDown.OPEN)
"""A thousand meters every quarter of an hour; those of a night without a network come at once."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 4_102_444_800_000
"""The year 2100."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a reading; `code` says why it is invalid, or waits."""

    result: Literal["accepted", "held", "duplicate", "unknown", "invalid"]
    code: str = ""


@dataclass(frozen=True, slots=True)
class _Said:
    meter: str
    kind: str | None
    value: Decimal
    at: datetime


async def take_collected(device_id: UUID, items: Sequence[object], received_at: datetime) -> list[Answer]:
    """Keep what a collector has read, up to 1,000 readings; an answer for each, in their order. What is sent again
    is known again. Throttled METER_READINGS_TOO_MANY: 4,000 in an hour, 24,000 at once."""
    await seen([Sighting(device_id, received_at)])
    if items:
        await _count(device_id, len(items))
    said = [_read(item, received_at) for item in items]
    async with database.transaction():
        answers = await _take(device_id, said)
    for answer in answers:
        if answer.result in ("unknown", "invalid"):
            refuse(device_id, "http", answer.code)
    return answers


async def _count(device_id: UUID, readings: int) -> None:
    verdict = await limiter().take(PER_DEVICE, str(device_id), readings)
    if not verdict.allowed:
        refuse(device_id, "http", "METER_READINGS_TOO_MANY", readings)
        raise Throttled(
            "METER_READINGS_TOO_MANY",
            "采集器上报的读数太多,请按 Retry-After 等待后再发",
            verdict.retry_after_s,
        )


async def _take(device_id: UUID, said: Sequence[_Said | Answer]) -> list[Answer]:
    known = await _meters_of(device_id)
    ids = [None if isinstance(each, Answer) else _meter_id(known, each) for each in said]
    meters = await intake.locked({id for id in ids if id is not None})
    checked = [_checked(each, meters.get(id) if id else None) for each, id in zip(said, ids, strict=True)]
    outcomes = iter(await intake.take([each for each in checked if isinstance(each, Reading)]))
    return [
        each if isinstance(each, Answer) else Answer((outcome := next(outcomes)).result, outcome.problem)
        for each in checked
    ]


Known = Mapping[str, Sequence[tuple[str, UUID]]]
"""By number or id: kind and id."""


async def _meters_of(device_id: UUID) -> Known:
    known: defaultdict[str, list[tuple[str, UUID]]] = defaultdict(list)
    for row in await database.fetch(sql.OF_DEVICE, device_id):
        for name in (row["number"], str(row["id"])):
            known[name].append((row["kind"], row["id"]))
    return known


def _meter_id(known: Known, said: _Said) -> UUID | None:
    """The one meter that is meant: a number may be on a water meter and on an electricity meter."""
    meant = [id for kind, id in known.get(said.meter, ()) if said.kind in (None, kind)]
    return meant[0] if len(meant) == 1 else None


def _checked(said: _Said | Answer, meter: Meter | None) -> Reading | Answer:
    if isinstance(said, Answer):
        return said
    if meter is None:
        return Answer("unknown", "METER_UNKNOWN")
    try:
        return Reading(meter, intake.check(meter, said.value, said.at), said.at, "collector")
    except DomainError as error:
        return Answer("invalid", error.code)


def _read(item: object, received_at: datetime) -> _Said | Answer:
    if not isinstance(item, dict) or not isinstance(meter := item.get("meter"), str):
        return Answer("invalid", "READING_INVALID")
    kind, value, at = item.get("kind"), _number(item.get("value")), item.get("at")
    if value is None or not (kind is None or isinstance(kind, str)):
        return Answer("invalid", "VALUE_INVALID")
    if at is not None and (type(at) is not int or not 0 <= at < _LAST_MS):
        return Answer("invalid", "TIME_INVALID")
    instant = received_at if at is None else _EPOCH + timedelta(milliseconds=at)
    return _Said(meter, kind, value, instant)


def _number(value: object) -> Decimal | None:
    """A number, or one in a text, as meters with many digits send it; a truth value is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 20:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**12 else None
