"""A folder in memory for servers whose data nobody wants after the run.

Every module's database is some nine hundred files, made when it begins and removed when it ends. ext4 does not give out
again what was removed a few minutes ago, and looks through all of it for each new file: on a disk that takes six times
as long as the copying itself.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from api.servers.lock import try_lock
from api.servers.supervisor import Supervisor

MEMORY: Final = Path("/dev/shm")
# What the servers of one run may come to need, several times over.
ROOM: Final = 3 * 2**30
_NEW: Final = "linli-new-"
_IN_USE: Final = "linli-test-"


@contextmanager
def folder(otherwise: Path) -> Iterator[Path]:
    """One of this run's own, removed at its end; `otherwise` where files in memory are not to be had, or too few."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        yield otherwise
        return
    _remove_abandoned()
    if shutil.disk_usage(MEMORY).free < ROOM:
        yield otherwise
        return
    made = Path(tempfile.mkdtemp(prefix=_NEW, dir=MEMORY))
    used = os.open(made, os.O_RDONLY)
    try_lock(used)
    # Only now can another run find it, and see that it is in use.
    made = made.rename(made.with_name(made.name.replace(_NEW, _IN_USE)))
    try:
        yield made
    finally:
        shutil.rmtree(made)
        os.close(used)


def _remove_abandoned() -> None:
    """Stop the servers of runs that were killed, and forget what they kept."""
    for each in MEMORY.glob(f"{_IN_USE}*"):
        if each.stat().st_uid != os.geteuid():
            continue
        used = os.open(each, os.O_RDONLY)
        try:
            if try_lock(used):
                asyncio.run(_stop(each))
                shutil.rmtree(each)
        finally:
            os.close(used)


async def _stop(root: Path) -> None:
    """The last to leave stops what it finds running."""
    supervisor = Supervisor(root, durable=False)
    await supervisor.start(with_postgres=False, with_valkey=False)
    await supervisor.stop()
