"""How sending goes (投递概况): what is on its way and what became of the rest, for who watches the installation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domains.kernel import database

BACKLOG = """
SELECT (SELECT count(*) FROM delivery WHERE state = 'sending') AS in_flight,
    (SELECT coalesce(extract(epoch FROM $1 - min(due_at)), 0)::float8 FROM delivery
     WHERE state = 'pending' AND is_urgent AND due_at <= $1) AS oldest_urgent_s,
    (SELECT coalesce(extract(epoch FROM $1 - min(due_at)), 0)::float8 FROM delivery
     WHERE state = 'pending' AND NOT is_urgent AND due_at <= $1) AS oldest_s
"""

TRIED = """
SELECT d.channel, a.outcome, count(*) AS number,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.ended_at - a.began_at))::float8 AS median_s,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM a.ended_at - a.began_at))::float8 AS slow_s
FROM delivery_attempt a JOIN delivery d ON d.id = a.delivery_id WHERE a.ended_at > $1 GROUP BY 1, 2
"""

SETTLED = """
SELECT channel, state, count(*) AS number FROM delivery WHERE settled_at > $1 GROUP BY channel, state
"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is on its way: deliveries in flight, seconds that the oldest due one of each lane waits."""

    in_flight: int
    oldest_urgent_s: float
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Settled:
    """How many deliveries of a channel ended in a state."""

    channel: str
    state: str
    number: int


@dataclass(frozen=True, slots=True)
class Tried:
    """Attempts by a channel of one outcome, and the seconds that half and 95 % of them took at most."""

    channel: str
    outcome: str
    number: int
    median_s: float
    slow_s: float


async def backlog(now: datetime) -> Backlog:
    """What is on its way; reads what is not settled and nothing else."""
    row = await database.fetchrow(BACKLOG, now)
    assert row is not None, "a row of aggregates"
    return Backlog(**row)


async def settled_since(since: datetime) -> list[Settled]:
    """What ended since then."""
    return [Settled(**row) for row in await database.fetch(SETTLED, since)]


async def tried_since(since: datetime) -> list[Tried]:
    """What was tried since then."""
    return [Tried(**row) for row in await database.fetch(TRIED, since)]
