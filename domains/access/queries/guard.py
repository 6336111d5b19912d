"""What a guard has on the screen (保安工作台): who is expected, who is inside, and whom a code belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domains.access import permissions
from domains.access.queries.passes import FROM, ROW, Search, VisitorPass, for_staff, from_row
from domains.access.rules import TOLERANCE
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.kernel.errors import Invalid

MOST_SHOWN, MOST_FOUND = 200, 50
SEEN_INSIDE = timedelta(hours=24)
"""Gates that nobody scans at on the way out say of nobody that they left."""

_HERE = "v.compound_id = $2 AND ($3::uuid[] IS NULL OR h.building_id = ANY($3::uuid[]))"
_EXPECTED = """v.state IN ('requested', 'active') AND v.starts_at < $5 AND v.ends_at > $4::timestamptz - $6::interval
    AND v.inside_since IS NULL"""
_INSIDE = "v.inside_since > $4::timestamptz - $7::interval"

SHOWN = f"""
(SELECT {ROW} FROM {FROM} WHERE {_HERE} AND {_EXPECTED}
 ORDER BY v.state = 'requested' DESC, v.starts_at, v.id LIMIT {MOST_SHOWN})
UNION ALL
(SELECT {ROW} FROM {FROM} WHERE {_HERE} AND {_INSIDE}
 ORDER BY v.inside_since DESC, v.id LIMIT {MOST_SHOWN})
"""

COUNTS = f"""
SELECT p.*, r.* FROM (
    SELECT count(*) FILTER (WHERE v.state = 'requested' AND {_EXPECTED}) AS waiting,
        count(*) FILTER (WHERE v.state = 'active' AND {_EXPECTED}) AS expected,
        count(*) FILTER (WHERE {_INSIDE}) AS inside
    FROM visitor_pass v JOIN house h ON h.id = v.house_id
    WHERE {_HERE} AND (v.state IN ('requested', 'active') OR {_INSIDE})) AS p,
(SELECT count(*) FILTER (WHERE a.result = 'opened' AND a.direction <> 'out') AS admitted,
    count(*) FILTER (WHERE a.result = 'refused') AS refused
    FROM access_record a JOIN house h ON h.id = a.house_id
    WHERE a.compound_id = $2 AND ($3::uuid[] IS NULL OR h.building_id = ANY($3::uuid[]))
        AND a.visitor_pass_id IS NOT NULL AND a.at >= $1 AND a.at < $5) AS r
"""


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """Passes that wait for a decision, that are expected today, whose holders are inside; and of today's attempts of
    visitors those that were let in and those that were not."""

    waiting: int
    expected: int
    inside: int
    admitted: int
    refused: int


@dataclass(frozen=True, slots=True)
class GuardDesk:
    """A compound's visitors today; each list has at most 200."""

    compound_id: UUID
    expected: Sequence[VisitorPass]
    inside: Sequence[VisitorPass]
    counts: DeskCounts


@sensitive_read("guard.desk", caller="staff", permission=permissions.VISITORS_READ)
async def guard_desk(actor: Actor, compound_id: UUID) -> GuardDesk:
    """What is to come and who is in, of the houses that the caller may see; requests before what is agreed."""
    concerns("VisitorPass", None, compound_id)
    actor.require(permissions.VISITORS_READ, compound_id)
    reached = actor.buildings(permissions.VISITORS_READ, compound_id)
    midnight, next_midnight = clock.business_day_bounds(clock.today())
    within = (
        compound_id,
        None if reached is None else list(reached),
        clock.now(),
        next_midnight,
        TOLERANCE,
        SEEN_INSIDE,
    )
    shown = [from_row(row) for row in await database.fetch(SHOWN, actor.id, *within)]
    counts = await database.fetchrow(COUNTS, midnight, *within)
    assert counts is not None, "counts are one row"
    return GuardDesk(
        compound_id, [each for each in shown if each.inside_since is None],
        [each for each in shown if each.inside_since is not None], DeskCounts(**counts),
    )  # fmt: skip


async def guard_search(actor: Actor, compound_id: UUID, words: str) -> list[VisitorPass]:
    """Today's passes, walk-ins included, by a part of the name or plate, or by the phone or its last four digits; at most
    50, in the order in which they begin. Raises Invalid SEARCH_EMPTY."""
    if not words.strip():
        raise Invalid("SEARCH_EMPTY", "请输入姓名、手机尾号或车牌", "words")
    today = Search(on_day=clock.today(), words=words)
    return await for_staff(actor, compound_id, today, after=None, limit=MOST_FOUND)
