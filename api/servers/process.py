"""One process of ours: started in a session of its own, known by pid and start time, stopped in steps."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from api.servers.account import Account

_POLL_SECONDS = 0.02
_LOG_BYTES = 8 << 20
_CLEAN_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

StopStep = tuple[signal.Signals, float]
"""A signal, and how many seconds the process has for it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A pid means nothing by itself, because pids are used again: the start time tells them apart."""

    pid: int
    started: str

    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not, and is buried if it is ours."""
        seen = look(self.pid)
        if seen is None or seen.started != self.started:
            return False
        return not (seen.zombie and _buried(self.pid))


Record = Callable[[Identity], None]
"""Writes down who was started, before it runs."""


class Seen(NamedTuple):
    """A process as the system shows it; `started` is in whatever unit the system keeps."""

    zombie: bool
    started: str


def look(pid: int) -> Seen | None:
    """What the system says of `pid`; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self/stat").exists() else look_by_ps(pid)
    fields = stat.rpartition(")")[2].split()
    return Seen(fields[0] in "ZX", fields[19])


def look_by_ps(pid: int) -> Seen | None:
    """The same for systems without /proc, such as macOS; a resolution of one second."""
    ps = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True, text=True, check=False, env=_CLEAN_ENVIRONMENT,
    )  # fmt: skip
    state, _, started = ps.stdout.strip().partition(" ")
    return Seen(state.startswith("Z"), started.strip()) if state else None


def launch(
    command: Sequence[str],
    account: Account,
    *,
    lock: int,
    log: Path,
    record: Record,
    env: Mapping[str, str] | None = _CLEAN_ENVIRONMENT,
    cwd: Path,
) -> Identity:
    """Starts `command`, which runs only after `record` has written its identity down.

    A session of its own keeps Ctrl-C away from it; it inherits `lock`. `env=None` passes ours on.
    """
    with os.fdopen(open_log(log), "ab") as output:
        process = subprocess.Popen(
            account.command(command), stdin=subprocess.PIPE, stdout=output, stderr=output,
            pass_fds=(lock,), start_new_session=True, env=env, cwd=cwd,
        )  # fmt: skip
    # It may outlive this object and even this process, so Popen is not to wait for it or warn.
    process.returncode = 0
    seen = look(process.pid)
    # It waits for our word, so it is there.
    assert seen
    identity = Identity(process.pid, seen.started)
    assert process.stdin
    # A launcher that is gone already shows as a dead process and in the log.
    with suppress(BrokenPipeError), process.stdin:
        record(identity)
        process.stdin.write(b"\n")
    return identity


def run_once(
    command: Sequence[str], account: Account, *, lock: int, log: Path, cwd: Path, seconds: float
) -> bool:
    """Runs a program that ends by itself, such as initdb, and says whether it succeeded; blocks."""
    with os.fdopen(open_log(log), "ab") as output:
        done = subprocess.run(
            account.command(command), input=b"\n", stdout=output, stderr=output, timeout=seconds,
            pass_fds=(lock,), start_new_session=True, env=_CLEAN_ENVIRONMENT, cwd=cwd, check=False,
        )  # fmt: skip
    return done.returncode == 0


async def stop(process: Identity, steps: Sequence[StopStep]) -> None:
    """Sends each signal and waits its seconds for the end, then kills; returns when it is gone."""
    for number, seconds in (*steps, (signal.SIGKILL, float("inf"))):
        if not process.alive():
            return
        os.kill(process.pid, number)
        if await _ended(process, seconds):
            return


def open_log(log: Path) -> int:
    """A descriptor that appends to `log`, for our eyes only; a log that has grown long starts anew."""
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".old"))
    return os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


async def _ended(process: Identity, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while process.alive():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


def _buried(pid: int) -> bool:
    """Takes leave of a zombie of ours; not yet while one of its threads is still on its way out."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True
