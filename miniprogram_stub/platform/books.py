"""The platforms' own books (平台账本), one SQLite file that outlives the process."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from miniprogram_stub.platform.payment_tables import PAYMENT_TABLES

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
CREATE INDEX IF NOT EXISTS sms_nonces_seen ON sms_nonces (seen_at);
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
CREATE TABLE IF NOT EXISTS voice_calls (
    call_id TEXT PRIMARY KEY,
    phone TEXT NOT NULL,
    tts_code TEXT NOT NULL,
    text TEXT NOT NULL,
    out_id TEXT NOT NULL,
    play_times INTEGER NOT NULL,
    called_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS voice_calls_phone ON voice_calls (phone, called_at);
-- whose number it is (empty while nobody said), and whether the line is on, off or void
CREATE TABLE IF NOT EXISTS phones (
    phone TEXT PRIMARY KEY,
    person TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'on'
);
CREATE INDEX IF NOT EXISTS phones_person ON phones (person);
-- what the phones show; a message knows its person, or the number it went to
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    person TEXT NOT NULL,
    phone TEXT NOT NULL,
    template TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    page TEXT NOT NULL,
    content TEXT NOT NULL,
    platform_id TEXT NOT NULL,
    sent_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_person ON messages (person, id);
CREATE INDEX IF NOT EXISTS messages_phone ON messages (phone, id);
CREATE TABLE IF NOT EXISTS consents (
    platform TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES people,
    template TEXT NOT NULL,
    remaining INTEGER NOT NULL CHECK (remaining >= 0),
    PRIMARY KEY (platform, person, template)
);
CREATE TABLE IF NOT EXISTS quotas (api TEXT, day TEXT, used INTEGER NOT NULL, PRIMARY KEY (api, day));
-- keys are raw: the point, the PKCS#8 key and the 16 bytes of auth; dropped_at NULL while subscribed
CREATE TABLE IF NOT EXISTS push_subscriptions (
    token TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people,
    origin TEXT NOT NULL,
    vapid_key BLOB NOT NULL,
    private_key BLOB NOT NULL,
    public_key BLOB NOT NULL,
    auth BLOB NOT NULL,
    offline INTEGER NOT NULL DEFAULT 0,
    dropped_at REAL
);
CREATE TABLE IF NOT EXISTS push_waiting (
    id INTEGER PRIMARY KEY,
    token TEXT NOT NULL REFERENCES push_subscriptions,
    message_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    content TEXT NOT NULL,
    expires_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS push_waiting_token ON push_waiting (token, topic);
CREATE TABLE IF NOT EXISTS hooks (name TEXT PRIMARY KEY, secret TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS hook_deliveries (
    name TEXT NOT NULL REFERENCES hooks,
    id TEXT NOT NULL,
    times INTEGER NOT NULL,
    body TEXT NOT NULL,
    first_at REAL NOT NULL,
    last_at REAL NOT NULL,
    PRIMARY KEY (name, id)
);
"""
# Columns that books opened by an earlier version lack. A message's status is SendStatus: 1 waiting for
# the receipt, 2 failed, 3 delivered.
_ADDED = (
    ("sms_messages", "out_id", "TEXT NOT NULL DEFAULT ''"),
    ("sms_messages", "status", "INTEGER NOT NULL DEFAULT 3"),
    ("sms_messages", "received_at", "REAL"),
)


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
    rows.executescript(_TABLES + PAYMENT_TABLES)
    for table, column, declaration in _ADDED:
        known = {row["name"] for row in rows.execute(f"PRAGMA table_info({table})")}
        if column not in known:
            rows.execute(f"ALTER TABLE {table} ADD COLUMN {column} {declaration}")
    return rows
