"""Programs that are measured from outside: started, found ready, stopped."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.journeys.instance import REPOSITORY, START_S, environment

MIB = 1024 * 1024


@dataclass(slots=True)
class Program:
    """A program that answers on a port of this machine; seconds it took to get ready and to stop."""

    process: psutil.Process
    home: Path
    port: int
    ready_s: float = 0.0
    stop_s: float = field(default=0.0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def cpu(self) -> float:
        """CPU seconds so far, to the hundredth."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory_mib(self) -> tuple[float, float]:
        """Resident set, and the part of it that is its own (PSS, where the system knows it)."""
        full = self.process.memory_full_info()
        return full.rss / MIB, getattr(full, "pss", full.uss) / MIB


@contextmanager
def launched(home: Path, port: int, *module: str) -> Iterator[Program]:
    """`python -m …` until the end of the block, ready; stopped as Ctrl-C stops it."""
    home.mkdir(parents=True, exist_ok=True)
    log = home / "bench.log"
    started = time.perf_counter()
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=REPOSITORY, env=environment(home, port), stdout=output, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    program = Program(psutil.Process(process.pid), home, port)
    try:
        _wait_until_ready(process, port, log)
        program.ready_s = time.perf_counter() - started
        yield program
    finally:
        program.stop_s = _stopped(process)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if _is_ready(port):
            return
        time.sleep(0.02)
    raise RuntimeError(f"not ready:\n{log.read_text()[-3000:]}")


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _stopped(process: subprocess.Popen[bytes]) -> float:
    started = time.perf_counter()
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return time.perf_counter() - started
