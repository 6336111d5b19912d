"""Taking readings in (读数入库), whoever brings them: judged one after another, written at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

import asyncpg

from domains.billing import meter_sql as sql
from domains.billing import metering
from domains.billing.events import ReadingHeld
from domains.billing.metering import Past, Point, Register, Verdict
from domains.kernel import clock, database, outbox
from domains.kernel.errors import Conflict, Invalid
from domains.kernel.ids import uuid7

Source = Literal["collector", "staff", "resident", "install", "removal"]
Result = Literal["accepted", "held", "duplicate"]

SKEW = timedelta(minutes=5)
"""How far ahead of ours the clock may be by which a reading was taken."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter whose turn the transaction has: nobody else reads it in meanwhile."""

    id: UUID
    compound_id: UUID
    building_id: UUID | None
    house_id: UUID | None
    device_id: UUID | None
    kind: str
    number: str
    multiplier: Decimal
    digits: int
    daily_most: Decimal | None
    installed_on: date
    removed_on: date | None

    @property
    def register(self) -> Register:
        """What its readings are judged by."""
        return Register(self.kind, self.digits, self.multiplier, self.daily_most)


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading that was brought (读数); `value` is checked, see `check`."""

    meter: Meter
    value: Decimal
    read_at: datetime
    source: Source
    account_id: UUID | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it. A duplicate has no row of its own, nor what a collector sends again while it waits."""

    result: Result
    reading_id: UUID | None = None
    problem: str = ""


async def locked(ids: Collection[UUID]) -> Mapping[UUID, Meter]:
    """The meters there are of these, until the end of the transaction nobody else's."""
    rows = await database.fetch(sql.LOCK, list(ids))
    return {row["id"]: Meter(**row) for row in rows}


def check(meter: Meter, value: Decimal, read_at: datetime) -> Decimal:
    """The value as it is kept.

    Raises READING_OUT_OF_RANGE, READING_IN_FUTURE, READING_BEFORE_INSTALLATION, Conflict METER_REMOVED.
    """
    if read_at > clock.now() + SKEW:
        raise Invalid("READING_IN_FUTURE", "抄表时间不能晚于现在,请检查", "read_at")
    day = clock.business_date(read_at)
    if day < meter.installed_on:
        raise Invalid(
            "READING_BEFORE_INSTALLATION", "抄表时间早于这块表的安装日期,请检查日期或表号", "read_at"
        )
    if meter.removed_on is not None and day >= meter.removed_on:
        raise Conflict("METER_REMOVED", "这块表已经拆除,请抄新表", "meter")
    return metering.checked_value(value, meter.digits)


def instant_of(day: date) -> datetime:
    """When a reading counts of which only the day is known: noon, so that the same sheet brings the same reading."""
    noon = datetime.combine(day, time(12), clock.SHANGHAI).astimezone(UTC)
    return min(noon, clock.now()) if day == clock.today() else noon


@dataclass(slots=True)
class _Taking:
    """A batch on its way: rows to write, and what of it counts for the readings after it."""

    rows: list[tuple[object, ...]] = field(default_factory=list)
    events: list[ReadingHeld] = field(default_factory=list)
    accepted: defaultdict[UUID, list[Point]] = field(default_factory=lambda: defaultdict(list))
    known: set[tuple[UUID, datetime]] = field(default_factory=set)
    waiting: set[tuple[UUID, date]] = field(default_factory=set)

    def take(self, reading: Reading, around: asyncpg.Record) -> Outcome:
        """Judge one; those of its meter come in the order of their times."""
        meter, at, day = reading.meter, reading.read_at, clock.business_date(reading.read_at)
        if around["is_known"] or (meter.id, at) in self.known:
            return Outcome("duplicate")
        verdict = self._judge(reading, around)
        is_held, is_collectors = bool(verdict.problem), reading.source == "collector"
        if is_held and is_collectors and (around["has_waiting"] or (meter.id, day) in self.waiting):
            # One a day says all: a meter that runs backwards is read every hour.
            return Outcome("held", None, verdict.problem)
        self.known.add((meter.id, at))
        id = uuid7()
        total = None if is_held else verdict.total
        self.rows.append(
            (id, meter.compound_id, meter.id, at, day, reading.value, total, reading.source, reading.account_id,
             "held" if is_held else "accepted", verdict.problem, reading.note)
        )  # fmt: skip
        if is_held:
            self.waiting |= {(meter.id, day)} if is_collectors else set()
            self.events.append(ReadingHeld(id, meter.compound_id, meter.id, verdict.problem))
            return Outcome("held", id, verdict.problem)
        self.accepted[meter.id].append(Point(at, reading.value, verdict.total))
        return Outcome("accepted", id)

    def _judge(self, reading: Reading, around: asyncpg.Record) -> Verdict:
        past = past_of(around)
        if past is None:
            return Verdict(Decimal(0), "LATE")
        past = with_fresh(past, self.accepted[reading.meter.id], reading.read_at)
        return metering.judge(reading.meter.register, past, reading.value, reading.read_at)

    async def write(self) -> None:
        """The rows and what is to be told of them."""
        if self.rows:
            await database.execute(sql.WRITE, *map(list, zip(*self.rows, strict=True)), clock.now())
        for event in self.events:
            await outbox.record(event)


async def take(readings: Sequence[Reading]) -> list[Outcome]:
    """Judge and keep readings of meters that are locked, in the open transaction; an outcome for each."""
    around = await surroundings([(each.meter.id, each.read_at) for each in readings])
    taking, outcomes = _Taking(), dict[int, Outcome]()
    for place in sorted(range(len(readings)), key=lambda place: readings[place].read_at):
        outcomes[place] = taking.take(readings[place], around[place])
    await taking.write()
    return [outcomes[place] for place in range(len(readings))]


async def surroundings(instants: Sequence[tuple[UUID, datetime]]) -> Sequence[asyncpg.Record]:
    """For each meter and instant what is accepted around it."""
    days = [clock.business_date(at) for _, at in instants]
    return await database.fetch(sql.AROUND, [id for id, _ in instants], [at for _, at in instants], days)


def past_of(around: asyncpg.Record) -> Past | None:
    """What the database has accepted around a reading; None for one before the first of all."""
    if around["last_at"] is None:
        return None
    last = Point(around["last_at"], around["last_value"], around["last_total"])
    after = around["after_at"] and Point(around["after_at"], around["after_value"], around["after_total"])
    earlier = zip(around["ats"] or (), around["values"] or (), around["totals"] or (), strict=True)
    return Past(last, tuple(Point(*each) for each in earlier), after, around["is_billed"])


def with_fresh(past: Past, fresh: Sequence[Point], at: datetime) -> Past:
    """With what the same batch has accepted before it."""
    if not fresh:
        return past
    closings = {clock.business_date(point.at): point for point in past.closings}
    for point in fresh:
        day = clock.business_date(point.at)
        if day not in closings or closings[day].at < point.at:
            closings[day] = point
    closings.pop(clock.business_date(at), None)
    ordered = sorted(closings.values(), key=lambda point: point.at)[-metering.USES - 1 :]
    last = max((past.last, *fresh), key=lambda point: point.at)
    return Past(last, tuple(ordered), past.following, past.is_billed)
