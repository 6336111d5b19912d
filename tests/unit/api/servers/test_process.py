"""One process: who it is, that it waits to be recorded, and that it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.servers.account import STAY
from api.servers.lock import locked, try_lock
from api.servers.process import Identity, Seen, launch, look, look_by_ps, open_log, stop

_OBSTINATE = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY)
    assert try_lock(fd)
    yield fd
    os.close(fd)


@pytest.mark.parametrize("seen", [look, look_by_ps])
def test_a_start_time_is_stable_and_outlives_the_process_as_a_zombie(
    sleeper: subprocess.Popen[bytes], seen: Callable[[int], Seen | None]
) -> None:
    first = seen(sleeper.pid)
    time.sleep(0.05)
    assert first == seen(sleeper.pid)
    assert first
    assert not first.zombie
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert seen(sleeper.pid) == Seen(True, first.started)
    sleeper.wait()
    assert seen(sleeper.pid) is None


def test_the_same_pid_with_another_start_is_another_process(sleeper: subprocess.Popen[bytes]) -> None:
    first = look(sleeper.pid)
    assert first
    assert Identity(sleeper.pid, first.started).alive()
    assert not Identity(sleeper.pid, first.started + "1").alive()


async def test_another_process_with_the_pid_is_never_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    await stop(Identity(sleeper.pid, "1"), [(signal.SIGTERM, 1.0)])
    assert sleeper.poll() is None


async def test_who_ignores_the_signal_is_killed_in_the_end(tmp_path: Path, lock: int) -> None:
    log = tmp_path / "log"
    recorded: list[Identity] = []
    process = launch(
        [sys.executable, "-c", _OBSTINATE], STAY, lock=lock, log=log, record=recorded.append, cwd=tmp_path
    )
    assert recorded == [process]
    while "up" not in log.read_text():
        time.sleep(0.01)
    await stop(process, [(signal.SIGTERM, 0.1)])
    assert not process.alive()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


async def test_a_process_that_was_not_recorded_never_comes_to_life(tmp_path: Path, lock: int) -> None:
    launched: list[Identity] = []

    def fail(process: Identity) -> None:
        launched.append(process)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        launch(["/usr/bin/touch", "born"], STAY, lock=lock, log=tmp_path / "log", record=fail, cwd=tmp_path)
    deadline = time.monotonic() + 5
    while launched[0].alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not launched[0].alive()
    assert not (tmp_path / "born").exists()


async def test_the_lock_lasts_as_long_as_the_process_that_inherited_it(tmp_path: Path) -> None:
    async with locked(tmp_path, 1) as held:
        process = launch(
            ["/bin/sleep", "60"], STAY, lock=held, log=tmp_path / "log", record=lambda _: None, cwd=tmp_path
        )
    fd = os.open(tmp_path, os.O_RDONLY)
    assert not try_lock(fd)
    await stop(process, [(signal.SIGTERM, 5.0)])
    assert try_lock(fd)
    os.close(fd)


def test_a_log_is_private_and_starts_anew_when_it_has_grown_long(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    os.close(open_log(log))
    assert log.stat().st_mode & 0o777 == 0o600
    os.truncate(log, 9 << 20)
    os.close(open_log(log))
    assert log.stat().st_size == 0
    assert (tmp_path / "postgres.old").stat().st_size == 9 << 20
