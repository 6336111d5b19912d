"""Who waits in this process for what becomes of an order, and what is done behind the caller's back."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog

from domains.kernel.faults import place
from domains.kernel.slots import Slot

log = structlog.get_logger(__name__)


class Outcomes:
    """Bells by order, rung when one is settled, by whichever process."""

    def __init__(self) -> None:
        self._bells: dict[UUID, set[asyncio.Event]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @contextmanager
    def expected(self, command_id: UUID) -> Iterator[asyncio.Event]:
        """A bell for as long as the block runs."""
        bell = asyncio.Event()
        self._bells.setdefault(command_id, set()).add(bell)
        try:
            yield bell
        finally:
            self._bells[command_id].discard(bell)
            if not self._bells[command_id]:
                del self._bells[command_id]

    def waited_for(self, command_ids: Collection[UUID]) -> list[UUID]:
        """Those of them that somebody here waits for."""
        return [each for each in command_ids if each in self._bells]

    def ring(self, command_ids: Collection[UUID]) -> None:
        """These are settled."""
        for id in command_ids:
            for bell in self._bells.get(id, ()):
                bell.set()

    def beside(self, work: Coroutine[None, None, None]) -> None:
        """Do it without anybody waiting for it; what is lost with the process is found by the jobs."""
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Stop what is done beside."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _logged(work: Coroutine[None, None, None]) -> None:
    try:
        await work
    except Exception as error:  # nobody waits who could be told
        log.error("doors.beside_failed", **place(error))


outcomes: Slot[Outcomes] = Slot("door outcomes")
