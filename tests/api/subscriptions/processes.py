"""Two API processes over one database and one Valkey, as a load balancer would have them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from api.addresses import Addresses
from api.settings import Settings
from tests.journeys.instance import REPOSITORY, _wait_until_ready, environment, free_port


@contextmanager
def two(settings: Settings, addresses: Addresses) -> Iterator[tuple[str, str]]:
    """Their addresses, "127.0.0.1:port"."""
    with ExitStack() as stack:
        ports = free_port(), free_port()
        started = [(stack.enter_context(_started(settings.home, port, addresses)), port) for port in ports]
        for process, port in started:
            _wait_until_ready(f"http://127.0.0.1:{port}", process, _log(settings.home, port))
        first, second = (f"127.0.0.1:{port}" for port in ports)
        yield first, second


def _log(home: Path, port: int) -> Path:
    return home / f"api-{port}.log"


@contextmanager
def _started(home: Path, port: int, addresses: Addresses) -> Iterator[subprocess.Popen[bytes]]:
    servers = {
        "DATABASE_URL": addresses.app_url,
        "DATABASE_OWNER_URL": addresses.owner_url,
        "REDIS_URL": addresses.redis_url,
        "LINLI_PLATFORM_STAND_INS": "false",
    }
    with _log(home, port).open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "api"],
            cwd=REPOSITORY, env=environment(home, port) | servers, stdout=output, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
