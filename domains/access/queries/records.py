"""Reads of what was tried at doors (通行记录): a compound's for staff, one's own and the house's visitors' for residents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from domains.access import permissions
from domains.estate.queries import contains
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.kernel.errors import Invalid
from domains.residents import plates
from domains.residents.queries.reading import note


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """One attempt at a door (通行记录); `who` is the name as it was then, `guard_name` the guard's now."""

    id: UUID
    compound_id: UUID
    door_id: UUID
    door_name: str
    house_id: UUID | None
    house_number: str | None
    person_id: UUID | None
    visitor_pass_id: UUID | None
    who: str
    plate: str
    is_vehicle: bool
    at: datetime
    device_at: datetime | None
    received_at: datetime
    direction: str
    method: str
    result: str
    reason: str
    note: str
    guard_id: UUID | None
    guard_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """What a list of records is narrowed to; `plate` and `name` are parts, `since` is included, `until` is not."""

    door_id: UUID | None = None
    house_id: UUID | None = None
    person_id: UUID | None = None
    pass_id: UUID | None = None
    plate: str | None = None
    name: str | None = None
    method: str | None = None
    result: str | None = None
    direction: str | None = None
    is_vehicle: bool | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def used(self) -> list[str]:
        """What is narrowed, by name: for the audit, which holds no names and plates."""
        return [each.name for each in fields(self) if getattr(self, each.name) is not None]


Condition = tuple[str, tuple[object, ...]]
After = tuple[object, ...] | None

_ROW = """r.id, r.compound_id, r.door_id, d.name AS door_name, r.house_id, h.number AS house_number, r.person_id,
    r.visitor_pass_id, r.who, r.plate, r.is_vehicle, r.at, r.device_at, r.received_at, r.direction, r.method, r.result,
    r.reason, r.note, r.guard_id, g.name AS guard_name"""
_JOINS = """JOIN door d ON d.id = r.door_id LEFT JOIN house h ON h.id = r.house_id
    LEFT JOIN account g ON g.id = r.guard_id"""
_ORDER = "ORDER BY r.at DESC, r.id DESC"

# A resident sees who came to the house since they belong to it, and nothing of those who lived there before.
_MINE = """
me AS (SELECT id FROM person WHERE account_id = $1),
stay AS (
    SELECT o.house_id, min(o.recorded_at) AS since FROM occupancy o JOIN me ON me.id = o.person_id
    WHERE o.ended_at IS NULL AND (o.lease_until_on IS NULL OR o.lease_until_on >= $2) GROUP BY o.house_id)"""

_BEFORE = """(r.at, r.id) < (coalesce($3::timestamptz, 'infinity'),
            coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))"""

OWN = f"""
WITH {_MINE}
SELECT {_ROW} FROM (
    SELECT r.* FROM me CROSS JOIN LATERAL (
        SELECT * FROM access_record r WHERE r.person_id = me.id AND {_BEFORE} {_ORDER} LIMIT $5) AS r
    UNION
    SELECT r.* FROM stay CROSS JOIN LATERAL (
        SELECT * FROM access_record r WHERE r.house_id = stay.house_id AND r.visitor_pass_id IS NOT NULL
            AND r.at >= stay.since AND {_BEFORE} {_ORDER} LIMIT $5) AS r
) AS r {_JOINS} {_ORDER} LIMIT $5
"""

# A pass has few records, and an index of its own.
OWN_OF_PASS = f"""
WITH {_MINE}
SELECT {_ROW} FROM access_record r {_JOINS} JOIN stay ON stay.house_id = r.house_id AND stay.since <= r.at
WHERE r.visitor_pass_id = $6 AND {_BEFORE} {_ORDER} LIMIT $5
"""

OWN_BY_ID = f"""
WITH {_MINE}
SELECT {_ROW} FROM access_record r {_JOINS}
WHERE r.id = ANY($3::uuid[]) AND (r.person_id IN (SELECT id FROM me) OR (r.visitor_pass_id IS NOT NULL
    AND EXISTS (SELECT FROM stay WHERE stay.house_id = r.house_id AND stay.since <= r.at)))
"""

BY_ID = f"""
SELECT {_ROW} FROM access_record r {_JOINS}
WHERE r.id = ANY($1::uuid[]) AND (r.compound_id = ANY($2::uuid[]) OR r.building_id = ANY($3::uuid[]))
"""


@sensitive_read("access_record.list", caller="staff", permission=permissions.RECORDS_READ)
async def access_records(
    actor: Actor, compound_id: UUID, narrowed: RecordFilter, *, after: After, limit: int
) -> list[AccessRecord]:
    """A page of a compound's records, the last one first. Raises Invalid PERIOD_REVERSED."""
    concerns("AccessRecord", None, compound_id, filters=narrowed.used)
    return await page(actor, compound_id, narrowed, after=after, limit=limit)


async def page(
    actor: Actor, compound_id: UUID, narrowed: RecordFilter, *, after: After, limit: int
) -> list[AccessRecord]:
    """The rows of a page; for who has noted in the audit that they are read."""
    text, values = statement(actor, compound_id, narrowed, after=after, limit=limit)
    return [AccessRecord(**row) for row in await database.fetch(text, *values)]


def statement(
    actor: Actor, compound_id: UUID, narrowed: RecordFilter, *, after: After, limit: int
) -> tuple[str, list[object]]:
    """The statement of a page with its values: what is not narrowed costs the plan nothing."""
    conditions = list(_conditions(actor, compound_id, narrowed))
    if after is not None:
        conditions.append(("(r.at, r.id) < ({}, {}::uuid)", after))
    text, values = _numbered(conditions)
    return (
        f"SELECT {_ROW} FROM access_record r {_JOINS} WHERE {text} {_ORDER} LIMIT ${len(values) + 1}",
        [*values, limit],
    )


async def count(actor: Actor, compound_id: UUID, narrowed: RecordFilter, most: int | None = None) -> int:
    """How many there are over all pages, counted up to `most`."""
    text, values = _numbered(list(_conditions(actor, compound_id, narrowed)))
    counted = f"SELECT FROM access_record r WHERE {text} LIMIT ${len(values) + 1}"
    return int(await database.fetchval(f"SELECT count(*) FROM ({counted}) AS counted", *values, most))


async def own(actor: Actor, pass_id: UUID | None = None, *, after: After, limit: int) -> list[AccessRecord]:
    """A page of the caller's own passages and of the visitors of the caller's houses, or of one visitor's pass, the
    last one first; none of a pass that is not of the caller's houses."""
    values = (actor.id, clock.today(), *(after or (None, None)), limit)
    narrowed = () if pass_id is None else (pass_id,)
    rows = await database.fetch(OWN_OF_PASS if narrowed else OWN, *values, *narrowed)
    return [AccessRecord(**row) for row in rows]


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, AccessRecord]:
    """Those the caller may see; what staff read leaves its trace."""
    if not actor.compounds(permissions.RECORDS_READ):
        rows = await database.fetch(OWN_BY_ID, actor.account_id, clock.today(), ids)
        return {row["id"]: AccessRecord(**row) for row in rows}
    reach = actor.reach(permissions.RECORDS_READ)
    async with database.transaction():
        rows = await database.fetch(BY_ID, ids, reach.compounds, reach.buildings)
        found = {row["id"]: AccessRecord(**row) for row in rows}
        await note(actor, "access_record.read", "AccessRecord", found.values())
    return found


def _conditions(actor: Actor, compound_id: UUID, narrowed: RecordFilter) -> Iterator[Condition]:
    actor.require(permissions.RECORDS_READ, compound_id)
    reached = actor.buildings(permissions.RECORDS_READ, compound_id)
    if narrowed.since and narrowed.until and narrowed.until <= narrowed.since:
        raise Invalid("PERIOD_REVERSED", "结束时间须晚于开始时间,请重新选择", "until")
    yield "r.compound_id = {}", (compound_id,)
    for text, value in (
        ("r.building_id = ANY({}::uuid[])", None if reached is None else list(reached)),
        ("r.door_id = {}", narrowed.door_id),
        ("r.house_id = {}", narrowed.house_id),
        ("r.person_id = {}", narrowed.person_id),
        ("r.visitor_pass_id = {}", narrowed.pass_id),
        ("r.method = {}", narrowed.method),
        ("r.result = {}", narrowed.result),
        ("r.direction = {}", narrowed.direction),
        ("r.is_vehicle = {}", narrowed.is_vehicle),
        ("r.at >= {}", narrowed.since),
        ("r.at < {}", narrowed.until),
        ("r.who LIKE {}", contains(narrowed.name)),
    ):
        if value is not None:
            yield text, (value,)
    # The index of plates holds the records that have one.
    if plate := contains(plates.normalise(narrowed.plate or "")):
        yield "r.plate <> '' AND r.plate LIKE {}", (plate,)


def _numbered(conditions: Sequence[Condition]) -> tuple[str, list[object]]:
    """The conditions as one, their places numbered in the order of the values."""
    values = [value for _, each in conditions for value in each]
    text = " AND ".join(text for text, _ in conditions)
    return text.format(*(f"${number}" for number in range(1, len(values) + 1))), values
