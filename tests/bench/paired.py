"""Things that take turns, so that a machine's moods fall on all of them alike."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

Work = Callable[[], Awaitable[object]]
Cpu = Callable[[], Awaitable[float]]


async def own_cpu() -> float:
    """CPU seconds of this process."""
    return time.process_time()


@dataclass(frozen=True, slots=True)
class Side:
    """What is done once, the CPU seconds so far of the process that does it, and what each one needs
    beforehand, which is done for the whole round and not counted."""

    work: Work
    cpu: Cpu = own_cpu
    before: Work | None = None


@dataclass(slots=True)
class Cost:
    """Milliseconds of one piece of work, a value per round."""

    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    @property
    def wall_ms(self) -> float:
        """Milliseconds on the clock."""
        return median(self.walls)

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of CPU."""
        return median(self.cpus)

    @property
    def per_second(self) -> float:
        """How many a second, one after the other."""
        return 1000 / self.wall_ms

    def __str__(self) -> str:
        return f"{self.wall_ms:.2f} ms, CPU {self.cpu_ms:.2f} ms"


async def take_turns(sides: Sequence[Side], *, rounds: int, times: int) -> list[Cost]:
    """Each side does its work so many times in each round; the first round only warms up."""
    costs = [Cost() for _ in sides]
    for number in range(rounds + 1):
        for side, cost in zip(sides, costs, strict=True):
            wall, cpu = await _round(side, times)
            if number:
                cost.walls.append(wall)
                cost.cpus.append(cpu)
    return costs


async def _round(side: Side, times: int) -> tuple[float, float]:
    if side.before:
        for _ in range(times):
            await side.before()
    walls, cpu = [], await side.cpu()
    for _ in range(times):
        started = time.perf_counter()
        await side.work()
        walls.append(time.perf_counter() - started)
    return median(walls) * 1000, (await side.cpu() - cpu) / times * 1000


def wall_ratio(one: Cost, other: Cost) -> float:
    """Median over the rounds of the one's time in the other's."""
    return median(a / b for a, b in zip(one.walls, other.walls, strict=True))


def cpu_ratio(one: Cost, other: Cost) -> float:
    """Median over the rounds of the one's CPU in the other's."""
    return median(a / b for a, b in zip(one.cpus, other.cpus, strict=True))


async def microseconds(work: Callable[[], object], times: int = 500, rounds: int = 7) -> float:
    """Microseconds of a plain function, the median of the rounds."""

    async def loop() -> None:
        for _ in range(times):
            work()

    (cost,) = await take_turns([Side(loop)], rounds=rounds, times=1)
    return cost.wall_ms * 1000 / times
