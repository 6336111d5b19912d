"""The town of a walk over payments: two processes that answer and one that asks, each killed and started again, and the
platforms that all of them reach."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import aiohttp

if TYPE_CHECKING:  # its module starts the processes
    from tests.faults.conftest import Nursery

Told = dict[str, Any]  # Any: JSON
Process = Literal["first", "second", "worker"]

PROCESSES: Final[tuple[Process, ...]] = ("first", "second", "worker")
PERSON: Final = "陈静"
# More than that many steps are not under way at once.
MOST_AT_ONCE: Final = 16
# A step takes milliseconds, and a second where a process is started again.
_PATIENCE_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process said."""

    status: int
    body: bytes


@dataclass
class Town:
    """Every step runs beside up to fifteen others; what fails in one is raised by whichever is begun next."""

    nursery: Nursery
    http: aiohttp.ClientSession
    platform_url: str
    arguments: tuple[str, ...]
    ports: tuple[int, int]
    paths: dict[str, str]
    buyers: dict[str, str]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    pids: dict[Process, int] = field(default_factory=dict)
    done: int = 0
    kills: int = 0
    under_way: set[asyncio.Task[bool]] = field(default_factory=set)

    def start(self) -> None:
        """Let all processes live."""
        for name in PROCESSES:
            self._spawn(name)

    def kill(self, name: Process) -> None:
        """End a process in the midst of whatever it does, and start it again."""
        self.nursery.kill(self.pids[name])
        self._spawn(name)
        self.kills += 1

    def _spawn(self, name: Process) -> None:
        role, port = ("api", PROCESSES.index(name)) if name != "worker" else ("worker", self.kills % 2)
        self.pids[name] = self.nursery.spawn(role, *self.arguments, str(self.ports[port]))

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """From the thread in which the walk is drawn: do it in the loop, and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self.loop).result(_PATIENCE_S)

    async def begin(self, *steps: Coroutine[Any, Any, bool]) -> None:
        """Begin steps in the same instant; come back as soon as there is room for more."""
        self.under_way |= {asyncio.create_task(step) for step in steps}
        while len(self.under_way) >= MOST_AT_ONCE:
            await self._come(asyncio.FIRST_COMPLETED)

    async def finish(self) -> None:
        """Nothing is under way any more."""
        while self.under_way:
            await self._come(asyncio.ALL_COMPLETED)

    async def abandon(self) -> None:
        """What is under way is of no interest any more."""
        for step in self.under_way:
            step.cancel()
        await asyncio.gather(*self.under_way, return_exceptions=True)
        self.under_way = set()

    async def _come(self, when: str) -> None:
        come, self.under_way = await asyncio.wait(self.under_way, return_when=when)
        self.done += sum(step.result() for step in come)

    async def post(self, api: int, path: str, **more: Any) -> Answer | None:  # Any: of the client's
        """An answer, of the other process where this one is dead; None where it was killed before it answered."""
        for turn in range(600):
            url = f"http://127.0.0.1:{self.ports[(api + turn) % 2]}{path}"
            try:
                async with self.http.post(url, **more) as answer:
                    return Answer(answer.status, await answer.read())
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.1 * (turn % 2))
            except aiohttp.ClientError:
                return None
        raise AssertionError("it did not come up again")

    async def at_platform(self, path: str, **more: Any) -> None:  # Any: of the client's
        """What somebody does at the platforms."""
        async with self.http.post(self.platform_url + path, **more) as answer:
            assert answer.status < 400, await answer.text()
