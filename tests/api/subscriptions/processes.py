"""Two API processes over one database and one Valkey, as a load balancer would have them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from api.addresses import Addresses
from api.servers.programs import valkey_program
from api.settings import Settings
from tests.journeys.instance import REPOSITORY, _wait_until_ready, environment, free_port


@contextmanager
def two(settings: Settings, addresses: Addresses) -> Iterator[tuple[str, str]]:
    """Their addresses, "127.0.0.1:port"."""
    with ExitStack() as stack:
        first, second = [stack.enter_context(served(settings, addresses)) for _ in range(2)]
        yield first[0], second[0]


@contextmanager
def served(settings: Settings, addresses: Addresses) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """One of them, ready: its address, and the process."""
    port = free_port()
    with _started(settings.home, port, addresses) as process:
        _wait_until_ready(f"http://127.0.0.1:{port}", process, _log(settings.home, port))
        yield f"127.0.0.1:{port}", process


class PrivateValkey:
    """A Valkey of a test's own, to be killed and to come back on its port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Let it run, empty."""
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([valkey_program(), *options], stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        """As the machine's end would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


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
