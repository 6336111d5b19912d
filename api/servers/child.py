"""A Python process of ours beside the app, such as the stand-ins for the WeChat and Alipay platforms."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.servers.account import STAY
from api.servers.process import Identity, Record, launch

STOP_STEPS = ((signal.SIGTERM, 10.0),)


@dataclass(frozen=True, slots=True)
class Child:
    """What to run: Python with `arguments(port)` in the folder `cwd`; it is to listen on 127.0.0.1:port.

    `env` is its whole environment; None passes ours on.
    """

    name: str
    arguments: Callable[[int], Sequence[str]]
    cwd: Path
    env: Mapping[str, str] | None = None


class ChildServer:
    """Runs one Child with its state in `children/<name>` below `root`."""

    stop_steps = STOP_STEPS
    # Its program is our own code, which may have changed since that run.
    survives_its_run = False

    def __init__(self, root: Path, child: Child) -> None:
        self.name = child.name
        self.home = root / "children" / child.name
        self.log = root / "log" / f"{child.name}.log"
        self._child = child

    async def prepare(self, lock: int) -> None:
        """Has no data of its own to prepare."""

    def launch(self, port: int, lock: int, record: Record) -> Identity:
        """Starts Python under our own user id."""
        return launch(
            [sys.executable, *self._child.arguments(port)], STAY, lock=lock, log=self.log,
            env=self._child.env, cwd=self._child.cwd, record=record,
        )  # fmt: skip

    async def answers(self, port: int) -> bool:
        """Whether it accepts connections."""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True
