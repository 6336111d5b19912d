"""Cursors of what happens (实时游标): where a listener is, as clients keep it."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from domains.kernel.errors import Invalid
from notifications.viewer_events import Place
from schema.relay import cursor, read_cursor

SORT = "viewer-events"
_SNAPSHOT = re.compile(r"([0-9]{1,19}):([0-9]{1,19}):((?:[0-9]{1,19},)*[0-9]{1,19})?")
_MOST = 2**63


def event_cursor(place: Place) -> str:
    """The cursor of a place."""
    keys = place.cluster, _shorter(place.snapshot), place.at
    if place.upto is None or place.last is None:
        return cursor(SORT, *keys)
    return cursor(SORT, *keys, _shorter(place.upto), *place.last)


def read_event_cursor(text: str) -> Place:
    """The place of a cursor. Raises Invalid BAD_CURSOR for any other text."""
    try:
        match read_cursor(text, SORT):
            case (int(cluster), str(seen), datetime() as at):
                return Place(_cluster(cluster), _longer(seen), at)
            case (int(cluster), str(seen), datetime() as at, str(upto), datetime() as last_at, UUID() as id):
                return Place(_cluster(cluster), _longer(seen), at, _longer(upto), (last_at, id))
    except (Invalid, ValueError):
        pass
    raise Invalid("BAD_CURSOR", "更新位置无效,请刷新后重新订阅", "after")


def _shorter(snapshot: str) -> str:
    """Counted from the first number: hundreds of writers at once make hundreds of large numbers."""
    first, end, running = snapshot.split(":")
    others = ",".join(str(int(each) - int(first)) for each in running.split(",") if each)
    return f"{first}:{int(end) - int(first)}:{others}"


def _longer(text: str) -> str:
    """The snapshot. ValueError for one that the database would not take."""
    parts = _SNAPSHOT.fullmatch(text)
    if parts is None:
        raise ValueError("not a snapshot")
    first, width = int(parts[1]), int(parts[2])
    running = [int(each) for each in (parts[3] or "").split(",") if each]
    if first + width >= _MOST or 0 in (first % 2**32, (first + width) % 2**32):
        raise ValueError("not the numbers of transactions")
    if running != sorted(running) or (running and running[-1] >= width):
        raise ValueError("not between the bounds")
    return f"{first}:{first + width}:{','.join(str(first + each) for each in running)}"


def _cluster(number: int) -> int:
    if not -_MOST <= number < _MOST:
        raise ValueError("not a cluster")
    return number
