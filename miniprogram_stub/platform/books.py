"""The platforms' own books (平台账本), one SQLite file that outlives the process."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_TABLES = """
CREATE TABLE IF NOT EXISTS people (
    name TEXT PRIMARY KEY,
    wechat_openid TEXT NOT NULL UNIQUE,
    wechat_unionid TEXT NOT NULL UNIQUE,
    alipay_user_id TEXT NOT NULL UNIQUE,
    alipay_open_id TEXT NOT NULL UNIQUE
);
-- single-use codes; instants are Unix seconds, used_at NULL while unused
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES people,
    phone TEXT NOT NULL,
    expires_at REAL NOT NULL,
    used_at REAL
);
CREATE INDEX IF NOT EXISTS codes_used ON codes (person, kind, used_at);
-- person is empty for a token of the app itself; dead_at is set when a token is revoked early
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    person TEXT NOT NULL,
    forced INTEGER NOT NULL,
    issued_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    dead_at REAL
);
CREATE INDEX IF NOT EXISTS tokens_issued ON tokens (kind, issued_at);
CREATE TABLE IF NOT EXISTS sms_nonces (nonce TEXT PRIMARY KEY, seen_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sms_messages (
    id INTEGER PRIMARY KEY,
    biz_id TEXT NOT NULL,
    phone TEXT NOT NULL,
    sign_name TEXT NOT NULL,
    template_code TEXT NOT NULL,
    kind TEXT NOT NULL,
    params TEXT NOT NULL,
    text TEXT NOT NULL,
    sent_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS sms_messages_phone ON sms_messages (phone, sent_at);
"""


class Books:
    """The file behind one thread: transactions follow each other, so a code is used once."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1, "books")
        self._rows = self._thread.submit(_open, path).result()

    async def transact(
        self, command: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a command in a transaction of its own; what it raises undoes it."""
        work = partial(command, self._rows, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, work)

    def _commit(self, work: Callable[[], T]) -> T:
        with self._rows:
            self._rows.execute("BEGIN IMMEDIATE")
            return work()

    def close(self) -> None:
        """Finish what is under way and close the file."""
        self._thread.submit(self._rows.close).result()
        self._thread.shutdown()


def _open(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    rows = sqlite3.connect(path, isolation_level=None, timeout=5)
    rows.row_factory = sqlite3.Row
    rows.execute("PRAGMA journal_mode=WAL")
    rows.execute("PRAGMA synchronous=NORMAL")
    rows.executescript(_TABLES)
    return rows
