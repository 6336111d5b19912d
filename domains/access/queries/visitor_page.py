"""What a link leads to (访客页): found by the hash of its secret, and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from domains.access import sealed, visits
from domains.access.queries.passes import VisitorDoor
from domains.access.visits import Weekly
from domains.kernel import clock, database

# Of a template the visit that is now or comes next, else the last one. A fire without a building is everybody's.
PAGE = """
WITH linked AS (
    SELECT id FROM visitor_pass WHERE link_hash = $1 AND template_id IS NULL
    UNION ALL
    SELECT latest.id FROM pass_template t CROSS JOIN LATERAL (
        SELECT v.id FROM visitor_pass v WHERE v.template_id = t.id
        ORDER BY v.ends_at > $2 DESC, CASE WHEN v.ends_at > $2 THEN v.starts_at END, v.starts_at DESC LIMIT 1) AS latest
    WHERE t.link_hash = $1)
SELECT v.id AS pass_id, v.template_id, v.state, CASE v.state WHEN 'rejected' THEN v.reason ELSE '' END AS reason,
    c.name AS compound_name, v.guest_name, v.message, v.starts_at, v.ends_at, v.uses_allowed, v.uses, v.is_car_refused,
    entry.at AS entered_at, entry.door AS entered_by, EXISTS (
        SELECT FROM alarm f WHERE f.compound_id = v.compound_id AND f.kind = 'fire' AND f.state <> 'cleared'
            AND (f.building_id IS NULL OR f.building_id = h.building_id)) AS is_fire
FROM linked JOIN visitor_pass v ON v.id = linked.id JOIN house h ON h.id = v.house_id
JOIN compound c ON c.id = v.compound_id
LEFT JOIN LATERAL (
    SELECT r.at, d.name AS door FROM access_record r JOIN door d ON d.id = r.door_id
    WHERE r.visitor_pass_id = v.id AND r.result = 'opened' AND r.direction <> 'out' ORDER BY r.at DESC LIMIT 1) AS entry
    ON true
"""

TEMPLATE = """
SELECT t.weekdays, t.from_minute, t.until_minute, t.until_on, t.guest_name, t.message, t.uses_allowed, t.ended_at,
    c.name AS compound_name
FROM pass_template t JOIN compound c ON c.id = t.compound_id WHERE t.link_hash = $1
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """When a visitor last came in, and by which door (最近通行)."""

    at: datetime
    door: str


@dataclass(frozen=True, slots=True)
class VisitorPage:
    """All that whoever has the link may know: nothing of the house's people."""

    pass_id: UUID | None
    state: str
    compound_name: str
    guest_name: str
    message: str
    starts_at: datetime
    ends_at: datetime
    uses: int
    uses_left: int | None
    last_entry: Entry | None
    is_car_refused: bool
    is_fire: bool
    reason: str
    doors: list[VisitorDoor]
    text: str | None
    digits: str | None
    screen_key: bytes | None


@dataclass(frozen=True, slots=True)
class Linked:
    """What is on the page whether or not it opens anything now."""

    pass_id: UUID | None
    state: str
    compound_name: str
    guest_name: str
    message: str
    starts_at: datetime
    ends_at: datetime
    uses_left: int | None
    uses: int = 0
    last_entry: Entry | None = None
    is_car_refused: bool = False
    is_fire: bool = False
    reason: str = ""
    """Why the request was rejected; why a pass was revoked may tell of the house's people."""


async def linked(secret: str) -> Linked | None:
    """What a link leads to now; of a template whose next pass is not made yet the next visit. None for a secret
    that nobody was given."""
    digest, now = sealed.link_hash(secret), clock.now()
    row = await database.fetchrow(PAGE, digest, now)
    if row is None or (row["template_id"] is not None and row["ends_at"] <= now):
        upcoming = await _upcoming(digest, now)
        if upcoming is not None or row is None:
            return upcoming
    allowed = row["uses_allowed"]
    left = None if allowed is None else max(allowed - row["uses"], 0)
    return Linked(
        row["pass_id"], row["state"], row["compound_name"], row["guest_name"], row["message"], row["starts_at"],
        row["ends_at"], left, row["uses"], _entry(row), row["is_car_refused"], row["is_fire"],
        row["reason"],
    )  # fmt: skip


def _entry(row: asyncpg.Record) -> Entry | None:
    return Entry(row["entered_at"], row["entered_by"]) if row["entered_at"] else None


async def _upcoming(digest: bytes, now: datetime) -> Linked | None:
    row = await database.fetchrow(TEMPLATE, digest)
    if row is None or row["ended_at"] is not None:
        return None
    weekly = Weekly(row["weekdays"], row["from_minute"], row["until_minute"], row["until_on"])
    window = next(weekly.occasions(now, visits.A_WEEK), None)
    if window is None:
        return None
    return Linked(
        None, "active", row["compound_name"], row["guest_name"], row["message"], window.starts_at, window.ends_at,
        row["uses_allowed"],
    )  # fmt: skip
