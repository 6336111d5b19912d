"""The courier of notifications (通知投递): each is sent until it is taken, on its platform's schedule."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import httpx

from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.faults import NOTICE_FAULTS, Fault, Faults
from miniprogram_stub.platform.happenings import pass_time
from miniprogram_stub.platform.notices import (
    Notice,
    delivered,
    due_notices,
    failed,
    next_moment,
    postpone,
    release_held,
)
from miniprogram_stub.platform.trades import Platform

_LONGEST_NAP: Final = 60.0
_LOCKED_NAP: Final = 1.0
_OVERTAKEN_WITHIN: Final = 30.0  # a held notification goes by itself when no other comes


@dataclass(frozen=True, slots=True)
class Letter:
    """One delivery, ready to be posted."""

    headers: dict[str, str]
    body: bytes


class Notices(Protocol):
    """How a platform writes its notifications, how often, and what it takes for an answer."""

    @property
    def gaps(self) -> tuple[int, ...]:
        """Seconds before each repetition."""

    @property
    def patience_seconds(self) -> float:
        """How long it waits for the answer."""

    def letter(self, notice: Notice, fault: str) -> Letter:
        """The notification signed now, with the fault in it."""

    def accepted(self, answer: httpx.Response) -> bool:
        """Whether the merchant took it."""


class Courier:
    """Runs beside the requests; `speed_up` divides the schedule's gaps."""

    def __init__(
        self, books: Books, faults: Faults, notices: Mapping[Platform, Notices], speed_up: float
    ) -> None:
        self._books = books
        self._faults = faults
        self._notices = notices
        self._speed_up = speed_up
        self._bell = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Something happened that may be worth telling."""
        self._bell.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with httpx.AsyncClient(trust_env=False) as http:
            try:
                while True:
                    self._bell.clear()
                    await self._nap(await self._send_what_is_due(http))
            finally:
                for task in self._under_way.values():
                    task.cancel()

    async def _send_what_is_due(self, http: httpx.AsyncClient) -> float | None:
        """When to look again, unless somebody rings before."""
        try:
            due, moment = await self._books.transact(_look, tuple(self._under_way))
        except sqlite3.OperationalError:  # somebody else holds the file: people may look into it
            return time.time() + _LOCKED_NAP
        for notice in due:
            self._send_off(notice.id, self._deliver(http, notice))
        return moment

    def _send_off(self, notice_id: int, delivery: Coroutine[Any, Any, None]) -> None:
        def returned(_task: asyncio.Task[None]) -> None:
            del self._under_way[notice_id]
            self.wake()

        task = asyncio.create_task(delivery)
        self._under_way[notice_id] = task
        task.add_done_callback(returned)

    async def _nap(self, moment: float | None) -> None:
        seconds = _LONGEST_NAP if moment is None else min(moment - time.time(), _LONGEST_NAP)
        try:
            async with asyncio.timeout(max(seconds, 0)):  # wait_for may swallow the cancellation that ends us
                await self._bell.wait()
        except TimeoutError:
            return

    async def _deliver(self, http: httpx.AsyncClient, notice: Notice) -> None:
        fault = None if notice.held else self._faults.take(notice.platform, "notify", NOTICE_FAULTS)
        if fault and fault.kind in ("delay", "reorder"):
            seconds = fault.seconds or (_OVERTAKEN_WITHIN if fault.kind == "reorder" else 0)
            until = time.time() + seconds
            await self._books.transact(postpone, notice.id, until, held=fault.kind == "reorder")
            return
        taken, answer = await self._post(http, notice, fault)
        await self._books.transact(_keep, notice, taken, answer, self._next_try(notice))

    async def _post(self, http: httpx.AsyncClient, notice: Notice, fault: Fault | None) -> tuple[bool, str]:
        kind = fault.kind if fault else ""
        if kind == "drop":
            return False, "lost on the way"
        copies = fault.copies if fault and kind == "duplicate" else 0
        answers = await asyncio.gather(*(self._post_once(http, notice, kind) for _ in range(1 + copies)))
        return max(answers, key=lambda answer: answer[0])

    async def _post_once(self, http: httpx.AsyncClient, notice: Notice, fault: str) -> tuple[bool, str]:
        platform = self._notices[notice.platform]
        letter = platform.letter(notice, fault)
        try:
            answer = await http.post(
                notice.url, content=letter.body, headers=letter.headers, timeout=platform.patience_seconds
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return False, type(error).__name__
        return platform.accepted(answer), f"{answer.status_code} {answer.text}"

    def _next_try(self, notice: Notice) -> float | None:
        gaps = self._notices[notice.platform].gaps
        if notice.tries >= len(gaps):
            return None
        return time.time() + gaps[notice.tries] / self._speed_up


def _look(rows: sqlite3.Connection, under_way: tuple[int, ...]) -> tuple[list[Notice], float | None]:
    now = time.time()
    pass_time(rows, now)
    return due_notices(rows, under_way, now), next_moment(rows, now)


def _keep(rows: sqlite3.Connection, notice: Notice, taken: bool, answer: str, next_try: float | None) -> None:
    now = time.time()
    if taken:
        delivered(rows, notice.id, answer, now)
    else:
        failed(rows, notice.id, answer, next_try)
    release_held(rows, notice.platform, now)
