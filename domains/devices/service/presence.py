"""Whether devices are heard (在线状态)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domains.kernel import database

WRITTEN_EVERY_S = 30.0
"""A device that is heard all the time is written about twice a minute, or three times within the silence that
counts as offline where that is shorter."""

# What came later is known by our clock: a goodbye that is handled late does not count against what was heard
# since, and the other way round. Rows are locked in one order, so that two processes never wait for each other.
SEEN = """
WITH news AS (
    SELECT d.id, s.is_online, s.at
    FROM unnest($1::uuid[], $2::boolean[], $3::timestamptz[]) AS s (id, is_online, at) JOIN device d ON d.id = s.id
    WHERE d.state <> 'retired' AND CASE WHEN s.is_online
        THEN (d.offline_since IS NULL OR d.offline_since <= s.at)
            AND (d.is_online IS NOT TRUE OR d.last_seen_at IS NULL
                OR d.last_seen_at <= s.at - make_interval(secs => least($4, d.silent_after_s / 3.0)))
        ELSE d.is_online IS NOT FALSE AND (d.last_seen_at IS NULL OR d.last_seen_at <= s.at) END
    ORDER BY d.id FOR NO KEY UPDATE OF d)
UPDATE device d SET is_online = n.is_online, offline_since = CASE WHEN NOT n.is_online THEN n.at END,
    last_seen_at = CASE WHEN n.is_online THEN greatest(d.last_seen_at, n.at) ELSE d.last_seen_at END
FROM news n WHERE n.id = d.id
"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device was heard, or said goodbye, at this time of ours."""

    device_id: UUID
    at: datetime
    is_online: bool = True


async def seen(sightings: Iterable[Sighting]) -> int:
    """Take note, of each device its last; how many rows were worth writing. Who is no device, or retired, is
    passed over."""
    last = {each.device_id: each for each in sorted(sightings, key=lambda each: each.at)}
    if not last:
        return 0
    columns = [list(last), [each.is_online for each in last.values()], [each.at for each in last.values()]]
    return await database.execute(SEEN, *columns, WRITTEN_EVERY_S)
