"""A fortnight at the demo compound's doors (示范通行记录): out in the morning, back in the evening, others later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

import asyncpg

from api.demo.equipment import SEED
from domains.kernel import clock, database
from domains.kernel.clock import SHANGHAI
from domains.kernel.ids import uuid7

DAYS, WALKERS, CARS = 14, 150, 60
REFUSED = 0.015

# Who lives there is in the register with the day of moving in; small children do not walk alone.
PEOPLE = """
SELECT p.id AS person_id, p.name AS who, o.house_id, d.id AS unit_door,
    p.born_on IS NOT NULL AND p.born_on < $2::date - interval '60 years' AS is_old
FROM occupancy o JOIN person p ON p.id = o.person_id JOIN house h ON h.id = o.house_id
JOIN door d ON d.unit_id = h.unit_id AND d.removed_at IS NULL
WHERE h.compound_id = $1 AND o.ended_at IS NULL AND o.since_on IS NOT NULL
    AND (p.born_on IS NULL OR p.born_on < $2::date - interval '9 years')
ORDER BY h.sort, p.name
"""

PLATES = """
SELECT v.plate, v.house_id, v.person_id, coalesce(p.name, '') AS who FROM vehicle v
JOIN house h ON h.id = v.house_id LEFT JOIN person p ON p.id = v.person_id
WHERE v.compound_id = $1 AND v.kind = 'car' AND v.removed_at IS NULL ORDER BY h.sort, v.plate
"""

GATES = "SELECT id, name FROM door WHERE compound_id = $1 AND building_id IS NULL AND removed_at IS NULL"

ADD = """
INSERT INTO access_record (id, compound_id, door_id, building_id, house_id, person_id, who, plate, is_vehicle, at, device_at,
    received_at, direction, method, result, reason, note)
SELECT r.id, d.compound_id, d.id, d.building_id, r.house_id, r.person_id, r.who, r.plate, r.plate <> '', r.at, r.at,
    r.at + interval '1 second', r.direction, r.method, CASE r.reason WHEN '' THEN 'opened' ELSE 'refused' END, r.reason, ''
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
    $9::text[], $10::text[]) AS r (id, door_id, house_id, person_id, who, plate, at, direction, method, reason)
JOIN door d ON d.id = r.door_id
"""


@dataclass(frozen=True, slots=True)
class Passage:
    """One attempt at a door, in the order of the statement's columns."""

    id: UUID
    door_id: UUID
    house_id: UUID
    person_id: UUID | None
    who: str
    plate: str
    at: datetime
    direction: str
    method: str
    reason: str = ""


class Fortnight:
    """Draws the passages of some residents and cars; the same seed draws the same rhythm."""

    def __init__(self, gates: dict[str, UUID]) -> None:
        self._gates, self._rng = gates, Random(SEED)  # noqa: S311  # nothing is kept secret by it

    def passages(
        self, walkers: Sequence[asyncpg.Record], cars: Sequence[asyncpg.Record], now: datetime
    ) -> list[Passage]:
        """Everything up to now."""
        days = [clock.business_date(now) - timedelta(days=ago) for ago in range(DAYS)]
        chosen = self._rng.sample(walkers, min(WALKERS, len(walkers)))
        driven = self._rng.sample(cars, min(CARS, len(cars)))
        found = [each for who in chosen for each in self._walks(who, days)]
        found += [each for car in driven for day in days for each in self._drive(car, day)]
        return [each for each in found if each.at < now]

    def _walks(self, who: asyncpg.Record, days: Sequence[date]) -> Iterator[Passage]:
        method, gate = (
            self._rng.choice(("face", "face", "card", "app")),
            self._rng.choice(("南门", "南门", "北门")),
        )
        for day in days:
            for left, back in self._outings(day, is_old=who["is_old"]):
                yield self._at(who, self._gates[gate], left, ("out", method))
                came = back
                if self._rng.random() < REFUSED:
                    yield self._at(who, self._gates[gate], back, ("in", "qr"), "EXPIRED")
                    came = back + timedelta(seconds=40)
                yield self._at(who, self._gates[gate], came, ("in", method))
                yield self._at(who, who["unit_door"], came + timedelta(minutes=3), ("in", method))

    def _outings(self, day: date, *, is_old: bool) -> Iterator[tuple[datetime, datetime]]:
        """The old walk in the morning, others go to work, and at the weekend out."""
        is_weekend = day.weekday() >= 5
        if is_old:
            left = self._moment(day, 6.8, 0.4)
            yield left, left + timedelta(minutes=self._rng.randint(35, 80))
        elif not is_weekend and self._rng.random() < 0.85:
            yield self._moment(day, 7.9, 0.5), self._moment(day, 18.6, 0.9)
        elif is_weekend and self._rng.random() < 0.6:
            left = self._moment(day, 10.5, 1.5)
            yield left, left + timedelta(minutes=self._rng.randint(50, 300))

    def _drive(self, car: asyncpg.Record, day: date) -> Iterator[Passage]:
        if self._rng.random() < (0.5 if day.weekday() >= 5 else 0.8):
            yield self._at(car, self._gates["东门车行出口"], self._moment(day, 7.8, 0.6), ("out", "plate"))
            yield self._at(car, self._gates["东门车行入口"], self._moment(day, 18.9, 1.0), ("in", "plate"))

    def _moment(self, day: date, hour: float, spread_h: float) -> datetime:
        hours = min(max(self._rng.gauss(hour, spread_h), 5.0), 23.5)
        return datetime.combine(day, time.min, SHANGHAI) + timedelta(seconds=int(hours * 3600))

    def _at(
        self, who: asyncpg.Record, door_id: UUID, at: datetime, way: tuple[str, str], reason: str = ""
    ) -> Passage:  # fmt: skip
        return Passage(
            uuid7(),
            door_id,
            who["house_id"],
            who["person_id"],
            who["who"],
            who.get("plate", ""),
            at,
            *way,
            reason,
        )


async def record_fortnight(compound_id: UUID) -> int:
    """Write them down in one statement, in the open transaction; how many."""
    now = clock.now()
    gates = {row["name"]: row["id"] for row in await database.fetch(GATES, compound_id)}
    walkers = await database.fetch(PEOPLE, compound_id, clock.today())
    drawn = Fortnight(gates).passages(walkers, await database.fetch(PLATES, compound_id), now)
    columns = ([getattr(each, field.name) for each in drawn] for field in fields(Passage))
    return await database.execute(ADD, *columns)
