"""A nursery of processes to be killed, and the table in which they leave their traces."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from api.instance import Addresses
from api.settings import REPOSITORY
from domains.kernel import database
from tests.conftest import administer
from tests.faults.worker import EFFECTS


class Nursery:
    """Starts processes of tests/faults/worker.py, or of another that forks as it does, and knows which of them live."""

    def __init__(self, module: str = "tests.faults.worker") -> None:
        self.living: list[int] = []
        self._parent = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def spawn(self, role: str, *arguments: str) -> int:
        """A process that plays the role; its id."""
        assert self._parent.stdin is not None and self._parent.stdout is not None
        self._parent.stdin.write(" ".join((role, *arguments)) + "\n")
        self._parent.stdin.flush()
        self.living.append(pid := int(self._parent.stdout.readline()))
        return pid

    def kill(self, pid: int) -> None:
        """End a process without a word of warning."""
        self.living.remove(pid)
        os.kill(pid, signal.SIGKILL)

    def ended(self, pid: int) -> bool:
        """Whether the process is gone."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    async def end_of(self, pid: int, limit_s: float = 60.0) -> None:
        """Wait until the process ended by itself."""
        await eventually(lambda: _now(self.ended(pid)), limit_s)
        self.living.remove(pid)

    def close(self) -> None:
        """End all that live, then the parent."""
        for pid in self.living:
            if not self.ended(pid):
                os.kill(pid, signal.SIGKILL)
        assert self._parent.stdin is not None and self._parent.stdout is not None
        self._parent.stdin.close()
        self._parent.wait(10)
        self._parent.stdout.close()


async def _now(value: bool) -> bool:
    return value


async def eventually(condition: Callable[[], Awaitable[object]], limit_s: float = 60.0) -> None:
    """Wait until the condition holds; AssertionError when it takes longer."""
    end = time.monotonic() + limit_s
    while not await condition():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.05)


async def effects(what: str) -> list[tuple[str, int]]:
    """Subject and number of the traces of a kind, in order."""
    rows = await database.fetch("SELECT subject, number FROM effect WHERE what = $1 ORDER BY place", what)
    return [(row["subject"], row["number"]) for row in rows]


@pytest.fixture(scope="session")
def shared_nursery() -> Iterator[Nursery]:
    """One for the run: its imports take longer than its processes."""
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def nursery(shared_nursery: Nursery) -> Iterator[Nursery]:
    """Whatever a test started has ended after it."""
    yield shared_nursery
    for pid in list(shared_nursery.living):
        if not shared_nursery.ended(pid):
            os.kill(pid, signal.SIGKILL)
        shared_nursery.living.remove(pid)


@pytest.fixture(scope="module")
async def traces(instance: object, addresses: Addresses) -> AsyncIterator[None]:
    """The table of traces in this module's database."""
    await administer(addresses.owner_url, EFFECTS)
    yield


@pytest.fixture
async def empty(traces: None) -> AsyncIterator[None]:
    """Every test begins without traces, messages and runs."""
    yield
    for table in ("effect", "outbox_message", "handled_event", "job_run", "job_pause"):
        await database.execute(f"DELETE FROM {table}")
