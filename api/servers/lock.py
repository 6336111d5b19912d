"""Locks of the kernel's own: they end with the last process that holds them, however it ended."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from api.servers.errors import StillLocked

_POLL_SECONDS = 0.02


def try_lock(fd: int, *, shared: bool = False) -> bool:
    """Takes (or converts to) an exclusive or a shared lock at once, or says that it is not to be had."""
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@asynccontextmanager
async def locked(path: Path, seconds: float) -> AsyncIterator[int]:
    """Holds `path` (a folder or a file) exclusively and gives the descriptor.

    The end closes the descriptor and does not unlock: a server that inherited it keeps the lock
    for as long as any of its processes lives. Raises StillLocked after `seconds`.
    """
    fd = os.open(path, os.O_RDONLY)
    try:
        deadline = time.monotonic() + seconds
        while not try_lock(fd):
            if time.monotonic() > deadline:
                raise StillLocked(path, seconds)
            await asyncio.sleep(_POLL_SECONDS)
        yield fd
    finally:
        os.close(fd)
