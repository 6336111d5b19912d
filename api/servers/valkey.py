"""The private Valkey: cache, pub/sub and locks; it keeps nothing that PostgreSQL does not know."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from api.servers.account import Account
from api.servers.process import Identity, Record, launch
from api.servers.state import password, write_private

STOP_STEPS = ((signal.SIGTERM, 10.0),)
_TIMEOUT_SECONDS = 2.0


class Valkey:
    """Serves on 127.0.0.1 behind a password, from the folder `valkey` below `root`."""

    name = "Valkey"
    stop_steps = STOP_STEPS
    survives_its_run = True

    def __init__(self, root: Path, program: Path, account: Account) -> None:
        self.home = root / "valkey"
        self.log = root / "log" / "valkey.log"
        self._data = self.home / "data"
        self._program = program
        self._account = account
        self._password = password(root / "secrets" / "redis")

    def url(self, port: int) -> str:
        """The address with its password."""
        return f"redis://:{self._password}@127.0.0.1:{port}/0"

    async def prepare(self, lock: int) -> None:
        """Makes the data folder."""
        self._data.mkdir(mode=0o700, exist_ok=True)

    def launch(self, port: int, lock: int, record: Record) -> Identity:
        """Writes the configuration, which keeps the password out of the list of processes, and starts."""
        configuration = self._data / "valkey.conf"
        write_private(configuration, self._configuration(port))
        self._account.own(self._data)
        self._account.own(configuration)
        return launch(
            [str(self._program), str(configuration)], self._account,
            lock=lock, log=self.log, cwd=self.home, record=record,
        )  # fmt: skip

    async def answers(self, port: int) -> bool:
        """PING with the password."""
        client = Redis(
            host="127.0.0.1", port=port, password=self._password, retry=Retry(NoBackoff(), 0),
            socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS,
        )  # fmt: skip
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
        finally:
            await client.aclose()

    def _configuration(self, port: int) -> str:
        return (
            f"bind 127.0.0.1\nport {port}\nprotected-mode yes\nrequirepass {self._password}\n"
            f"dir {json.dumps(str(self._data), ensure_ascii=False)}\ndaemonize no\nappendonly no\nsave ''\n"
        )
