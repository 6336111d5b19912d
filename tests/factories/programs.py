"""The program as an operator runs it: processes of their own, stopped however a test ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from api.settings import REPOSITORY

START_S = 90.0
STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class Program:
    """A process with what it has printed."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(STOP_S)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**settings: object) -> dict[str, str]:
    """Of our own environment what a program needs, and these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    return kept | {name: str(value) for name, value in settings.items()}


def run(*arguments: str, stdin: str = "", **settings: object) -> subprocess.CompletedProcess[str]:
    """A command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments], cwd=REPOSITORY, env=environment(**settings), input=stdin,
        capture_output=True, text=True, check=False, timeout=START_S,
    )  # fmt: skip


@contextmanager
def started(folder: Path, command: str, **settings: object) -> Iterator[Program]:
    """A long-running command in a process group of its own, ready where it serves."""
    port = int(str(settings.pop("PORT", 0))) or free_port()
    log = folder / f"{command}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", command], cwd=REPOSITORY, env=environment(PORT=port, **settings),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    program = Program(process, log, f"http://127.0.0.1:{port}")
    try:
        if command in ("api", "serve", "demo"):
            wait_until_ready(program)
        yield program
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_ready(program: Program) -> Mapping[str, object]:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and program.process.poll() is None:
        try:
            answer = httpx.get(f"{program.url}/ready", timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        if answer.status_code == 200:
            return dict(answer.json())
        time.sleep(0.05)
    raise AssertionError(program.said()[-3000:])


def wait_for(program: Program, text: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while text not in program.said():
        assert time.monotonic() < deadline, program.said()[-2000:]
        time.sleep(0.05)
