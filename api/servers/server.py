"""How any private server comes up: adopt the process that lives, or start one and wait for its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from api.servers.errors import NotReady
from api.servers.lock import locked
from api.servers.process import Identity, Record, StopStep, stop
from api.servers.state import State, free_port, read_state, write_state

READY_SECONDS = 60.0
"""Long, because PostgreSQL may have to recover from a crash first."""

_ADOPT_SECONDS = 5.0
_LOCK_SECONDS = 30.0
_POLL_SECONDS = 0.01
_PORTS_TO_TRY = 3
_LOG_LINES = 20


class Server(Protocol):
    """One kind of private server; `home` is its own folder, which is also its lock."""

    @property
    def name(self) -> str: ...

    @property
    def home(self) -> Path: ...

    @property
    def log(self) -> Path: ...

    @property
    def stop_steps(self) -> Sequence[StopStep]: ...

    @property
    def survives_its_run(self) -> bool:
        """Whether a process left over from a killed run is as good as a new one."""
        ...

    async def prepare(self, lock: int) -> None:
        """Makes the data ready; nobody else uses it meanwhile."""
        ...

    def launch(self, port: int, lock: int, record: Record) -> Identity:
        """Starts the process on `port`, with `lock` inherited, and has `record` write it down."""
        ...

    async def answers(self, port: int) -> bool:
        """Whether it serves us now, found out by connecting."""
        ...


async def bring_up(server: Server, *, alone: bool) -> int:
    """The port of the server, adopted or started. `alone`: no other run uses it.

    Raises NotReady with the end of the log, StillLocked, and what `prepare` raises.
    """
    server.home.mkdir(parents=True, exist_ok=True)
    server.home.chmod(0o711)
    known = read_state(server.home)
    if known and known.process.alive():
        wanted = server.survives_its_run or not alone
        if wanted and await _becomes_ready(server, known, _ADOPT_SECONDS):
            return known.port
        await stop(known.process, server.stop_steps)
    async with locked(server.home, _LOCK_SECONDS) as lock:
        await server.prepare(lock)
        return await _start(server, known.port if known else 0, lock)


async def _start(server: Server, port: int, lock: int) -> int:
    for _ in range(_PORTS_TO_TRY):
        port = free_port(port)
        state = _launch(server, port, lock)
        if await _becomes_ready(server, state, READY_SECONDS):
            return port
        await stop(state.process, server.stop_steps)
        if free_port(port) == port:
            break
    raise NotReady(server.name, server.log, log_tail(server.log))


def _launch(server: Server, port: int, lock: int) -> State:
    process = server.launch(port, lock, lambda identity: write_state(server.home, State(identity, port)))
    return State(process, port)


async def _becomes_ready(server: Server, state: State, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while state.process.alive():
        if await server.answers(state.port):
            return state.process.alive()
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return False


def log_tail(log: Path) -> str:
    """The last lines of a log, which usually name the cause."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:]) if log.exists() else ""
