"""What changed for a person, in the order in which a listener can miss nothing of it (实时事件).

A row is written with its cause and kept for some days. A listener's place is the database's snapshot
of its last read: what was not finished then is what it has not seen, whatever the rows' order, so
that it may be away, or move to another process, and go on without a gap and without a repetition.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

import asyncpg

from domains.kernel import clock, database, live
from domains.kernel.errors import Invalid
from domains.kernel.ids import uuid7

KEPT = timedelta(days=3)
PAGE = 100

NOTED = "INSERT INTO viewer_event (id, account_id, name, subject_type, subject_id, at)"
"""How a statement that writes a cause begins the part that notes it; `wake` those accounts afterwards."""

TELL = f"""
{NOTED}
SELECT told.id, told.account_id, $3, $4, $5, $6 FROM unnest($1::uuid[], $2::uuid[]) AS told (id, account_id)
"""  # noqa: S608  # put together from constants

# For many listeners at once, each from a place of its own: what is finished now, or in `upto`, and was
# not finished in `snapshot`. Who has no place yet sees nothing, and learns where it is.
SINCE = """
SELECT asked.number, here.cluster, here.snapshot, e.id, e.name, e.subject_type, e.subject_id, e.at
FROM (SELECT system_identifier AS cluster, pg_current_snapshot()::text AS snapshot FROM pg_control_system()) AS here
CROSS JOIN unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::uuid[])
    WITH ORDINALITY AS asked (account_id, cluster, snapshot, upto, last_at, last_id, number)
LEFT JOIN LATERAL (
    SELECT id, name, subject_type, subject_id, at FROM viewer_event
    WHERE account_id = asked.account_id AND cluster_id = asked.cluster
      AND transaction_id >= pg_snapshot_xmin(asked.snapshot::pg_snapshot)
      AND NOT pg_visible_in_snapshot(transaction_id, asked.snapshot::pg_snapshot)
      AND (asked.upto IS NULL OR (
          pg_visible_in_snapshot(transaction_id, asked.upto::pg_snapshot)
          AND (at, id) > (asked.last_at, asked.last_id)))
    ORDER BY at, id LIMIT $7) AS e ON true
ORDER BY asked.number, e.at, e.id
"""

PURGE = """
DELETE FROM viewer_event WHERE id IN (SELECT id FROM viewer_event WHERE at < $1 ORDER BY at LIMIT $2)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listener is: it has seen all that is finished in `snapshot` of the database cluster, which
    was read at `at`; and of what is finished in a later one, `upto`, what comes up to `last`."""

    cluster: int
    snapshot: str
    at: datetime
    upto: str | None = None
    last: tuple[datetime, UUID] | None = None


@dataclass(frozen=True, slots=True)
class ViewerEvent:
    """Something that changed; the subject is a GraphQL type and an id, or nothing. `place` is where one is
    who has seen it and what came before."""

    id: UUID
    name: str
    subject_type: str
    subject_id: UUID | None
    at: datetime
    place: Place


@dataclass(frozen=True, slots=True)
class Seen:
    """A page of events, the place after it, and whether there is another page already."""

    events: list[ViewerEvent]
    place: Place
    more: bool = False


Asked = tuple[UUID, Place | None]
"""An account, and where its listener is; None where it begins."""


def channel_of(account_id: UUID) -> str:
    """The name by which an account's listeners are woken."""
    return f"viewer:{account_id}"


async def tell(
    account_ids: Collection[UUID], name: str, *, subject_type: str = "", subject_id: UUID | None = None
) -> None:
    """Note in the open transaction that something of theirs changed; whoever looks learns it after the commit."""
    if account_ids:
        ids = [uuid7() for _ in account_ids]
        await database.execute(TELL, ids, list(account_ids), name, subject_type, subject_id, clock.now())
        await wake(account_ids)


async def wake(account_ids: Collection[UUID]) -> None:
    """Have the listeners of these accounts read, after the commit."""
    await live.wake([channel_of(each) for each in account_ids])


async def here() -> Place:
    """The place of who has just read everything."""
    return (await _one(UUID(int=0), None)).place


async def since(account_id: UUID, place: Place) -> tuple[list[ViewerEvent], Place]:
    """What an account has not seen, at most a page, and the place after it; Invalid CURSOR_EXPIRED for a
    place that is too old, or of another database."""
    seen = await _one(account_id, place)
    return seen.events, seen.place


async def _one(account_id: UUID, place: Place | None) -> Seen:
    [seen] = await since_all([(account_id, place)])
    return require(seen)


def require(seen: Seen | None) -> Seen:
    """What was read. Raises Invalid CURSOR_EXPIRED where there is nothing to go on from."""
    if seen is None:
        raise Invalid("CURSOR_EXPIRED", "离开太久,部分更新已无法补发,请刷新后重试", "after")
    return seen


async def since_all(asked: Sequence[Asked]) -> list[Seen | None]:
    """What each has not seen, in one statement; None for a place that is too old, or of another database."""
    places = [place for _, place in asked]
    last = [(each and each.last) or (None, None) for each in places]
    rows = await database.fetch(
        SINCE, [account_id for account_id, _ in asked], [each and each.cluster for each in places],
        [each and each.snapshot for each in places], [each and each.upto for each in places],
        [at for at, _ in last], [id for _, id in last], PAGE + 1,
    )  # fmt: skip
    found = groupby(rows, key=lambda row: row["number"])
    return [_seen(place, list(own)) for place, (_, own) in zip(places, found, strict=True)]


def _seen(place: Place | None, rows: Sequence[asyncpg.Record]) -> Seen | None:
    now, here = clock.now(), rows[0]
    if place is None:
        return Seen([], Place(here["cluster"], here["snapshot"], now))
    if here["cluster"] != place.cluster or now - place.at > KEPT:
        return None
    # The end of a page that was begun is as old as its beginning: its rows may be gone as early.
    end = Place(place.cluster, place.upto or here["snapshot"], place.at if place.upto else now)
    shown = [row for row in rows[:PAGE] if row["id"] is not None]
    more = len(rows) > PAGE
    events = [_event(row, _after(row, place, end)) for row in shown]
    if events and not more:
        events[-1] = _event(shown[-1], end)
    return Seen(events, events[-1].place if events else end, more or place.upto is not None)


def _after(row: asyncpg.Record, place: Place, end: Place) -> Place:
    return Place(place.cluster, place.snapshot, place.at, end.snapshot, (row["at"], row["id"]))


def _event(row: asyncpg.Record, place: Place) -> ViewerEvent:
    return ViewerEvent(row["id"], row["name"], row["subject_type"], row["subject_id"], row["at"], place)


async def purge(batch: int = 5000) -> int:
    """Forget what nobody can ask for any more, by batches; the number of events."""
    total, before = 0, clock.now() - KEPT - timedelta(hours=1)
    while count := await database.execute(PURGE, before, batch):
        total += count
    return total
