"""Whether the sessions of open connections still count (会话监视)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from weakref import WeakValueDictionary

import structlog

from domains.identity.queries import live_among
from domains.identity.tokens import Claims
from domains.kernel.faults import place

WATCH_S = 5.0
"""How late an open connection may learn that its session has ended."""
MOST_AT_ONCE = 500

log = structlog.get_logger(__name__)


class Watch:
    """Looks after all sessions that have a connection to this process, together. It looks without being
    seen: a connection that is merely open must not keep a session from idling out."""

    def __init__(self) -> None:
        # Who waits holds the event; nobody need say that they left.
        self._ends: WeakValueDictionary[Claims, asyncio.Event] = WeakValueDictionary()
        self._watcher: asyncio.Task[None] | None = None

    async def ended(self, claims: Claims | None) -> None:
        """Returns when the session no longer counts; without claims there is none, and it never ends."""
        end = asyncio.Event()
        if claims is not None:
            end = self._ends.setdefault(claims, end)
            if self._watcher is None or self._watcher.done():
                self._watcher = asyncio.create_task(self._look_after_all())
        await end.wait()

    async def _look_after_all(self) -> None:
        while self._ends:
            await asyncio.sleep(WATCH_S)
            watched = list(self._ends)
            for start in range(0, len(watched), MOST_AT_ONCE):
                await self._look_after(watched[start : start + MOST_AT_ONCE])

    async def _look_after(self, watched: Sequence[Claims]) -> None:
        try:
            live = await live_among(watched)
        except Exception as error:  # the database is away: it is asked again in a moment
            log.warning("session.watch_failed", **place(error))
            return
        for claims in watched:
            if claims not in live and (end := self._ends.get(claims)) is not None:
                end.set()
