"""What devices measure (遥测数据), taken in by batches of many devices.

A reading has the device's time where it can be believed, and always ours. A clock is judged by the newest
time that a message gives: what is older in it was measured earlier and sent late, as a device does that was
cut off. Where the newest cannot be, none of them counts: what was measured is kept under the time at which it
came, once per message, and the wrong clock is an alarm of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg

from domains.devices import rules
from domains.devices.readings import Value
from domains.devices.rules import Report
from domains.devices.service import alarms
from domains.devices.service.presence import Sighting, seen
from domains.devices.service.refusals import Way, refuse
from domains.identity.limits import limiter
from domains.kernel import database
from domains.kernel.ids import uuid7
from domains.kernel.rates import RateLimit, WhenDown

MOST_ROWS = 5000
MOST_METRICS = 64
"""Of a device: each has a newest value, which is read with the device."""
PER_DEVICE = RateLimit("device-readings", 36_000, 3600, 36_000, WhenDown.OPEN)
"""Ten readings a second over an hour; what was measured while the way was cut comes at once."""
KEPT = timedelta(days=90)
"""For how long readings are kept; no device says anything that is worth believing about a time before."""

# A reading is written once, however often it comes; the newest only ever gives way to a newer one. Rows are
# written in one order, so that two processes never wait for each other.
TAKE = """
WITH said AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::numeric[], $6::timestamptz[])
        AS s (id, device_id, metric, measured_at, value, received_at)),
metrics AS MATERIALIZED (
    SELECT m.device_id, m.metric, l.id IS NOT NULL OR $8 - (
        SELECT count(*) FROM latest_reading o WHERE o.device_id = m.device_id
    ) >= row_number() OVER (PARTITION BY m.device_id, l.id IS NULL ORDER BY m.metric) AS has_room
    FROM (SELECT DISTINCT s.device_id, s.metric FROM said s JOIN device d ON d.id = s.device_id AND d.state <> 'retired') m
    LEFT JOIN latest_reading l ON l.device_id = m.device_id AND l.metric = m.metric),
known AS MATERIALIZED (
    SELECT s.* FROM said s JOIN metrics m ON m.device_id = s.device_id AND m.metric = s.metric AND m.has_room
    ORDER BY s.device_id, s.metric, s.measured_at),
written AS (
    INSERT INTO reading (id, device_id, metric, measured_at, value, received_at) SELECT * FROM known
    ON CONFLICT (device_id, metric, measured_at) DO NOTHING RETURNING 1),
newest AS (
    INSERT INTO latest_reading AS l (id, device_id, metric, measured_at, value, received_at)
    SELECT DISTINCT ON (device_id, metric) * FROM known ORDER BY device_id, metric, measured_at DESC
    ON CONFLICT (device_id, metric) DO UPDATE
    SET measured_at = excluded.measured_at, value = excluded.value, received_at = excluded.received_at
    WHERE excluded.measured_at > l.measured_at)
SELECT (SELECT count(*) FROM written) AS written,
    ARRAY(SELECT DISTINCT device_id FROM said EXCEPT SELECT device_id FROM metrics) AS dropped,
    ARRAY(SELECT (device_id, metric) FROM metrics WHERE NOT has_room) AS crowded,
    ARRAY(SELECT device_id FROM alarm WHERE kind = 'clock' AND state <> 'cleared' AND calm_since IS NULL
        AND device_id = ANY($7::uuid[])) AS put_right
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """A device's message. `clock_at` is its clock at the time of sending, where that is proven."""

    device_id: UUID
    values: Sequence[Value]
    received_at: datetime
    way: Way
    clock_at: datetime | None = None

    @property
    def clock_is_right(self) -> bool | None:
        """As its newest time says; None where it gives none."""
        times = [value.at for value in self.values if value.at] + ([self.clock_at] if self.clock_at else [])
        return not rules.is_wrong(max(times), self.received_at) if times else None


@dataclass(slots=True)
class Taken:
    """What became of a batch: `written` leaves out what was known already; `dropped` are devices that are none,
    or retired; `crowded` are metrics of devices that have 64 others, `talkers` devices that say too much."""

    written: int = 0
    dropped: int = 0
    crowded: frozenset[tuple[UUID, str]] = frozenset()
    talkers: frozenset[UUID] = frozenset()

    def refusal_of(self, device_id: UUID, metric: str) -> str | None:
        """Why a reading of a batch of one message was not kept."""
        if device_id in self.talkers:
            return "READINGS_TOO_MANY"
        return "METRICS_TOO_MANY" if (device_id, metric) in self.crowded else None


Row = tuple[UUID, str, datetime, Decimal, datetime]
"""Device, metric, when it was measured, value, when it was received."""


async def take(messages: Sequence[Measured]) -> Taken:
    """Keep what devices measured, and that they were heard. Whoever fails in the middle takes the same batch
    again: nothing of it is written twice."""
    # Heard first: while the database is away the same batch comes again and again, and is counted once.
    await seen(Sighting(each.device_id, each.received_at) for each in messages)
    messages, talkers = await _within_rate(messages)
    verdicts = [message.clock_is_right for message in messages]
    rows = sorted(row for each, right in zip(messages, verdicts, strict=True) for row in _rows(each, right))
    right = list({each.device_id for each, is_right in zip(messages, verdicts, strict=True) if is_right})
    answers = [
        await _write(rows[start : start + MOST_ROWS], right) for start in range(0, len(rows), MOST_ROWS)
    ]
    await _judge_clocks(messages, verdicts, {id for answer in answers for id in answer["put_right"]})
    dropped = {id for answer in answers for id in answer["dropped"]}
    crowded = frozenset(tuple(pair) for answer in answers for pair in answer["crowded"])
    for each in messages:
        if each.device_id in dropped:
            refuse(each.device_id, each.way, "DEVICE_RETIRED")
        if count := sum((each.device_id, value.metric) in crowded for value in each.values):
            refuse(each.device_id, each.way, "METRICS_TOO_MANY", count)
    return Taken(sum(answer["written"] for answer in answers), len(dropped), crowded, talkers)


async def _within_rate(messages: Sequence[Measured]) -> tuple[list[Measured], frozenset[UUID]]:
    """Without the readings of devices that say too much; which they are."""
    takes = [(PER_DEVICE, str(each.device_id), len(each.values) or 1) for each in messages]
    verdicts = await limiter().take_each(takes)
    within, talkers = [], set()
    for each, verdict in zip(messages, verdicts, strict=True):
        within.append(each if verdict.allowed else replace(each, values=()))
        if not verdict.allowed:
            talkers.add(each.device_id)
            refuse(each.device_id, each.way, "READINGS_TOO_MANY", len(each.values))
    return within, frozenset(talkers)


def _rows(message: Measured, clock_is_right: bool | None) -> Iterable[Row]:
    rows: dict[tuple[str, datetime], Row] = {}
    for each in message.values:
        is_believed = each.at and clock_is_right and each.at > message.received_at - KEPT
        at = each.at if each.at and is_believed else message.received_at
        rows[each.metric, at] = message.device_id, each.metric, at, each.value, message.received_at
    return rows.values()


async def _write(rows: Sequence[Row], right: Sequence[UUID]) -> asyncpg.Record:
    columns = map(list, zip(*rows, strict=True))
    answer = await database.fetchrow(TAKE, [uuid7() for _ in rows], *columns, right, MOST_METRICS)
    assert answer is not None, "an aggregate has a row"
    return answer


async def _judge_clocks(
    messages: Sequence[Measured], verdicts: Sequence[bool | None], put_right: Iterable[UUID]
) -> None:
    wrong = [each for each, is_right in zip(messages, verdicts, strict=True) if is_right is False]
    for each in wrong:
        refuse(each.device_id, each.way, "TIME_WRONG")
    devices = {each.device_id for each in wrong}
    reports = [Report(id, "clock", True, None) for id in devices]
    reports += [Report(id, "clock", False, None) for id in put_right if id not in devices]
    for start in range(0, len(reports), alarms.MOST):
        await alarms.report(reports[start : start + alarms.MOST])
