"""A private instance of the whole program, run as an operator runs it, talked to over HTTP alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]
START_S = 120.0


@dataclass(frozen=True, slots=True)
class Instance:
    """Where the instance answers, and where its platform stand-ins do."""

    url: str
    platform_url: str
    log: Path


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, port: int) -> dict[str, str]:
    """Of our own environment what a program needs, and nothing that configures Linli from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    return kept | {"LINLI_HOME": str(home), "PORT": str(port)}


def linli(home: Path, port: int, *arguments: str, stdin: str = "") -> str:
    """Run a command line to its end; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments],
        cwd=REPOSITORY, env=environment(home, port), input=stdin, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"linli {arguments[0]}: {done.stderr or done.stdout}")
    return done.stdout


@contextmanager
def started(home: Path, port: int, *arguments: str) -> Iterator[Instance]:
    """`linli …` as a process of its own, ready; stopped as Ctrl-C stops it."""
    log = home / "journey.log"
    home.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", *arguments],
            cwd=REPOSITORY, env=environment(home, port), stdout=output, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process, log)
        yield Instance(url, _platform_url(home), log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"not ready:\n{log.read_text()[-3000:]}")


def _platform_url(home: Path) -> str:
    from api.servers.state import read_state

    state = read_state(home / "children" / "platform")
    return f"http://127.0.0.1:{state.port}" if state else ""


def fresh(home: Path) -> Path:
    """An empty home; servers that a killed run left behind are adopted and stopped first."""
    if home.exists():
        _stop_left_behind(home)
        shutil.rmtree(home)
    return home


def _stop_left_behind(home: Path) -> None:
    import asyncio

    from api.servers.supervisor import Supervisor

    async def stop() -> None:
        supervisor = Supervisor(home)
        await supervisor.start()
        await supervisor.stop()

    asyncio.run(stop())
