"""Looking at the private servers from outside."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil
from redis.asyncio import Redis

from api.servers import Child, Servers, Supervisor
from api.servers.state import State, read_state

REPOSITORY = Path(__file__).parents[4]


@asynccontextmanager
async def running(root: Path, *children: Child) -> AsyncIterator[Servers]:
    supervisor = Supervisor(root, durable=False)
    servers = await supervisor.start(children=children)
    try:
        yield servers
    finally:
        await supervisor.stop()


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        answer: object = await connection.fetchval(sql)
        return answer
    finally:
        await connection.close()


async def ping(url: str) -> bool:
    async with Redis.from_url(url) as client:
        return bool(await client.ping())


def known(root: Path, name: str) -> State:
    state = read_state(root / name)
    assert state
    return state


def processes_of(root: Path) -> list[psutil.Process]:
    """Every process that works in this root or names it in its command line, and every zombie of ours."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "cwd", "ppid", "status"])
        if (
            process.info["ppid"] == os.getpid()
            if process.info["status"] == psutil.STATUS_ZOMBIE
            else str(root) in f"{process.info['cwd']} {process.info['cmdline']}"
        )
    ]
