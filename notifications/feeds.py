"""Following what changes for a person (实时订阅): what was missed, then what happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

import structlog

from domains.kernel.errors import DomainError, Unavailable
from domains.kernel.faults import place as place_of
from domains.kernel.gathering import Gathered
from domains.kernel.live import Hub
from domains.kernel.slots import Slot
from notifications import inbox, viewer_events
from notifications.viewer_events import Asked, Place, Seen, ViewerEvent

PATIENCE_S = 30.0
LOOK_AGAIN_S = 1.0

log = structlog.get_logger(__name__)


class Feeds:
    """Everybody who follows in this process: however many are woken together, they read together, and
    nothing waits for them anywhere but in the database."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._since: Gathered[Asked, Seen | None] = Gathered(_read)
        self.inbox_change: Gathered[inbox.Asked, inbox.Change] = Gathered(inbox.changes)
        """What a change of an inbox shows, by account, id of the notice (or None) and language."""

    async def follow(self, account_id: UUID, place: Place | None) -> AsyncGenerator[ViewerEvent, None]:
        """The events of an account after a place, or from now on, without an end.

        Raises Invalid CURSOR_EXPIRED, and in the course of it Unavailable LIVE_INTERRUPTED where the
        database is away for half a minute: the last event's place is where to go on.
        """
        first = viewer_events.require(await self._since((account_id, place)))
        return self._each(account_id, first)

    async def here(self) -> Place:
        """The place of who has just read everything."""
        return viewer_events.require(await self._since((UUID(int=0), None))).place

    async def _each(self, account_id: UUID, seen: Seen) -> AsyncGenerator[ViewerEvent, None]:
        with self._hub.listening(viewer_events.channel_of(account_id)) as bell:
            while True:
                for event in seen.events:
                    yield event
                if not seen.more:
                    await bell.wait()
                bell.clear()
                seen = await self._patiently(account_id, seen.place)

    async def _patiently(self, account_id: UUID, place: Place) -> Seen:
        for _ in range(int(PATIENCE_S / LOOK_AGAIN_S)):
            try:
                return viewer_events.require(await self._since((account_id, place)))
            except DomainError:
                raise
            except Exception:  # it is in the log, once for all who wait
                await asyncio.sleep(LOOK_AGAIN_S)
        raise Unavailable("LIVE_INTERRUPTED", "实时更新中断,请刷新后重试")


async def _read(asked: Sequence[Asked]) -> Sequence[Seen | None]:
    try:
        return await viewer_events.since_all(asked)
    except Exception as error:
        log.warning("feeds.unread", listeners=len(asked), **place_of(error))
        raise


feeds: Slot[Feeds] = Slot("feeds")
