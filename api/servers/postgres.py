"""The private PostgreSQL: the owner `linli_owner` migrates, the application is `linli_app`."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg

from api.servers.account import Account, listed_account
from api.servers.errors import NotReady, PasswordLost
from api.servers.process import Identity, Record, launch, run_once
from api.servers.server import READY_SECONDS, log_tail
from api.servers.state import password, write_private

DATABASE = "linli"
OWNER = "linli_owner"
APPLICATION = "linli_app"
STOP_STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0))
"""Fast shutdown first, then immediate."""

_SUPERUSER = "postgres"
_TIMEOUT_SECONDS = 5.0
_INITDB_SECONDS = 120.0
_NO_ROLE_POWER = "LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "max_wal_size": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "linli",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_FORGETFUL = dict.fromkeys(_DURABLE, "off")


class Postgres:
    """Serves on 127.0.0.1 behind SCRAM-SHA-256 passwords, from the folder `postgres` below `root`.

    `durable=False` gives up safety against a crash of the machine for speed: for tests only.
    """

    name = "PostgreSQL"
    stop_steps = STOP_STEPS
    survives_its_run = True

    def __init__(self, root: Path, programs: Path, account: Account, *, durable: bool) -> None:
        self.home = root / "postgres"
        self.log = root / "log" / "postgres.log"
        self._data = self.home / "data"
        self._programs = programs
        self._account = account
        self._durable = durable
        self._secrets = root / "secrets"

    def url(self, role: str, port: int) -> str:
        """The address of the database for `role`, with its password."""
        return f"postgresql://{role}:{self._password(role)}@127.0.0.1:{port}/{DATABASE}"

    async def prepare(self, lock: int) -> None:
        """Makes the cluster if there is none, and removes what a killed server left.

        We hold the lock that every process of ours inherits, so a postmaster.pid is stale even if
        another process has its number now, which PostgreSQL itself would take for a living server.
        """
        if not (self._data / "PG_VERSION").exists():
            await asyncio.to_thread(self._initialise, lock)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        self._account.own(self._data)

    def launch(self, port: int, lock: int, record: Record) -> Identity:
        """Starts the postmaster with our settings, whatever the files in the data folder say."""
        settings = _SETTINGS | (_DURABLE if self._durable else _FORGETFUL) | {"port": str(port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return launch(
            [str(self._programs / "postgres"), "-D", str(self._data), *options],
            self._account, lock=lock, log=self.log, cwd=self.home, record=record,
        )  # fmt: skip

    async def answers(self, port: int) -> bool:
        """Connects and asks; the first answer also finds or makes the roles and the database."""
        try:
            await self._ensure_roles(port)
            await self._ensure_schema(port)
        except asyncpg.InvalidPasswordError as refused:
            raise PasswordLost(self._data, self._secrets / _SUPERUSER) from refused
        except (OSError, asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError):
            return False
        return True

    def _password(self, role: str) -> str:
        return password(self._secrets / role)

    async def _connect(self, port: int, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host="127.0.0.1", port=port, user=_SUPERUSER, password=self._password(_SUPERUSER),
            database=database, ssl=False, timeout=_TIMEOUT_SECONDS, command_timeout=READY_SECONDS,
        )  # fmt: skip

    async def _ensure_roles(self, port: int) -> None:
        connection = await self._connect(port, "postgres")
        try:
            await self._ensure_role(connection, OWNER, f"{_NO_ROLE_POWER} CREATEDB")
            await self._ensure_role(connection, APPLICATION, f"{_NO_ROLE_POWER} NOCREATEDB")
            # Tests drop and clone databases that the application is still connected to.
            await connection.execute(f"GRANT pg_signal_backend TO {OWNER}")
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        finally:
            await connection.close()

    async def _ensure_role(self, connection: asyncpg.Connection, role: str, powers: str) -> None:
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"CREATE ROLE {role}")
        await connection.execute(f"ALTER ROLE {role} {powers} PASSWORD '{self._password(role)}'")

    async def _ensure_schema(self, port: int) -> None:
        connection = await self._connect(port, DATABASE)
        try:
            await connection.execute(
                f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;"
                f"GRANT CONNECT ON DATABASE {DATABASE} TO {APPLICATION};"
                # Before version 15 this schema belonged to the superuser and was open to everybody.
                f"ALTER SCHEMA public OWNER TO {OWNER}; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
            )
        finally:
            await connection.close()

    def _initialise(self, lock: int) -> None:
        """Builds beside and renames: a folder `data` is a complete cluster."""
        new, secret = self.home / "new", self.home / "initdb"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        write_private(secret, self._password(_SUPERUSER))
        # initdb wants a user with a name; the account that serves afterwards may have none.
        account = listed_account() if self._account.mode == "drop" else self._account
        account.own(new)
        account.own(secret)
        done = run_once(
            self._initdb(new, secret),
            account,
            lock=lock,
            log=self.log,
            cwd=self.home,
            seconds=_INITDB_SECONDS,
        )
        secret.unlink()
        if not done:
            raise NotReady("initdb", self.log, log_tail(self.log))
        new.rename(self._data)

    def _initdb(self, data: Path, secret: Path) -> list[str]:
        return [
            str(self._programs / "initdb"), "-D", str(data), "-U", _SUPERUSER, f"--pwfile={secret}",
            "--auth=scram-sha-256", "--encoding=UTF8", *self._locale(), "--no-instructions",
            *([] if self._durable else ["--no-sync"]),
        ]  # fmt: skip

    def _locale(self) -> list[str]:
        """The same order of text on every machine; LC_CTYPE makes Chinese characters letters to pg_trgm."""
        letters = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return ["--locale=C", f"--lc-ctype={letters}", *(builtin if self._major_version() >= 17 else [])]

    def _major_version(self) -> int:
        version = subprocess.run(
            [str(self._programs / "postgres"), "--version"], capture_output=True, text=True, check=True
        ).stdout
        found = re.search(r"(\d+)", version)
        return int(found[0]) if found else 0
